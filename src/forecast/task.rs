//! Windows of series as something to train on.

use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_data::{WindowBatch, Windows};
use forge_models::{SeriesInput, SeriesModel};
use forge_nn::{ForgeError, Forward, Network, Want};
use forge_train::checkpoint::PartState;
use forge_train::metric::Scores;
use forge_train::objective::{
    LossInput, MovingNumbers, Objective, ObjectiveConfig, Predictions, Scale, Targets,
};
use forge_train::precision::Precision;
use forge_train::{StepContext, TrainTask};

use super::input::InputPlan;
use super::mean::units;
use super::teacher::Lessons;

/// Training and validation windows.
///
/// The objective has one slot, which every step of every target is a row of: so those that were not
/// observed count nothing, and a window is the mean over those that were.
pub(super) struct ForecastTask {
    pub(super) train: Windows,
    pub(super) validation: Option<Windows>,
    pub(super) plan: InputPlan,
    pub(super) objective: ObjectiveConfig,
    /// Whether the loss is of natural logarithms: what outputs and targets are multiplied by for it is
    /// each series' own.
    pub(super) in_logs: bool,
    pub(super) moving: MovingNumbers,
    /// What a teacher says of every training window.
    pub(super) teacher: Option<Lessons>,
    /// Where validation runs, without gradients.
    pub(super) device: Device,
}

/// Values of windows that one pass takes at most.
const VALUES_PER_PASS: usize = 1 << 21;

/// Windows per pass.
pub(super) fn per_pass(windows: &Windows) -> usize {
    let config = windows.config();
    let columns = &windows.table().schema().config;
    let width = columns.targets.len() + columns.past.len() + columns.known.len();
    let steps = config.lookback + config.horizon.last();
    (VALUES_PER_PASS / (steps * width).max(1)).clamp(1, 1_024)
}

/// The windows in passes.
pub(super) fn passes(windows: &Windows) -> impl Iterator<Item = Vec<usize>> + use<> {
    let (all, each) = (windows.len(), per_pass(windows));
    (0..all)
        .step_by(each)
        .map(move |start| (start..(start + each).min(all)).collect())
}

/// What a model says of each step and target of a batch, one row for each: `[B·H·N, W]`, in f32.
pub(super) fn outputs(
    module: &SeriesModel,
    input: SeriesInput,
    width: usize,
    precision: Precision,
) -> Forward {
    let input = in_precision(input, precision);
    let forward = module.run(input, Want::PREDICTIONS);
    let [batch, d_out] = forward.y.dims();
    let rows = batch * d_out / width;
    Forward {
        y: forward.y.cast(DType::F32).reshape([rows, width]),
        members: None,
        ..forward
    }
}

fn in_precision(input: SeriesInput, precision: Precision) -> SeriesInput {
    if !precision.is_half() {
        return input;
    }
    SeriesInput {
        past: precision.cast(input.past),
        past_covariates: input.past_covariates.map(|x| precision.cast(x)),
        known: input.known.map(|x| precision.cast(x)),
        fixed: input.fixed.map(|x| precision.cast(x)),
        embedding: input.embedding.map(|x| precision.cast(x)),
        ..input
    }
}

/// The targets of each step, `[B·H·N, 1]`, and what each counts, `[B·H·N]`: in a window of `n`
/// observed ones each of them `1/n`, the others nothing.
fn targets(batch: &WindowBatch) -> Result<(Tensor<2>, Tensor<1>), ForgeError> {
    let lacks = || ForgeError::training("the windows have no targets");
    let target = batch.target.clone().ok_or_else(lacks)?;
    let present = batch.target_present.clone().ok_or_else(lacks)?;
    let [windows, steps, columns] = target.dims();
    let cells = windows * steps * columns;
    let present = present.float().reshape([windows, steps * columns]);
    let count = present.clone().sum_dim(1).clamp_min(1.0);
    let weights = (present / count).reshape([cells]);
    Ok((target.reshape([cells, 1]), weights))
}

impl ForecastTask {
    /// What 1 is in natural logarithms, of each step and target of a batch, `[B·H·N]`.
    fn log_units(&self, windows: &Windows, batch: &WindowBatch) -> Vec<f32> {
        let of = |series: &usize| units(windows, *series).into_iter().map(|u| u.size as f32);
        batch.series.iter().flat_map(of).collect()
    }

    fn batch(
        &self,
        windows: &Windows,
        rows: &[usize],
        device: &Device,
    ) -> Result<WindowBatch, ForgeError> {
        windows
            .batch(rows, device)
            .map_err(|e| ForgeError::training(e.to_string()))
    }
}

impl TrainTask for ForecastTask {
    type Module = SeriesModel;

    fn n_rows(&self) -> usize {
        self.train.len()
    }

    fn loss(
        &mut self,
        module: &SeriesModel,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let batch = self.batch(&self.train, rows, at.device)?;
        let input = self.plan.input(&self.train, &batch)?;
        let mut forward = outputs(module, input, self.objective.width(), at.precision);
        let (mut target, weights) = targets(&batch)?;
        let mut teacher =
            (self.teacher.as_ref()).map(|lessons| (lessons.of(rows, at.device), lessons.how));
        if self.in_logs {
            let sizes = self.log_units(&self.train, &batch);
            let sizes = TensorData::new(sizes, target.dims());
            let sizes = Tensor::<2>::from_data(sizes, at.device);
            forward.y = forward.y.mul(sizes.clone());
            target = target.mul(sizes.clone());
            teacher = teacher.map(|(said, how)| (said.mul(sizes), how));
        }
        let input = LossInput {
            weights: Some(weights),
            teacher,
            moving: self.moving.on(at.device),
            ..LossInput::new(target)
        };
        let step = self.objective.step_loss(&forward, input);
        let weight = self.weight(rows);
        self.moving.observe(step.statistics, weight, at);
        Ok(step.loss)
    }

    fn after_step(
        &mut self,
        _: &SeriesModel,
        _: &StepContext<'_>,
    ) -> Result<Option<SeriesModel>, ForgeError> {
        self.moving.step(&self.objective);
        Ok(None)
    }

    fn observe_statistics(
        &mut self,
        module: &SeriesModel,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        let batch = self.batch(&self.train, rows, at.device)?;
        let input = self.plan.input(&self.train, &batch)?;
        let _ = module.run(input, Want::PREDICTIONS);
        Ok(())
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.moving.state()
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.moving.restore(state)
    }

    fn validate(&self, module: &SeriesModel) -> Result<Option<Scores>, ForgeError> {
        self.validate_together(std::slice::from_ref(module))
    }

    /// Scores of all observed steps and targets together, on the model's scale: of a panel each
    /// series counts alike, whatever its unit. Of a loss of logarithms they are in these.
    fn validate_together(&self, modules: &[SeriesModel]) -> Result<Option<Scores>, ForgeError> {
        let Some(validation) = &self.validation else {
            return Ok(None);
        };
        let width = self.objective.width();
        let mut actual = Vec::new();
        let mut said = vec![Vec::new(); modules.len()];
        for rows in passes(validation) {
            let batch = self.batch(validation, &rows, &self.device)?;
            let present = observed(&batch)?;
            let lacks = || ForgeError::training("the windows have no targets");
            let target = on_host(batch.target.clone().ok_or_else(lacks)?)?;
            let sizes = match self.in_logs {
                true => self.log_units(validation, &batch),
                false => vec![1.0; present.len()],
            };
            let kept = |values: &[f32], width: usize| -> Vec<f64> {
                let cells = values.chunks_exact(width).zip(present.iter().zip(&sizes));
                let cells = cells.filter(|(_, (present, _))| **present);
                cells
                    .flat_map(|(cell, (_, size))| cell.iter().map(|v| f64::from(*v * *size)))
                    .collect()
            };
            actual.extend(kept(&target, 1));
            let input = self.plan.input(validation, &batch)?;
            for (module, said) in modules.iter().zip(&mut said) {
                let forward = outputs(module, input.clone(), width, Precision::F32);
                said.extend(kept(&on_host(forward.y)?, width));
            }
        }
        let decode = |outputs: &Vec<f64>| self.objective.decode(outputs, &[Scale::IDENTITY]);
        let each = said.iter().map(decode).collect::<Result<Vec<_>, _>>()?;
        let predictions = Predictions::average(&each)?;
        let targets = Targets::new(1, actual)?;
        Ok(Some(self.objective.scores(&predictions, &targets)?))
    }
}

/// Which steps and targets of a batch were observed, `[B, H, N]`.
pub(super) fn observed(batch: &WindowBatch) -> Result<Vec<bool>, ForgeError> {
    let lacks = || ForgeError::training("the windows have no targets");
    let present = batch.target_present.clone().ok_or_else(lacks)?;
    let read = |e: &dyn std::fmt::Display| {
        ForgeError::device(format!("the targets cannot be read back: {e}"))
    };
    let present = present
        .int()
        .try_into_vec_as::<i64>()
        .map_err(|e| read(&e))?;
    Ok(present.into_iter().map(|there| there != 0).collect())
}

/// Values on the host.
pub(super) fn on_host<const D: usize>(values: Tensor<D>) -> Result<Vec<f32>, ForgeError> {
    values
        .cast(DType::F32)
        .try_into_vec_as::<f32>()
        .map_err(|e| ForgeError::device(format!("forecasts cannot be read back: {e}")))
}
