//! A forecaster to learn from.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::{WindowConfig, Windows};
use forge_nn::ForgeError;
use forge_train::loss::Distillation;
use forge_train::objective::{Objective, ObjectiveConfig, Scale};

use super::FittedForecaster;
use super::task::passes;
use crate::Error;

/// A trained forecaster that another one learns from, and how.
///
/// It may be of any architecture, with a shorter look-back and fewer or more quantiles; it forecasts
/// the same steps of the same series, and scales its targets alike: fitted to the same steps with the
/// same scaler.
#[derive(Debug, Clone, Copy)]
pub struct ForecastTeacher<'a> {
    /// Who teaches: asked once for every training window, before the first step, for the quantiles
    /// that its networks say (those before calibration).
    pub model: &'a FittedForecaster,
    /// Its part in the loss.
    pub how: Distillation,
}

impl<'a> From<&'a FittedForecaster> for ForecastTeacher<'a> {
    fn from(model: &'a FittedForecaster) -> Self {
        Self {
            model,
            how: Distillation::default(),
        }
    }
}

/// What a teacher says of the training windows.
#[derive(Debug)]
pub(super) struct Lessons {
    /// Window by window, one row for each step and target, on the student's scale.
    pub(super) values: Vec<f32>,
    /// Numbers of a window, and of a step and target.
    size: [usize; 2],
    pub(super) how: Distillation,
}

impl ForecastTeacher<'_> {
    /// What it says of `train`, for a student with this objective.
    pub(super) fn lessons(
        &self,
        train: &Windows,
        objective: &ObjectiveConfig,
    ) -> Result<Lessons, Error> {
        self.how.validate()?;
        self.check(train)?;
        let of = self.model;
        let mut config = of.windows.clone();
        config.stride = 1;
        let windows = Windows::new(train.table(), &config)?.with_scaler(&of.scaler)?;
        let place = |windows: &Windows, row: usize| {
            let place = windows.window(row);
            (place.series, place.origin)
        };
        let known: HashMap<(usize, usize), usize> = (0..windows.len())
            .map(|row| (place(&windows, row), row))
            .collect();
        let cells = config.horizon.count() * train.table().schema().config.targets.len();
        let (mut values, mut width) = (Vec::new(), 1);
        for rows in passes(train) {
            let each = rows.iter().map(|row| {
                let found = known.get(&place(train, *row)).copied();
                found.ok_or_else(|| {
                    let id = &train.table().ids()[train.window(*row).series];
                    let what = format!("a training window of series '{id}' is none of its own");
                    ForgeError::training(format!("the teacher cannot teach: {what}"))
                })
            });
            let rows = each.collect::<Result<Vec<usize>, ForgeError>>()?;
            let batch = windows.batch(&rows, &of.device)?;
            let said = of.predictions(&windows, &batch)?;
            let said = objective.teacher_values(&said, &[Scale::IDENTITY])?;
            width = said.len() / (rows.len() * cells);
            values.extend(said.into_iter().map(|value| value as f32));
        }
        Ok(Lessons {
            values,
            size: [cells * width, width],
            how: self.how,
        })
    }

    fn check(&self, train: &Windows) -> Result<(), Error> {
        let (of, config) = (self.model, train.config());
        let refuse = |field: &str, found: String, allowed: String| {
            Err(ForgeError::config(field, found, allowed).into())
        };
        let (found, wanted) = (&of.schema.config, &train.table().schema().config);
        if found.targets != wanted.targets {
            let allowed = format!("a forecaster of {}", wanted.targets.join(", "));
            return refuse("teacher.targets", found.targets.join(", "), allowed);
        }
        if found != wanted {
            let allowed = "series of the same columns and settings as the student's";
            return refuse("teacher.series", "others".into(), allowed.into());
        }
        let steps = |config: &WindowConfig| -> Vec<usize> { config.horizon.steps().collect() };
        if steps(&of.windows) != steps(config) {
            let allowed = format!("the steps {:?}", steps(config));
            return refuse(
                "teacher.horizon",
                format!("{:?}", steps(&of.windows)),
                allowed,
            );
        }
        let least = |config: &WindowConfig| config.min_lookback.unwrap_or(config.lookback);
        if least(&of.windows) > least(config) {
            let allowed = format!("at most the student's, {}", least(config));
            return refuse("teacher.lookback", least(&of.windows).to_string(), allowed);
        }
        let n = wanted.targets.len();
        let same = train
            .scaler()
            .is_some_and(|own| own.columns()[..n] == of.scaler.columns()[..n]);
        if !same {
            let allowed = "fitted to the same training steps with the same scaler, so that its targets \
                           are on the student's scale";
            return refuse("teacher.scaler", "another".into(), allowed.into());
        }
        Ok(())
    }
}

impl Lessons {
    /// Of some training windows, `[B·H·N, ·]`.
    pub(super) fn of(&self, rows: &[usize], device: &Device) -> Tensor<2> {
        let [window, width] = self.size;
        let values = rows
            .iter()
            .flat_map(|row| &self.values[row * window..(row + 1) * window]);
        let values: Vec<f32> = values.copied().collect();
        let shape = [values.len() / width, width];
        Tensor::from_data(TensorData::new(values, shape), device)
    }
}
