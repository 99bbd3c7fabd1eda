//! Sine curves of many amplitudes and phases.

use burn::tensor::{Device, Tensor, TensorData};
use forge_nn::{ForgeError, check};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Task, TaskDistribution};

/// Regression tasks `y = a sin(x - p)` with `a` in `0.1..5`, `p` in `0..π` and `x` in `-5..5`, all
/// uniform.
///
/// Finn, Abbeel & Levine, arXiv 1703.03400, §5.1; the phase is subtracted, as in the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Sinusoids {
    /// Samples to adapt to, at least 1. Default: 10.
    pub n_support: usize,
    /// Further samples of the same curve, at least 1. Default: 10.
    pub n_query: usize,
}

impl Default for Sinusoids {
    fn default() -> Self {
        Self {
            n_support: 10,
            n_query: 10,
        }
    }
}

/// One curve.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Sinusoid {
    /// `a`.
    pub amplitude: f64,
    /// `p`.
    pub phase: f64,
}

impl Sinusoid {
    /// `a sin(x - p)`.
    #[must_use]
    pub fn at(self, x: f64) -> f64 {
        self.amplitude * (x - self.phase).sin()
    }
}

impl Sinusoids {
    /// The curve of a task.
    #[must_use]
    pub fn curve(&self, seed: u64) -> Sinusoid {
        Self::drawn(&mut ChaCha8Rng::seed_from_u64(seed))
    }

    fn drawn(random: &mut ChaCha8Rng) -> Sinusoid {
        Sinusoid {
            amplitude: random.random_range(0.1..5.0),
            phase: random.random_range(0.0..std::f64::consts::PI),
        }
    }
}

impl TaskDistribution for Sinusoids {
    /// Inputs and targets, `[K, 1]` each.
    type Batch = (Tensor<2>, Tensor<2>);

    /// # Errors
    /// A config error if a number of samples is 0.
    fn task(&self, seed: u64, device: &Device) -> Result<Task<Self::Batch>, ForgeError> {
        check::at_least_one("n_support", self.n_support)?;
        check::at_least_one("n_query", self.n_query)?;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let curve = Self::drawn(&mut random);
        let mut batch = |n: usize| {
            let x: Vec<f64> = (0..n).map(|_| random.random_range(-5.0..5.0)).collect();
            let y: Vec<f64> = x.iter().map(|x| curve.at(*x)).collect();
            let tensor = |values| {
                let data = TensorData::new::<f64, _>(values, [n, 1]);
                Tensor::<2>::from_data(
                    data.convert_dtype(device.settings().float_dtype.into()),
                    device,
                )
            };
            (tensor(x), tensor(y))
        };
        Ok(Task {
            support: batch(self.n_support),
            query: batch(self.n_query),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_is_one_curve() -> Result<(), ForgeError> {
        let tasks = Sinusoids::default();
        let task = tasks.task(7, &Device::flex())?;
        let curve = tasks.curve(7);
        for (x, y) in [task.support, task.query] {
            let (x, y) = (x.into_data(), y.into_data());
            for (x, y) in x.iter::<f64>().zip(y.iter::<f64>()) {
                assert!((-5.0..5.0).contains(&x) && (curve.at(x) - y).abs() < 1e-5);
            }
        }
        assert_ne!(curve, tasks.curve(8));
        let none = Sinusoids {
            n_support: 0,
            ..tasks
        };
        let error = none
            .task(7, &Device::flex())
            .map(|_| ())
            .map_err(|e| e.to_string());
        assert!(error.is_err_and(|error| error.contains("n_support = 0")));
        Ok(())
    }
}
