//! Elastic weight consolidation.

use burn::tensor::Device;
use forge_nn::{ForgeError, Mode, set_mode};
use forge_train::StepContext;
use forge_train::checkpoint::PartState;

use super::{LessonStep, Stage, Strategy, gradient_of, with_penalty};
use crate::continual::row_memory::seeded;
use crate::continual::{ContinualTask, Ewc};
use crate::functional::Params;
use rand::seq::SliceRandom;

/// The gradient of the penalty is added to that of the loss.
#[derive(Debug)]
pub(super) struct Elastic {
    pub(super) ewc: Ewc,
    /// Rows that the Fisher information is the mean over.
    pub(super) fisher_rows: usize,
}

impl<T: ContinualTask> Strategy<T> for Elastic {
    fn sees_gradients(&self) -> bool {
        true
    }

    fn gradients(
        &mut self,
        _: &LessonStep<'_>,
        _: &mut T,
        module: &T::Module,
        gradients: Params,
    ) -> Result<Params, ForgeError> {
        with_penalty(&gradients, self.ewc.penalty_gradient(&Params::of(module))?)
    }

    fn end(&mut self, stage: &Stage, task: &mut T, module: &T::Module) -> Result<(), ForgeError> {
        let mut rows = task.task_rows()[stage.task].clone();
        let mut rng = seeded(stage.seed, [stage.task as u64, 1]);
        let rows = rows.partial_shuffle(&mut rng, self.fisher_rows).0;
        let at = StepContext::new(&stage.device);
        let optimum = Params::of(module);
        // As it predicts: a batch norm has no statistics of one row, and would take what it sees here for its own.
        let evaluated = set_mode(module.clone(), Mode::Evaluate);
        let mut fisher = optimum.zeros_like();
        for row in &*rows {
            // Row by row: the square of a mean gradient is near 0 at an optimum.
            let one = gradient_of(task, &evaluated, &[*row], &at)?;
            let square = one.map(|_, g| g.clone().mul(g));
            fisher = fisher.add_scaled(&square, 1.0 / rows.len() as f64)?;
        }
        self.ewc.consolidate(&fisher, &optimum)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        self.ewc.state()
    }

    fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        self.ewc.restore(state, device)
    }
}
