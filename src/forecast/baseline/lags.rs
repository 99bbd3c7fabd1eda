//! Regressions on the look-back.

use std::sync::atomic::AtomicBool;

use burn::tensor::Device;
use forge_data::{TimeRange, Windows};
use forge_nn::{DeviceName, ForgeError};

use super::SeriesBaseline;
use crate::Error;
use crate::baseline::{
    BoostingBaseline, DenseColumns, FittedNumbers, NumberBaseline, RidgeBaseline,
};
use crate::forecast::task::{observed, on_host, passes};

/// For each step a regression on the last values of a target, scaled as for a network and less the
/// last one, shared by all series and targets.
///
/// Of more training rows (a window of one target each) than are taken, evenly spread ones are: 100,000 by the
/// ridge regression, whose normal equations do not grow with them, and 40,000 by boosting.
pub struct LagRegression {
    name: &'static str,
    by: Box<dyn NumberBaseline>,
    /// Lags at most.
    lags: usize,
    /// Training rows at most.
    rows: usize,
    /// Of each step.
    fitted: Vec<Box<dyn FittedNumbers>>,
}

impl std::fmt::Debug for LagRegression {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LagRegression")
            .field("by", &self.name)
            .field("lags", &self.lags)
            .finish_non_exhaustive()
    }
}

impl LagRegression {
    /// Ridge regression on up to 512 lags, without a constant: a series that stands still is forecast to.
    /// (With one, the drift of the training steps would be carried on.)
    #[must_use]
    pub fn ridge() -> Self {
        let ridge = RidgeBaseline {
            intercept: false,
            ..RidgeBaseline::default()
        };
        Self::new("ridge", Box::new(ridge), 512, 100_000)
    }

    /// Gradient boosting on up to 64 lags.
    #[must_use]
    pub fn boosting() -> Self {
        Self::new(
            "boosting",
            Box::new(BoostingBaseline::default()),
            64,
            40_000,
        )
    }

    fn new(name: &'static str, by: Box<dyn NumberBaseline>, lags: usize, rows: usize) -> Self {
        Self {
            name,
            by,
            lags,
            rows,
            fitted: Vec::new(),
        }
    }

    /// Lags of each target of a batch, less the last, `[B·N, lags]`, and what was taken off,
    /// `[B·N]`.
    fn features(&self, past: &[f32], [steps, columns]: [usize; 2]) -> (Vec<f32>, Vec<f32>) {
        let width = self.lags.min(steps);
        let windows = past.len() / (steps * columns);
        let mut features = Vec::with_capacity(windows * columns * width);
        let mut last = Vec::with_capacity(windows * columns);
        for window in past.chunks_exact(steps * columns) {
            for column in 0..columns {
                let at = |step: usize| window[step * columns + column];
                last.push(at(steps - 1));
                features.extend((steps - width..steps).map(|step| at(step) - at(steps - 1)));
            }
        }
        (features, last)
    }
}

impl SeriesBaseline for LagRegression {
    fn name(&self) -> &'static str {
        self.name
    }

    fn fit(&mut self, train: &Windows, _: &TimeRange) -> Result<(), Error> {
        let device = host()?;
        let columns = train.table().schema().config.targets.len();
        let (lookback, horizon) = (train.config().lookback, train.config().horizon.count());
        let every = (train.len() * columns).div_ceil(self.rows);
        let width = self.lags.min(lookback);
        let mut kept = Vec::new();
        let mut targets = vec![Vec::new(); horizon];
        for rows in passes(train) {
            let rows: Vec<usize> = rows.into_iter().filter(|row| row % every == 0).collect();
            if rows.is_empty() {
                continue;
            }
            let batch = train.batch(&rows, &device)?;
            let present = observed(&batch)?;
            let lacks = || ForgeError::training("the windows have no targets");
            let target = on_host(batch.target.clone().ok_or_else(lacks)?)?;
            let (features, last) = self.features(&on_host(batch.past)?, [lookback, columns]);
            for (row, last) in last.iter().enumerate() {
                let (window, column) = (row / columns, row % columns);
                let cell = |h: usize| (window * horizon + h) * columns + column;
                // One matrix serves all steps: a row without one of them is left out.
                if !(0..horizon).all(|h| present[cell(h)]) {
                    continue;
                }
                let of_row = row * width..(row + 1) * width;
                kept.extend_from_slice(&features[of_row]);
                for (h, targets) in targets.iter_mut().enumerate() {
                    targets.push(f64::from(target[cell(h)] - last));
                }
            }
        }
        let train = DenseColumns::from_row_major(&kept, width);
        let never = AtomicBool::new(false);
        self.fitted = self.by.fit_each(&train, &targets, None, &never)?;
        Ok(())
    }

    fn forecast(&self, windows: &Windows, rows: &[usize]) -> Result<Vec<f64>, Error> {
        let batch = windows.batch(rows, &host()?)?;
        let columns = windows.table().schema().config.targets.len();
        let (lookback, horizon) = (windows.config().lookback, windows.config().horizon.count());
        let (features, last) = self.features(&on_host(batch.past.clone())?, [lookback, columns]);
        if self.fitted.len() != horizon {
            let what = format!(
                "{}: it forecasts what it was fitted to, so fit it first",
                self.name
            );
            return Err(ForgeError::training(what).into());
        }
        let test = DenseColumns::from_row_major(&features, self.lags.min(lookback));
        let mut scaled = vec![0.0; last.len() * horizon];
        for (h, fitted) in self.fitted.iter().enumerate() {
            for (row, value) in fitted.predict(&test).into_iter().enumerate() {
                let (window, column) = (row / columns, row % columns);
                scaled[(window * horizon + h) * columns + column] = value as f32 + last[row];
            }
        }
        Ok(windows.restore(&batch, &scaled)?)
    }
}

fn host() -> Result<Device, ForgeError> {
    DeviceName::Flex.open()
}
