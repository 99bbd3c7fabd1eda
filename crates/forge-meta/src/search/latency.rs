//! What operations cost on a device.

use std::time::Instant;

use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::cell::OperationLayer;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::SearchSpace;

/// The time that each operation of a space takes, measured where it is to run.
///
/// Cai, Zhu & Han, arXiv 1812.00332, section 3.4: the expected latency of a net is the sum over its edges
/// of the operations' latencies times their probabilities, and so can be a term of the loss.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LatencyTable {
    /// Milliseconds per call of each operation, in the order of the space.
    pub milliseconds: Vec<f64>,
}

impl LatencyTable {
    /// Measures each operation of `space` on tokens `[batch, tokens, width]` on `device`: the median of
    /// `repeats` calls after one that is not counted.
    ///
    /// # Errors
    /// A config error if a number is 0 or the space is not valid; a device error if the device fails.
    pub fn measure(
        space: &SearchSpace,
        [batch, tokens, width]: [usize; 3],
        repeats: usize,
        device: &Device,
    ) -> Result<Self, ForgeError> {
        space.validate()?;
        check::at_least_one("batch", batch)?;
        check::at_least_one("tokens", tokens)?;
        check::at_least_one("width", width)?;
        check::at_least_one("repeats", repeats)?;
        // What is timed is the forward pass as it is in use.
        let device = device.clone().inner();
        let x = Tensor::<3>::random([batch, tokens, width], Distribution::Default, &device);
        let mut milliseconds = vec![];
        for operation in &space.operations {
            let layer = OperationLayer::new(*operation, width, &device);
            let call = || {
                let y = layer.forward(x.clone(), None);
                let done = device.sync();
                drop(y);
                done.map_err(|e| ForgeError::device(format!("{operation}: {e}")))
            };
            call()?;
            let mut times = vec![];
            for _ in 0..repeats {
                let began = Instant::now();
                call()?;
                times.push(began.elapsed().as_secs_f64() * 1e3);
            }
            milliseconds.push(median(times));
        }
        Ok(Self { milliseconds })
    }

    /// Checks that there is a time for each of `operations`.
    ///
    /// # Errors
    /// A shape error for another number; a config error for a time below 0 or not finite.
    pub fn validate(&self, operations: usize) -> Result<(), ForgeError> {
        let found = self.milliseconds.len();
        if found != operations {
            return Err(ForgeError::shape("latency", found, operations));
        }
        for (k, time) in self.milliseconds.iter().enumerate() {
            check::in_range(&format!("milliseconds[{k}]"), *time, 0.0..=f64::MAX)?;
        }
        Ok(())
    }

    /// The expected time of a net, in milliseconds: `Σ_e Σ_k p_ek F_k`.
    #[must_use]
    pub fn expected(&self, probabilities: &[Vec<f64>]) -> f64 {
        let edge = |edge: &Vec<f64>| -> f64 {
            let pairs = edge.iter().zip(&self.milliseconds);
            pairs.map(|(p, time)| p * time).sum()
        };
        probabilities.iter().map(edge).sum()
    }
}

/// Of at least one number.
fn median(mut times: Vec<f64>) -> f64 {
    times.sort_by(f64::total_cmp);
    let middle = times.len() / 2;
    match times.len() % 2 {
        0 => f64::midpoint(times[middle - 1], times[middle]),
        _ => times[middle],
    }
}
