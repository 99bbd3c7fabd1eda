//! Heterogeneous autoregression of realised variance.

use forge_data::{TimeRange, Windows};
use forge_nn::ForgeError;
use nalgebra::{DMatrix, DVector};

use super::SeriesBaseline;
use crate::Error;

/// HAR-RV (Corsi 2009, eq. 8): `y_{t+h}` from a constant, `y_t`, and the means of the last 5 and the
/// last 22 values, by least squares; `log` takes the logarithm of each and
/// of what is forecast, which is `exp(m + s²/2)`, `s²` the variance of the residuals.
///
/// Fitted anew every `refit` steps of a series to all that is known then, as practitioners do: a
/// forecast uses nothing that comes after it.
#[derive(Debug, Clone, Copy)]
pub struct Har {
    /// Fit logarithms.
    pub log: bool,
    /// Steps from one fit to the next, at least 1.
    pub refit: usize,
}

impl Har {
    /// Of values as they are, fitted anew every 22 steps.
    #[must_use]
    pub fn level() -> Self {
        Self {
            log: false,
            refit: 22,
        }
    }

    /// Of logarithms, fitted anew every 22 steps.
    #[must_use]
    pub fn log() -> Self {
        Self {
            log: true,
            refit: 22,
        }
    }
}

/// Values that a forecast looks at.
const LONGEST: usize = 22;

/// Coefficients and the variance of the residuals.
#[derive(Clone, Copy)]
struct Fit {
    weights: [f64; 4],
    variance: f64,
}

/// What holds for the steps from one fit to the next.
struct Held {
    /// Series, and the step that it was fitted at.
    place: (usize, usize),
    /// Of each step ahead and target.
    fits: Vec<Option<Fit>>,
}

impl Har {
    /// Constant, last value, mean of 5 and of 22 up to `row`; absent where one of them is not known.
    fn inputs(&self, values: &[f64], row: usize) -> Option<[f64; 4]> {
        let start = (row + 1).checked_sub(LONGEST)?;
        let known = values.get(start..=row)?;
        let mean = |n: usize| {
            let mean = known[LONGEST - n..].iter().sum::<f64>() / n as f64;
            if self.log { mean.ln() } else { mean }
        };
        let inputs = [1.0, mean(1), mean(5), mean(LONGEST)];
        inputs.iter().all(|v| v.is_finite()).then_some(inputs)
    }

    /// By all pairs of which both ends lie at or before `until`.
    fn fit_until(&self, values: &[f64], until: usize, step: usize) -> Option<Fit> {
        let pairs = (0..=until.checked_sub(step)?).filter_map(|row| {
            let target = match self.log {
                true => values[row + step].ln(),
                false => values[row + step],
            };
            Some((self.inputs(values, row)?, target)).filter(|(_, target)| target.is_finite())
        });
        let pairs: Vec<([f64; 4], f64)> = pairs.collect();
        if pairs.len() < 8 {
            return None;
        }
        let x = DMatrix::from_fn(pairs.len(), 4, |i, j| pairs[i].0[j]);
        let y = DVector::from_iterator(pairs.len(), pairs.iter().map(|(_, y)| *y));
        let weights = x.clone().svd(true, true).solve(&y, 1e-12).ok()?;
        let residuals = &y - &x * &weights;
        let variance = residuals.norm_squared() / (pairs.len() - 4) as f64;
        Some(Fit {
            weights: [weights[0], weights[1], weights[2], weights[3]],
            variance,
        })
    }

    fn say(&self, fit: Fit, inputs: [f64; 4], smallest: f64) -> f64 {
        let mean: f64 = fit.weights.iter().zip(inputs).map(|(w, x)| w * x).sum();
        if self.log {
            return (mean + 0.5 * fit.variance).exp();
        }
        // A variance that a line makes negative is none: the smallest known one is taken.
        mean.max(smallest)
    }
}

impl SeriesBaseline for Har {
    fn name(&self) -> &'static str {
        if self.log { "log_har" } else { "har" }
    }

    fn fit(&mut self, train: &Windows, _: &TimeRange) -> Result<(), Error> {
        let table = train.table();
        for series in 0..table.n_series() {
            for name in &table.schema().config.targets {
                if table.column(series, name)?.iter().any(|v| *v <= 0.0) {
                    let what = format!(
                        "{} is for variances, and '{name}' has values of 0 or less",
                        self.name()
                    );
                    return Err(ForgeError::unsupported(what).into());
                }
            }
        }
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        let table = windows.table();
        let targets = &table.schema().config.targets;
        let steps: Vec<usize> = windows.config().horizon.steps().collect();
        let mut said = Vec::with_capacity(rows.len() * steps.len() * targets.len());
        let mut held: Option<Held> = None;
        let mut columns: Vec<Vec<f64>> = Vec::new();
        let mut of = usize::MAX;
        for row in rows {
            let window = windows.window(*row);
            if of != window.series {
                let read = targets.iter().map(|name| {
                    let values = table.column(window.series, name)?;
                    Ok::<_, Error>(values.to_vec())
                });
                columns = read.collect::<Result<_, _>>()?;
                of = window.series;
            }
            let place = (window.series, window.origin / self.refit * self.refit);
            if held.as_ref().is_none_or(|held| held.place != place) {
                let until = place.1.max(LONGEST).min(window.origin);
                let each = steps
                    .iter()
                    .flat_map(|step| columns.iter().map(move |values| (values, *step)));
                let fits = each.map(|(values, step)| self.fit_until(values, until, step));
                held = Some(Held {
                    place,
                    fits: fits.collect(),
                });
            }
            let fits = held.as_ref().map_or(&[][..], |held| &held.fits);
            for (cell, fit) in fits.iter().enumerate() {
                let values = &columns[cell % targets.len()];
                let known = &values[..=window.origin];
                let smallest = known.iter().copied().fold(f64::INFINITY, f64::min);
                let now = self.inputs(values, window.origin);
                let last = known.iter().rev().copied().find(|v| !v.is_nan());
                let last = last.unwrap_or(f64::NAN);
                said.push(match (fit, now) {
                    (Some(fit), Some(now)) => self.say(*fit, now, smallest),
                    // Too little is known to fit: the last value.
                    _ => last,
                });
            }
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_the_weights_that_made_the_series() {
        let weights = [0.1, 0.3, 0.4, 0.2];
        let mut values: Vec<f64> = (0..22).map(|i| 1.0 + 0.3 * f64::from(i % 5)).collect();
        let mut state = 3_u64;
        for row in 21..1_500 {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let noise = (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5;
            let x = Har::level().inputs(&values, row).unwrap_or([0.0; 4]);
            let mean: f64 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
            values.push(mean + 0.01 * noise);
        }
        let fit = Har::level().fit_until(&values, 1_499, 1);
        let found = fit.map(|fit| fit.weights).unwrap_or_default();
        let near = found.iter().zip(weights).all(|(a, b)| (a - b).abs() < 0.1);
        assert!(near, "{found:?}");
    }
}
