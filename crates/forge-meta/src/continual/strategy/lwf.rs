//! Learning without forgetting.

use std::collections::BTreeMap;

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;
use forge_train::loss::{binary_softened_divergence, softened_divergence};

use super::{LessonStep, Stage, Strategy};
use crate::continual::{ContinualTask, Says};

/// Rows that are asked about at once.
const BATCH: usize = 512;

/// What the module said of the new task's rows before it learned it goes on to count: `λ` times the
/// distance to it is added to the loss. Li & Hoiem, arXiv 1606.09282, eq. 1; of numbers, the squared
/// distance.
///
/// The responses are recorded once per task, as in the paper, so that no second network is kept.
#[derive(Debug)]
pub(super) struct WithoutForgetting {
    pub(super) weight: f64,
    pub(super) temperature: f64,
    /// By head, then by place in the task's rows: `[N, C]`.
    pub(super) said: Vec<Tensor<2>>,
    /// The place of each row.
    pub(super) places: BTreeMap<usize, usize>,
}

impl WithoutForgetting {
    fn divergence(&self, says: Says, now: Tensor<2>, before: Tensor<2>) -> Tensor<1> {
        match says {
            Says::Classes => softened_divergence(now, before, self.temperature).mean(),
            Says::YesOrNo => binary_softened_divergence(now, before, self.temperature).mean(),
            Says::Numbers => now.sub(before).square().mean(),
        }
    }
}

impl<T: ContinualTask> Strategy<T> for WithoutForgetting {
    fn begin(
        &mut self,
        stage: &Stage,
        task: &mut T,
        module: &T::Module,
    ) -> Result<Option<T::Module>, ForgeError> {
        let rows = task.task_rows()[stage.task].clone();
        self.places = rows.iter().copied().zip(0..).collect();
        let heads = match (stage.task, task.has_heads()) {
            (0, _) => 0,
            (_, false) => 1,
            (earlier, true) => earlier,
        };
        let module = module.valid();
        let said = (0..heads).map(|head| {
            let parts = rows.chunks(BATCH);
            let parts = parts.map(|rows| task.outputs(&module, rows, head));
            Ok(Tensor::cat(
                parts.collect::<Result<Vec<_>, ForgeError>>()?,
                0,
            ))
        });
        self.said = said.collect::<Result<_, ForgeError>>()?;
        Ok(None)
    }

    fn loss(
        &mut self,
        step: &LessonStep<'_>,
        task: &mut T,
        module: &T::Module,
        loss: Tensor<1>,
    ) -> Result<Tensor<1>, ForgeError> {
        let mut loss = loss;
        let places: Option<Vec<i64>> = step
            .rows
            .iter()
            .map(|row| self.places.get(row).map(|place| *place as i64))
            .collect();
        let unknown = || ForgeError::training("lwf: a row that is not of the task");
        let places = places.ok_or_else(unknown)?;
        for (head, said) in self.said.iter().enumerate() {
            let data = TensorData::new(places.clone(), [places.len()]);
            let before = said
                .clone()
                .select(0, Tensor::from_data(data, &said.device()));
            let before = Tensor::from_inner(before);
            let now = task.outputs(module, step.rows, head)?;
            let before = before.cast(now.dtype());
            let distance = self.divergence(task.says(), now, before) * self.weight;
            loss = loss.clone() + distance.cast(loss.dtype());
        }
        Ok(loss)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let places: Vec<(usize, usize)> = self.places.clone().into_iter().collect();
        let said = self.said.iter().enumerate();
        let said = said.map(|(head, said)| (format!("{head:06}"), said.clone().into_data()));
        Ok(PartState::from_json(&places)?.with_tensors(said.collect()))
    }

    fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let places: Vec<(usize, usize)> = state.read_json()?;
        self.places = places.into_iter().collect();
        let device = device.clone().inner();
        let said = state.tensors.into_values().map(|data| {
            let dtype = data.dtype();
            match data.shape().num_dims() {
                2 => Ok(Tensor::from_data(data, (&device, dtype))),
                rank => Err(ForgeError::shape(
                    "responses",
                    format!("rank {rank}"),
                    "rank 2",
                )),
            }
        });
        self.said = said.collect::<Result<_, _>>()?;
        Ok(())
    }
}
