//! Numbers of a loss that move with the run.

use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::ForgeError;

use super::Objective;
use crate::StepContext;
use crate::checkpoint::PartState;

/// The tensor's name in a checkpoint.
const NAME: &str = "moving";

/// The [moving numbers](Objective::moving) of a loss in a run, for who writes a
/// [`TrainTask`](crate::TrainTask): given to the loss, taken in by [`observe`](Self::observe), moved
/// after the step, and part of the task's state.
///
/// A batch computed in parts moves them once, by the mean of its parts.
#[derive(Debug, Default)]
pub struct MovingNumbers {
    now: Option<Tensor<1>>,
    /// Sum of the parts' means times their weights, and of the weights, since step `step`.
    seen: Option<(Tensor<1>, f64)>,
    step: u64,
}

impl MovingNumbers {
    /// As they start.
    #[must_use]
    pub fn of(objective: &impl Objective, device: &Device) -> Self {
        let start = objective.moving();
        let now = (!start.is_empty()).then(|| {
            let data = TensorData::new(start.clone(), [start.len()]);
            Tensor::from_data(data, (&device.clone().inner(), DType::F32))
        });
        Self {
            now,
            ..Self::default()
        }
    }

    /// What to give the loss.
    #[must_use]
    pub fn on(&self, device: &Device) -> Option<Tensor<1>> {
        let now = self.now.clone()?;
        Some(now.to_device(&device.clone().inner()))
    }

    /// Takes in what a part of a batch gave, of this weight in the batch.
    pub fn observe(&mut self, statistics: Option<Tensor<1>>, weight: f64, at: &StepContext<'_>) {
        let (Some(now), Some(statistics)) = (&self.now, statistics) else {
            return;
        };
        if self.step != at.step {
            // A step that was skipped moves nothing.
            (self.seen, self.step) = (None, at.step);
        }
        let part = statistics.inner().cast(now.dtype()).mul_scalar(weight);
        let part = part.to_device(&now.device());
        self.seen = Some(match self.seen.take() {
            None => (part, weight),
            Some((sum, total)) => (sum.add(part), total + weight),
        });
    }

    /// Moves them, after a step that moved weights.
    pub fn step(&mut self, objective: &impl Objective) {
        if let (Some(now), Some((sum, weight))) = (self.now.take(), self.seen.take()) {
            self.now = Some(objective.moved(now, sum.mul_scalar(1.0 / weight)));
        }
    }

    /// What they are now; empty where there are none.
    ///
    /// # Errors
    /// A device error if they cannot be read back.
    pub fn values(&self) -> Result<Vec<f64>, ForgeError> {
        let Some(now) = &self.now else {
            return Ok(Vec::new());
        };
        let cannot = |e: &dyn std::fmt::Display| {
            ForgeError::device(format!("numbers of the loss cannot be read back: {e}"))
        };
        let data = now.clone().try_into_data_dtype(DType::F64);
        let data = data.map_err(|e| cannot(&e))?;
        data.try_into_vec().map_err(|e| cannot(&e))
    }

    /// For a checkpoint.
    ///
    /// # Errors
    /// A device error if they cannot be read back.
    pub fn state(&self) -> Result<PartState, ForgeError> {
        let mut state = PartState::default();
        let values = self.values()?;
        if !values.is_empty() {
            let n = values.len();
            let data = TensorData::new(values, [n]).convert_dtype(DType::F32);
            state.tensors.insert(NAME.into(), data);
        }
        Ok(state)
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// If the state is of another loss.
    pub fn restore(&mut self, mut state: PartState) -> Result<(), ForgeError> {
        if let Some(now) = &self.now {
            let found = state.tensors.remove(NAME);
            let expected = now.dims();
            let fits = |data: &TensorData| data.shape().to_vec() == expected;
            let Some(data) = found.filter(fits) else {
                let what = "a checkpoint without the numbers of this loss";
                return Err(ForgeError::weights(what));
            };
            self.now = Some(Tensor::from_data(data, (&now.device(), DType::F32)));
        }
        state.into_nothing()
    }
}
