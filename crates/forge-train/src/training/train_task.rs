//! What the trainer needs to know of a problem.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::rule::Gradients;
use super::sampler::{KeyOf, RowKeys};
use super::{ParameterGroup, Phase, StepContext};
use crate::checkpoint::PartState;
use crate::metric::Scores;

/// A problem to train on: rows in, scalar loss out.
///
/// The trainer never sees a row; it deals in row numbers. So a task holds its table, its loss and
/// its validation set as it likes. Only [`n_rows`](Self::n_rows) and [`loss`](Self::loss) have to
/// be written. `Send`, since the trainer runs on one of the threads that compute
/// ([`on_worker`](forge_nn::on_worker)).
pub trait TrainTask: Send {
    /// What is trained. Several modules are one: a tuple, or a struct that derives `Module`.
    type Module: Module + 'static;

    /// Training rows. They are numbered from 0.
    fn n_rows(&self) -> usize;

    /// The mean loss over `rows`, on the graph of `module`'s parameters.
    ///
    /// Rows come in the sampler's order; there are at least 2 unless the set has one row or the
    /// batch size is 1. The result may depend on `module`, `rows`, `at`, what
    /// [`state`](Self::state) saves, and Burn's random numbers, which are seeded anew before every
    /// step; anything else breaks exact resumption.
    ///
    /// Make inputs on `at.device`: batch normalisation looks at its input's device to tell
    /// training from inference.
    ///
    /// # Shapes
    /// - output: `[1]`
    ///
    /// # Errors
    /// What the task finds wrong with the rows; it ends the run.
    fn loss(
        &mut self,
        module: &Self::Module,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError>;

    /// The weight of `rows` in a mean over more: what [`loss`](Self::loss) divides by. The loss of
    /// a batch that is computed in parts, and of an epoch, is the mean with these weights. A
    /// weighted loss gives the sum of the rows' weights. Above 0; default their number.
    fn weight(&self, rows: &[usize]) -> f64 {
        rows.len() as f64
    }

    /// One value per training row that a sampler of the config goes by. Default: none, which such a
    /// sampler is refused with.
    ///
    /// # Errors
    /// A config error for what the task does not know; it ends the run before its first step.
    fn row_keys(&self, by: &KeyOf) -> Result<RowKeys, ForgeError> {
        let allowed = "what the task knows of its rows, and it says nothing of them: set another \
                       sampler, or write the task's `row_keys`";
        Err(ForgeError::config("sampler.by", format!("{by:?}"), allowed))
    }

    /// Whether the loss of a row depends on which others come with it (neighbours, contrastive
    /// losses). Such a batch cannot be computed in parts. Default false.
    fn rows_interact(&self) -> bool {
        false
    }

    /// Validation scores of `module`, the first deciding; absent where the task has no validation
    /// set.
    ///
    /// `module` is in inference mode (`valid()`), and is an averaged one when averaging is on.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn validate(&self, module: &Self::Module) -> Result<Option<Scores>, ForgeError> {
        let _ = module;
        Ok(None)
    }

    /// Validation scores of several modules whose predictions are averaged: a snapshot ensemble.
    /// Absent (the default) where the task cannot average predictions; the modules are then kept
    /// unless single weights were validated.
    ///
    /// The modules are in inference mode.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn validate_together(&self, modules: &[Self::Module]) -> Result<Option<Scores>, ForgeError> {
        let _ = modules;
        Ok(None)
    }

    /// Which parameters move, by which optimiser. Default: all, by that of the run.
    fn groups(&self) -> Vec<ParameterGroup> {
        vec![ParameterGroup::all()]
    }

    /// The phases of a step, in their order: each has a loss of its own and the groups that move
    /// by it. Default: one, which moves all.
    ///
    /// ```
    /// use forge_train::{Phase, StepContext};
    ///
    /// // A generator that moves at every second step.
    /// fn phases(at: &StepContext<'_>) -> Vec<Phase> {
    ///     let mut phases = vec![Phase::of("judge", ["discriminator"])];
    ///     if at.step % 2 == 1 {
    ///         phases.push(Phase::of("forge", ["generator"]));
    ///     }
    ///     phases
    /// }
    /// ```
    fn phases(&self, at: &StepContext<'_>) -> Vec<Phase> {
        let _ = at;
        vec![Phase::whole()]
    }

    /// Called with the gradients of each phase over `rows`, of all its parts together, before any
    /// rule sees them: gradients to go on with. Default: as they are.
    ///
    /// With `at.precision` f16 they are those of the scaled loss. With SAM they are those where the
    /// loss is worst nearby. The result may depend on what [`loss`](Self::loss) may depend on.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn gradients(
        &mut self,
        module: &Self::Module,
        gradients: Gradients,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Gradients, ForgeError> {
        let _ = (module, rows, at);
        Ok(gradients)
    }

    /// Called after a step that moved weights, before the averages take them in: a module to go on
    /// with instead, if it should be another (clamped weights, a teacher that follows). Parameters
    /// keep their ids.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn after_step(
        &mut self,
        module: &Self::Module,
        at: &StepContext<'_>,
    ) -> Result<Option<Self::Module>, ForgeError> {
        let _ = (module, at);
        Ok(None)
    }

    /// Runs `module` forward over `rows` in training mode, for its batch statistics alone; asked
    /// for after averaging weights. Default: computes the loss and forgets it.
    ///
    /// # Errors
    /// What the task finds wrong; it ends the run.
    fn observe_statistics(
        &mut self,
        module: &Self::Module,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        self.loss(module, rows, at).map(drop)
    }

    /// What the task remembers from one step to the next: section `task` of a checkpoint. Default:
    /// nothing.
    ///
    /// # Errors
    /// If a tensor cannot be read back.
    fn state(&self) -> Result<PartState, ForgeError> {
        Ok(PartState::default())
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// If the state does not fit.
    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        state.into_nothing()
    }
}
