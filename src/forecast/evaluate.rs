//! What a fitted forecaster says of windows.

use std::sync::Arc;

use forge_data::{SeriesTable, TimeRange, WindowBatch, Windows};
use forge_nn::ForgeError;
use forge_train::metric::{ForecastCell, ForecastScorer};
use forge_train::objective::{Objective, Predictions, Scale};
use forge_train::precision::Precision;

use super::alone::twice;
use super::bands::Bands;
use super::objective::levels;
use super::task::{observed, on_host, outputs};
use super::{FittedForecaster, Forecasts, WindowForecast};
use crate::Error;
use crate::worker::with_rows;

/// What is said of a batch on the model's scale, cell by cell `[B, H, N]`.
pub(super) struct Said {
    pub(super) point: Vec<f32>,
    /// `[B, H, N, Q]`.
    pub(super) quantiles: Vec<f32>,
    pub(super) up: Vec<f64>,
}

/// What is said of some windows, beside what happened.
pub(super) struct Judged {
    pub(super) batch: WindowBatch,
    pub(super) said: Said,
    /// On the model's scale, `[B, H, N]`.
    pub(super) target: Vec<f32>,
    /// Which of them are there.
    pub(super) present: Vec<bool>,
}

impl FittedForecaster {
    /// Quantile levels of its forecasts; none where the objective is a single number.
    #[must_use]
    pub fn levels(&self) -> Vec<f64> {
        levels(&self.objective)
    }

    /// What the networks say of a batch together, one row for each step and target.
    pub(super) fn predictions(
        &self,
        windows: &Windows,
        batch: &WindowBatch,
    ) -> Result<Predictions, ForgeError> {
        let mut input = self.plan.input(windows, batch)?;
        let alone = input.windows() == 1;
        if alone {
            input = twice(input);
        }
        let of_member = |module| {
            let width = self.objective.width();
            let forward = outputs(module, input.clone(), width, Precision::F32);
            let mut outputs: Vec<f64> = on_host(forward.y)?.into_iter().map(f64::from).collect();
            if alone {
                outputs.truncate(outputs.len() / 2);
            }
            self.objective.decode(&outputs, &[Scale::IDENTITY])
        };
        let each = with_rows(input.windows(), &self.device, || {
            let each = self.members.iter().map(of_member);
            each.collect::<Result<Vec<_>, ForgeError>>()
        })?;
        Predictions::average(&each)
    }

    /// A batch on the model's scale, with quantiles as the networks say them.
    pub(super) fn say(&self, windows: &Windows, batch: &WindowBatch) -> Result<Said, ForgeError> {
        let predictions = self.predictions(windows, batch)?;
        let narrow = |values: Vec<f64>| values.into_iter().map(|v| v as f32).collect::<Vec<_>>();
        let mut point = narrow(predictions.point());
        if let Some(mean) = &self.mean {
            mean.apply(windows, batch, &mut point);
        }
        let levels = self.levels();
        let mut quantiles = vec![0.0; point.len() * levels.len()];
        for (k, level) in levels.iter().enumerate() {
            let values = predictions.quantile(*level)?;
            for (cell, value) in quantiles.chunks_exact_mut(levels.len()).zip(values) {
                cell[k] = value as f32;
            }
        }
        let up = match predictions {
            Predictions::Directions { up, .. } => up,
            _ => Vec::new(),
        };
        Ok(Said {
            point,
            quantiles,
            up,
        })
    }

    /// The windows at places `rows` on the model's scale; none where windows have no targets.
    pub(super) fn judged(
        &self,
        windows: &Windows,
        rows: &[usize],
    ) -> Result<Option<Judged>, Error> {
        let batch = windows.batch(rows, &self.device)?;
        let Some(target) = batch.target.clone() else {
            return Ok(None);
        };
        Ok(Some(Judged {
            said: self.say(windows, &batch)?,
            target: on_host(target)?,
            present: observed(&batch)?,
            batch,
        }))
    }

    /// Forecasts of the windows at places `rows`.
    pub(super) fn forecast_some(
        &self,
        windows: &Windows,
        rows: &[usize],
        bands: &mut Bands<'_>,
    ) -> Result<Vec<WindowForecast>, Error> {
        let batch = windows.batch(rows, &self.device)?;
        let mut said = self.say(windows, &batch)?;
        bands.apply(windows, rows, &mut said.quantiles)?;
        let point = windows.restore(&batch, &said.point)?;
        let quantiles = if said.quantiles.is_empty() {
            Vec::new()
        } else {
            windows.restore(&batch, &said.quantiles)?
        };
        let actual = actual(windows, rows)?;
        let ids = windows.table().ids();
        let targets = windows.table().schema().config.targets.len();
        let cells = windows.config().horizon.count() * targets;
        let part = |values: &[f64], b: usize, size: usize| {
            let part = values.get(b * size..(b + 1) * size);
            part.unwrap_or_default().to_vec()
        };
        let forecast = |(b, row): (usize, &usize)| {
            Ok(WindowForecast {
                series: ids[batch.series[b]].clone(),
                origin: batch.times[b],
                times: windows.forecast_times(*row)?,
                point: part(&point, b, cells),
                quantiles: part(&quantiles, b, cells * self.levels().len()),
                up: part(&said.up, b, cells),
                actual: part(&actual, b, cells),
                last: part(&batch.last, b, targets),
            })
        };
        rows.iter().enumerate().map(forecast).collect()
    }

    /// Forecasts of every one of `windows`. Bands that follow what happens do so from window to window:
    /// a step counts once it lies at or before the last past step of a later window.
    ///
    /// # Errors
    /// A data error naming column, series and time of a value that cannot be taken.
    pub fn forecast(&self, windows: &Windows) -> Result<Forecasts, Error> {
        let mut forecasts = Vec::with_capacity(windows.len());
        let mut bands = self.bands();
        for rows in super::task::passes(windows) {
            forecasts.extend(self.forecast_some(windows, &rows, &mut bands)?);
        }
        Ok(Forecasts {
            targets: windows.table().schema().config.targets.clone(),
            steps: windows.config().horizon.steps().collect(),
            levels: self.levels(),
            time_unit: windows.table().schema().time_unit(),
            windows: forecasts,
        })
    }

    /// Every window of `table` whose forecast steps lie in `range`, scaled as in training; none where the range
    /// is shorter than the horizon.
    ///
    /// # Errors
    /// A data error if the table has other columns than that of the training.
    pub fn windows(&self, table: &Arc<SeriesTable>, range: &TimeRange) -> Result<Windows, Error> {
        let windows = Windows::new(table, &self.windows)?;
        Ok(windows.with_scaler(&self.scaler)?.within(range))
    }

    /// How good the forecasts of `windows` are: in the targets' own units, and on the model's scale
    /// (which the published figures of benchmarks are in). Window by window; nothing is kept.
    ///
    /// # Errors
    /// As [`forecast`](Self::forecast).
    pub fn score(&self, windows: &Windows) -> Result<ForecastScore, Error> {
        let steps: Vec<usize> = windows.config().horizon.steps().collect();
        let mut score = ForecastScore {
            own: ForecastScorer::new(steps.clone(), self.levels())?,
            scaled: ForecastScorer::new(steps.clone(), self.levels())?,
            fixed: match &self.adaptive {
                Some(_) => Some(ForecastScorer::new(steps.clone(), self.levels())?),
                None => None,
            },
        };
        let (mut bands, mut fixed_bands) = (self.bands(), self.fixed_bands());
        let table = windows.table();
        let naive = naive_errors(table, self.scaler.fitted())?;
        let n = table.schema().config.targets.len();
        let q = self.levels().len();
        for rows in super::task::passes(windows) {
            let batch = windows.batch(&rows, &self.device)?;
            let mut said = self.say(windows, &batch)?;
            let fixed = match &score.fixed {
                Some(_) => {
                    let mut quantiles = said.quantiles.clone();
                    fixed_bands.apply(windows, &rows, &mut quantiles)?;
                    windows.restore(&batch, &quantiles)?
                }
                None => Vec::new(),
            };
            bands.apply(windows, &rows, &mut said.quantiles)?;
            let lacks = || ForgeError::training("the windows have no targets to compare with");
            let target = on_host(batch.target.clone().ok_or_else(lacks)?)?;
            let present = observed(&batch)?;
            let point = windows.restore(&batch, &said.point)?;
            let wide = |values: &[f32]| values.iter().map(|v| f64::from(*v)).collect::<Vec<_>>();
            let quantiles = match q {
                0 => Vec::new(),
                _ => windows.restore(&batch, &said.quantiles)?,
            };
            let (scaled_point, scaled_quantiles) = (wide(&said.point), wide(&said.quantiles));
            let actual = actual(windows, &rows)?;
            for cell in 0..point.len() {
                if !present[cell] {
                    continue;
                }
                let (b, rest) = (cell / (steps.len() * n), cell % (steps.len() * n));
                let (step, column) = (rest / n, rest % n);
                let of = cell * q..(cell + 1) * q;
                let own = ForecastCell {
                    time: batch.times[b],
                    actual: actual[cell],
                    point: point[cell],
                    quantiles: &quantiles[of.clone()],
                    last: batch.last[b * n + column],
                    naive_error: naive[batch.series[b] * n + column],
                };
                score.own.add(step, &own);
                if let Some(scorer) = &mut score.fixed {
                    let quantiles = &fixed[of.clone()];
                    scorer.add(step, &ForecastCell { quantiles, ..own });
                }
                score.scaled.add(
                    step,
                    &ForecastCell {
                        time: batch.times[b],
                        actual: f64::from(target[cell]),
                        point: scaled_point[cell],
                        quantiles: &scaled_quantiles[of],
                        last: f64::NAN,
                        naive_error: f64::NAN,
                    },
                );
            }
        }
        Ok(score)
    }
}

/// How good forecasts are.
#[derive(Debug, Clone)]
pub struct ForecastScore {
    /// In the targets' own units.
    pub own: ForecastScorer,
    /// On the model's scale.
    pub scaled: ForecastScorer,
    /// Of bands that follow what happens: in own units, as if they had stayed.
    pub fixed: Option<ForecastScorer>,
}

impl ForecastScore {
    /// Adds what another has seen.
    ///
    /// # Panics
    /// If it is of other steps or levels.
    pub fn join(&mut self, other: &Self) {
        self.own.join(&other.own);
        self.scaled.join(&other.scaled);
        if let (Some(fixed), Some(other)) = (&mut self.fixed, &other.fixed) {
            fixed.join(other);
        }
    }
}

/// What happened in the forecast steps, `[B, H, N]` in own units, NaN where it was not observed;
/// nothing where it is still to come.
pub(crate) fn actual(windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
    let table = windows.table();
    let targets = &table.schema().config.targets;
    let steps: Vec<usize> = windows.config().horizon.steps().collect();
    let mut values = Vec::with_capacity(rows.len() * steps.len() * targets.len());
    for row in rows {
        let window = windows.window(*row);
        let columns = targets.iter().map(|name| table.column(window.series, name));
        let columns = columns.collect::<Result<Vec<_>, _>>()?;
        if window.origin + 1 >= table.observed(window.series) {
            continue;
        }
        for step in &steps {
            let at = window.origin + step;
            values.extend(
                columns
                    .iter()
                    .map(|c| c.get(at).copied().unwrap_or(f64::NAN)),
            );
        }
    }
    if values.len() < rows.len() * steps.len() * targets.len() {
        values.clear();
    }
    Ok(values)
}

/// The mean absolute change from one step to the next in training, per series and target: what MASE
/// divides by.
pub(crate) fn naive_errors(table: &SeriesTable, training: &TimeRange) -> Result<Vec<f64>, Error> {
    let mut errors = Vec::new();
    for series in 0..table.n_series() {
        for name in &table.schema().config.targets {
            let values = table.column(series, name)?;
            let times = table.times(series);
            let (mut sum, mut count, mut before) = (0.0, 0.0, f64::NAN);
            for (value, time) in values.iter().zip(times) {
                if !training.contains(*time) {
                    continue;
                }
                let change = (value - before).abs();
                if !change.is_nan() {
                    sum += change;
                    count += 1.0;
                }
                before = *value;
            }
            errors.push(sum / count);
        }
    }
    Ok(errors)
}
