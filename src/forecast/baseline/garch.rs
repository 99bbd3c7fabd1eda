//! Conditional variance from returns.

use std::sync::atomic::AtomicBool;

use forge_data::{TimeRange, Windows};
use forge_nn::ForgeError;
use forge_train::distribution::StudentT;
use nalgebra::DVector;

use super::{SeriesBaseline, last};
use crate::Error;
use crate::baseline::minimize;

/// GJR-GARCH(1, 1) with Student's t (Bollerslev 1986; Glosten, Jagannathan and Runkle 1993):
/// `h_{t+1} = ω + (α + γ [ε_t < 0]) ε_t² + β h_t`, by maximum likelihood on the returns of the training
/// steps of each series. Steps ahead follow `h_{t+k} = σ² + p^{k-1} (h_{t+1} - σ²)` with
/// `p = α + γ/2 + β` and `σ² = ω / (1 - p)`.
///
/// The target is a variance of another kind (realised, within the day): the forecast is multiplied by
/// the mean of the target over the mean of `h` in training.
#[derive(Debug, Clone)]
pub struct Garch {
    /// Where the returns are from.
    pub returns: Returns,
    /// Of each series: absent where there were too few returns.
    fits: Vec<Option<Fit>>,
}

/// A column that returns are taken from.
#[derive(Debug, Clone)]
pub enum Returns {
    /// It holds returns.
    Column(String),
    /// It holds prices, of which log returns are taken.
    Prices(String),
}

/// Returns of a series that it is fitted to at least.
const FEWEST: usize = 100;

#[derive(Debug, Clone)]
struct Fit {
    mean: f64,
    omega: f64,
    alpha: f64,
    gamma: f64,
    beta: f64,
    /// Of each target.
    factors: Vec<f64>,
}

impl Garch {
    /// One that is not fitted yet.
    #[must_use]
    pub fn new(returns: Returns) -> Self {
        Self {
            returns,
            fits: Vec::new(),
        }
    }

    /// The returns of a series, NaN where there is none.
    fn returns(&self, windows: &Windows, series: usize) -> Result<Vec<f64>, Error> {
        let table = windows.table();
        Ok(match &self.returns {
            Returns::Column(name) => table.column(series, name)?.to_vec(),
            Returns::Prices(name) => {
                let prices = table.column(series, name)?;
                let first = std::iter::once(f64::NAN).take(prices.len().min(1));
                first
                    .chain(prices.windows(2).map(|pair| (pair[1] / pair[0]).ln()))
                    .collect()
            }
        })
    }
}

impl Fit {
    /// From unbounded numbers: all parameters are then in their ranges.
    fn of(x: &DVector<f64>, variance: f64, mean: f64) -> (Self, f64) {
        let share = |x: f64| 1.0 / (1.0 + (-x).exp());
        // What of a shock stays, how it is divided, and degrees of freedom.
        let persistence = share(x[0]);
        let news = persistence * share(x[1]);
        let asymmetric = news * share(x[2]);
        let fit = Self {
            mean,
            omega: variance * x[4].exp() * (1.0 - persistence),
            alpha: news - asymmetric,
            gamma: 2.0 * asymmetric,
            beta: persistence - news,
            factors: Vec::new(),
        };
        (fit, 2.05 + x[3].exp())
    }

    fn next(&self, h: f64, shock: f64) -> f64 {
        let leverage = if shock < 0.0 { self.gamma } else { 0.0 };
        self.omega + (self.alpha + leverage) * shock * shock + self.beta * h
    }

    fn persistence(&self) -> f64 {
        self.alpha + 0.5 * self.gamma + self.beta
    }

    /// The variance of the step after each return; a missing one leaves it as it is.
    fn variances(&self, returns: &[f64], start: f64) -> Vec<f64> {
        let mut h = start;
        let each = returns.iter().map(|r| {
            if !r.is_nan() {
                h = self.next(h, r - self.mean);
            }
            h
        });
        each.collect()
    }

    /// By maximum likelihood.
    fn to(returns: &[f64]) -> Option<Self> {
        if returns.len() < FEWEST {
            return None;
        }
        let n = returns.len() as f64;
        let mean = returns.iter().sum::<f64>() / n;
        let variance = returns.iter().map(|r| (r - mean).powi(2)).sum::<f64>() / n;
        if !(variance > 0.0 && variance.is_finite()) {
            return None;
        }
        let value = |x: &DVector<f64>| -> f64 {
            let (fit, df) = Self::of(x, variance, mean);
            let t = StudentT { df };
            let unit = ((df - 2.0) / df).sqrt();
            let (mut h, mut sum) = (variance, 0.0);
            for r in returns {
                let shock = r - mean;
                let scale = h.sqrt() * unit;
                sum -= t.ln_density(shock / scale) - scale.ln();
                h = fit.next(h, shock);
            }
            // Far corners of the space, where the likelihood is flat, are no answer.
            sum / n + 1e-6 * x.norm_squared()
        };
        let with_gradient = |x: &DVector<f64>| {
            let step = 1e-5;
            let slope = |i: usize| {
                let (mut up, mut down) = (x.clone(), x.clone());
                up[i] += step;
                down[i] -= step;
                (value(&up) - value(&down)) / (2.0 * step)
            };
            (value(x), DVector::from_fn(x.len(), |i, _| slope(i)))
        };
        let start = DVector::from_vec(vec![4.0, -2.0, 0.0, 1.5, 0.0]);
        let never = AtomicBool::new(false);
        let x = minimize(start, 1e-6, 200, &never, with_gradient)?;
        Some(Self::of(&x, variance, mean).0)
    }
}

impl SeriesBaseline for Garch {
    fn name(&self) -> &'static str {
        "garch"
    }

    fn fit(&mut self, train: &Windows, training: &TimeRange) -> Result<(), Error> {
        let table = train.table();
        self.fits.clear();
        for series in 0..table.n_series() {
            let returns = self.returns(train, series)?;
            let times = table.times(series);
            let inside: Vec<usize> = (0..returns.len())
                .filter(|row| training.contains(times[*row]) && !returns[*row].is_nan())
                .collect();
            let known: Vec<f64> = inside.iter().map(|row| returns[*row]).collect();
            let Some(mut fit) = Fit::to(&known) else {
                self.fits.push(None);
                continue;
            };
            let start = fit.omega / (1.0 - fit.persistence());
            let after = fit.variances(&returns, start);
            for name in &table.schema().config.targets {
                let values = table.column(series, name)?;
                let (mut of_target, mut of_h) = (0.0, 0.0);
                for row in inside.iter().filter(|row| **row > 0) {
                    if values[*row].is_finite() {
                        of_target += values[*row];
                        of_h += after[row - 1];
                    }
                }
                fit.factors.push(of_target / of_h);
            }
            self.fits.push(Some(fit));
        }
        if self.fits.iter().all(Option::is_none) {
            let what = format!("garch: no series has {FEWEST} returns in training");
            return Err(ForgeError::training(what).into());
        }
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        let table = windows.table();
        let targets = &table.schema().config.targets;
        let steps: Vec<usize> = windows.config().horizon.steps().collect();
        let mut said = Vec::with_capacity(rows.len() * steps.len() * targets.len());
        let mut held: Option<(usize, Vec<f64>)> = None;
        for row in rows {
            let window = windows.window(*row);
            let Some(Some(fit)) = self.fits.get(window.series) else {
                for _ in &steps {
                    for name in targets {
                        let values = table.column(window.series, name)?;
                        said.push(last(values, window.origin));
                    }
                }
                continue;
            };
            let persistence = fit.persistence();
            let level = fit.omega / (1.0 - persistence);
            if held
                .as_ref()
                .is_none_or(|(series, _)| *series != window.series)
            {
                let returns = self.returns(windows, window.series)?;
                held = Some((window.series, fit.variances(&returns, level)));
            }
            let next = held
                .as_ref()
                .map_or(level, |(_, after)| after[window.origin]);
            for step in &steps {
                let ahead = persistence.powi(*step as i32 - 1);
                let variance = level + ahead * (next - level);
                said.extend(fit.factors.iter().map(|factor| factor * variance));
            }
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TRUTH: Fit = Fit {
        mean: 0.0,
        omega: 0.02,
        alpha: 0.03,
        gamma: 0.12,
        beta: 0.88,
        factors: vec![],
    };

    /// Returns of `TRUTH`, whose shocks have Student's distribution with so many degrees of freedom.
    fn returns(count: usize, freedom: Option<i32>) -> Vec<f64> {
        let mut state = 17_u64;
        let mut uniform = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            ((state >> 11) as f64 + 0.5) / (1_u64 << 53) as f64
        };
        let mut normal =
            || (-2.0 * uniform().ln()).sqrt() * (std::f64::consts::TAU * uniform()).cos();
        let mut h = 0.5_f64;
        let mut next = || {
            let mut z = normal();
            if let Some(df) = freedom {
                let squares: f64 = (0..df).map(|_| normal().powi(2)).sum();
                z *= (f64::from(df - 2) / squares).sqrt();
            }
            let r = h.sqrt() * z;
            h = TRUTH.next(h, r);
            r
        };
        (0..count).map(|_| next()).collect()
    }

    #[test]
    fn it_finds_the_parameters_that_made_the_returns() {
        let found = Fit::to(&returns(12_000, None));
        let near = found.as_ref().is_some_and(|f| {
            (f.persistence() - TRUTH.persistence()).abs() < 0.02
                && (f.gamma - TRUTH.gamma).abs() < 0.04
                && (f.beta - TRUTH.beta).abs() < 0.04
        });
        assert!(near, "{found:?}");
    }

    /// `arch` 8 on the same returns: `arch_model(r - r.mean(), mean="Zero", p=1, o=1, q=1, dist="t")`, fitted
    /// with the variance as `backcast`.
    #[test]
    fn it_finds_what_arch_finds() {
        let found = Fit::to(&returns(4_000, Some(6))).expect("a fit");
        let ours = [found.omega, found.alpha, found.gamma, found.beta];
        let arch = [0.023_460, 0.040_577, 0.133_367, 0.864_455];
        for (ours, arch) in ours.into_iter().zip(arch) {
            assert!((ours - arch).abs() < 1e-3, "{found:?}");
        }
    }
}
