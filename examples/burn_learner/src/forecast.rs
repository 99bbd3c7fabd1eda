//! What Burn's `Learner` asks of a module: a step of training and one of validation.

use burn::module::Module;
use burn::train::{InferenceStep, RegressionOutput, TrainOutput, TrainStep};
use volatilityforge::models::{Model, TabularInput};
use volatilityforge::nn::{Network, Want};
use volatilityforge::train::objective::{Objective, Quantiles};

use crate::rows::Batch;

/// A model of ours under the loss of its quantiles.
#[derive(Module, Debug)]
pub struct Forecast {
    pub model: Model,
}

impl Forecast {
    fn outcome(&self, (x, y): Batch) -> RegressionOutput {
        let forward = self.model.run(TabularInput::numeric(x), Want::PREDICTIONS);
        let loss = Quantiles::default().loss(&forward, y.clone(), None);
        RegressionOutput::new(loss, forward.y, y)
    }
}

impl TrainStep for Forecast {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> TrainOutput<RegressionOutput> {
        let outcome = self.outcome(batch);
        TrainOutput::new(self, outcome.loss.backward(), outcome)
    }
}

impl InferenceStep for Forecast {
    type Input = Batch;
    type Output = RegressionOutput;

    fn step(&self, batch: Batch) -> RegressionOutput {
        self.outcome(batch)
    }
}
