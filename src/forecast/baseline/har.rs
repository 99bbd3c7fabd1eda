//! Heterogeneous autoregression of realised variance.

use forge_data::{TimeRange, Windows};
use forge_nn::ForgeError;
use nalgebra::{DMatrix, DVector};

use super::{SeriesBaseline, last};
use crate::Error;

/// HAR-RV (Corsi 2009, eq. 8): `y_{t+h}` from a constant, `y_t`, and the means of the last 5 and the
/// last 22 values, by least squares; `log` takes the logarithm of each and
/// of what is forecast, which is `exp(m + s²/2)`, `s²` the variance of the residuals.
///
/// [`with_inputs`](Self::with_inputs) adds the last values of other columns: a VIX, negative returns
/// (the leverage effect of Corsi and Renò 2012).
///
/// Fitted anew every `refit` steps of a series to all that is known then, as practitioners do: a
/// forecast uses nothing that comes after it.
#[derive(Debug, Clone)]
pub struct Har {
    /// Fit logarithms.
    pub log: bool,
    /// Steps from one fit to the next, at least 1.
    pub refit: usize,
    /// Past columns beside the target.
    inputs: Vec<String>,
}

impl Har {
    /// Of values as they are, fitted anew every 22 steps.
    #[must_use]
    pub fn level() -> Self {
        Self {
            log: false,
            refit: 22,
            inputs: Vec::new(),
        }
    }

    /// Of logarithms, fitted anew every 22 steps.
    #[must_use]
    pub fn log() -> Self {
        Self {
            log: true,
            refit: 22,
            inputs: Vec::new(),
        }
    }

    /// With the last values of these past columns too; beside logarithms, the logarithms of those that
    /// were above 0 at all steps before a fit. Where one is missing, the last value of the target is
    /// forecast.
    #[must_use]
    pub fn with_inputs<S: Into<String>>(mut self, columns: impl IntoIterator<Item = S>) -> Self {
        self.inputs = columns.into_iter().map(Into::into).collect();
        self
    }
}

/// Values that a forecast looks at.
const LONGEST: usize = 22;

/// Coefficients and the variance of the residuals.
struct Fit {
    weights: Vec<f64>,
    variance: f64,
}

/// What holds for the steps from one fit to the next.
struct Held {
    /// Series, and the step that it was fitted at.
    place: (usize, usize),
    /// Which of the other columns are taken as logarithms.
    logged: Vec<bool>,
    /// Of each step ahead and target.
    fits: Vec<Option<Fit>>,
}

/// Other columns of a series, and which are taken as logarithms.
struct Others<'a> {
    columns: &'a [Vec<f64>],
    logged: &'a [bool],
}

impl Har {
    /// Constant, last value, mean of 5 and of 22 up to `row`, the other columns' last values; absent
    /// where one of them is not known.
    fn inputs(&self, values: &[f64], others: &Others<'_>, row: usize) -> Option<Vec<f64>> {
        let start = (row + 1).checked_sub(LONGEST)?;
        let known = values.get(start..=row)?;
        let mean = |n: usize| {
            let mean = known[LONGEST - n..].iter().sum::<f64>() / n as f64;
            if self.log { mean.ln() } else { mean }
        };
        let mut inputs = vec![1.0, mean(1), mean(5), mean(LONGEST)];
        for (column, logged) in others.columns.iter().zip(others.logged) {
            let value = *column.get(row)?;
            inputs.push(if *logged { value.ln() } else { value });
        }
        inputs.iter().all(|v| v.is_finite()).then_some(inputs)
    }

    /// Which of the other columns are above 0 up to `until`, where logarithms are taken.
    fn logged(&self, others: &[Vec<f64>], until: usize) -> Vec<bool> {
        let positive = |column: &Vec<f64>| {
            let mut known = column.iter().take(until + 1);
            known.all(|v| v.is_nan() || *v > 0.0)
        };
        others.iter().map(|c| self.log && positive(c)).collect()
    }

    /// By all pairs of which both ends lie at or before `until`.
    fn fit_until(
        &self,
        values: &[f64],
        others: &Others<'_>,
        until: usize,
        step: usize,
    ) -> Option<Fit> {
        let pairs = (0..=until.checked_sub(step)?).filter_map(|row| {
            let target = match self.log {
                true => values[row + step].ln(),
                false => values[row + step],
            };
            let pair = (self.inputs(values, others, row)?, target);
            Some(pair).filter(|(_, target)| target.is_finite())
        });
        let pairs: Vec<(Vec<f64>, f64)> = pairs.collect();
        let width = 4 + others.columns.len();
        if pairs.len() < 2 * width {
            return None;
        }
        let x = DMatrix::from_fn(pairs.len(), width, |i, j| pairs[i].0[j]);
        let y = DVector::from_iterator(pairs.len(), pairs.iter().map(|(_, y)| *y));
        let weights = x.clone().svd(true, true).solve(&y, 1e-12).ok()?;
        let residuals = &y - &x * &weights;
        let variance = residuals.norm_squared() / (pairs.len() - width) as f64;
        Some(Fit {
            weights: weights.iter().copied().collect(),
            variance,
        })
    }

    fn say(&self, fit: &Fit, inputs: &[f64], smallest: f64) -> f64 {
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
        match (self.log, self.inputs.is_empty()) {
            (false, true) => "har",
            (true, true) => "log_har",
            (false, false) => "har_inputs",
            (true, false) => "log_har_inputs",
        }
    }

    fn fit(&mut self, train: &Windows, _: &TimeRange) -> Result<(), Error> {
        let table = train.table();
        let past = &table.schema().config.past;
        if let Some(column) = self.inputs.iter().find(|column| !past.contains(column)) {
            let allowed = format!("past columns: {}", past.join(", "));
            return Err(ForgeError::config("inputs", column, allowed).into());
        }
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
        let (mut columns, mut others): (Vec<Vec<f64>>, Vec<Vec<f64>>) = (vec![], vec![]);
        let mut of = usize::MAX;
        for row in rows {
            let window = windows.window(*row);
            if of != window.series {
                let read = |name: &String| {
                    let values = table.column(window.series, name)?;
                    Ok::<_, Error>(values.to_vec())
                };
                columns = targets.iter().map(read).collect::<Result<_, _>>()?;
                others = self.inputs.iter().map(read).collect::<Result<_, _>>()?;
                of = window.series;
            }
            let place = (window.series, window.origin / self.refit * self.refit);
            if held.as_ref().is_none_or(|held| held.place != place) {
                let until = place.1.max(LONGEST).min(window.origin);
                let each = steps
                    .iter()
                    .flat_map(|step| columns.iter().map(move |values| (values, *step)));
                let logged = self.logged(&others, until);
                let known = Others {
                    columns: &others,
                    logged: &logged,
                };
                let fits = each.map(|(values, step)| self.fit_until(values, &known, until, step));
                let fits = fits.collect();
                held = Some(Held {
                    place,
                    logged,
                    fits,
                });
            }
            let Some(held) = &held else { continue };
            let known_others = Others {
                columns: &others,
                logged: &held.logged,
            };
            for (cell, fit) in held.fits.iter().enumerate() {
                let values = &columns[cell % targets.len()];
                let known = &values[..=window.origin];
                let smallest = known.iter().copied().fold(f64::INFINITY, f64::min);
                let now = self.inputs(values, &known_others, window.origin);
                said.push(match (fit, now) {
                    (Some(fit), Some(now)) => self.say(fit, &now, smallest),
                    // Too little is known to fit: the last value.
                    _ => last(values, window.origin),
                });
            }
        }
        Ok(said)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(state: &mut u64) -> f64 {
        *state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (*state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    }

    #[test]
    fn it_finds_the_weights_that_made_the_series() {
        let none = Others {
            columns: &[],
            logged: &[],
        };
        let weights = [0.1, 0.3, 0.4, 0.2];
        let mut values: Vec<f64> = (0..22).map(|i| 1.0 + 0.3 * f64::from(i % 5)).collect();
        let mut state = 3_u64;
        for row in 21..1_500 {
            let x = Har::level().inputs(&values, &none, row);
            let x = x.unwrap_or_default();
            let mean: f64 = weights.iter().zip(x).map(|(w, x)| w * x).sum();
            values.push(mean + 0.01 * noise(&mut state));
        }
        let fit = Har::level().fit_until(&values, &none, 1_499, 1);
        let found = fit.map(|fit| fit.weights).unwrap_or_default();
        let near = found.iter().zip(weights).all(|(a, b)| (a - b).abs() < 0.1);
        assert!(near && found.len() == 4, "{found:?}");
    }

    #[test]
    fn it_finds_what_other_columns_do() {
        let mut state = 5_u64;
        // One above 0, which is taken as its logarithm, and one that is not.
        let fear: Vec<f64> = (0..1_000)
            .map(|_| (0.5 * noise(&mut state)).exp())
            .collect();
        let fall: Vec<f64> = (0..1_000).map(|_| noise(&mut state)).collect();
        let mut values = vec![1.0];
        for row in 0..999_usize {
            let log = 0.5 * f64::ln(values[row]) + 0.8 * fear[row].ln() - 0.6 * fall[row];
            values.push((log + 0.02 * noise(&mut state)).exp());
        }
        let har = Har::log().with_inputs(["fear", "fall"]);
        assert_eq!(har.name(), "log_har_inputs");
        let others = [fear, fall];
        let logged = har.logged(&others, 998);
        assert_eq!(logged, [true, false]);
        let others = Others {
            columns: &others,
            logged: &logged,
        };
        let fit = har.fit_until(&values, &others, 999, 1);
        let found = fit.map(|fit| fit.weights).unwrap_or_default();
        let weights = [0.0, 0.5, 0.0, 0.0, 0.8, -0.6];
        let near = found.iter().zip(weights).all(|(a, b)| (a - b).abs() < 0.05);
        assert!(near && found.len() == 6, "{found:?}");
    }
}
