//! One task of several, as something to train on.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;
use forge_train::precision::Precision;
use forge_train::rule::Gradients;
use forge_train::{StepContext, TrainTask};
use serde_json::Value;

use super::{ContinualTask, LessonStep, Stage, Strategy};
use crate::functional::Params;

/// One task of several, learned with a strategy. Its state is that of the whole and of the strategy.
pub(super) struct Lesson<'a, T: ContinualTask> {
    pub(super) whole: &'a mut T,
    pub(super) strategy: &'a mut dyn Strategy<T>,
    pub(super) stage: Stage,
    /// The rows of this task.
    pub(super) rows: Vec<usize>,
}

impl<T: ContinualTask> Lesson<'_, T> {
    fn global(&self, rows: &[usize]) -> Vec<usize> {
        rows.iter().map(|row| self.rows[*row]).collect()
    }
}

const WHOLE: &str = "whole.";
const STRATEGY: &str = "strategy.";

impl<T: ContinualTask> TrainTask for Lesson<'_, T>
where
    T::Module: Module,
{
    type Module = T::Module;

    fn n_rows(&self) -> usize {
        self.rows.len()
    }

    fn loss(
        &mut self,
        module: &T::Module,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        if at.precision == Precision::F16 && self.strategy.sees_gradients() {
            let allowed = "f32 or bf16 with a strategy that looks at gradients";
            return Err(ForgeError::config("precision", "f16", allowed));
        }
        let rows = &self.global(rows);
        let stage = &self.stage;
        let loss = self.whole.loss(module, rows, at)?;
        let step = LessonStep { stage, rows, at };
        self.strategy.loss(&step, self.whole, module, loss)
    }

    fn weight(&self, rows: &[usize]) -> f64 {
        self.whole.weight(&self.global(rows))
    }

    fn rows_interact(&self) -> bool {
        self.whole.rows_interact()
    }

    fn gradients(
        &mut self,
        module: &T::Module,
        gradients: Gradients,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Gradients, ForgeError> {
        let rows = &self.global(rows);
        let gradients = self.whole.gradients(module, gradients, rows, at)?;
        if !self.strategy.sees_gradients() {
            return Ok(gradients);
        }
        let stage = &self.stage;
        let step = LessonStep { stage, rows, at };
        let named = Params::of_gradients(module, &gradients.params);
        let changed = self.strategy.gradients(&step, self.whole, module, named)?;
        Ok(Gradients {
            params: changed.as_gradients(module)?,
            loss: gradients.loss,
        })
    }

    fn after_step(
        &mut self,
        module: &T::Module,
        at: &StepContext<'_>,
    ) -> Result<Option<T::Module>, ForgeError> {
        let other = self.whole.after_step(module, at)?;
        let current = other.as_ref().unwrap_or(module);
        match self.strategy.after_step(&self.stage, current, at)? {
            Some(weights) => weights.load_into(current.clone()).map(Some),
            None => Ok(other),
        }
    }

    fn observe_statistics(
        &mut self,
        module: &T::Module,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        let rows = self.global(rows);
        self.whole.observe_statistics(module, &rows, at)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let (whole, strategy) = (self.whole.state()?, self.strategy.state()?);
        let json = PartState::from_json(&[whole.json, strategy.json])?;
        let named = |prefix: &'static str| {
            move |(name, data): (String, _)| (format!("{prefix}{name}"), data)
        };
        let whole = whole.tensors.into_iter().map(named(WHOLE));
        let strategy = strategy.tensors.into_iter().map(named(STRATEGY));
        Ok(json.with_tensors(whole.chain(strategy).collect()))
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let [whole, strategy]: [Value; 2] = state.read_json()?;
        let (mut of_whole, mut of_strategy) = (PartState::default(), PartState::default());
        (of_whole.json, of_strategy.json) = (whole, strategy);
        for (name, data) in state.tensors {
            if let Some(name) = name.strip_prefix(WHOLE) {
                of_whole.tensors.insert(name.into(), data);
            } else if let Some(name) = name.strip_prefix(STRATEGY) {
                of_strategy.tensors.insert(name.into(), data);
            } else {
                return Err(ForgeError::weights(format!("{name} is not expected")));
            }
        }
        self.whole.restore(of_whole)?;
        self.strategy.restore(of_strategy, &self.stage.device)
    }
}
