//! Meta-learning by averages.

use burn::tensor::Tensor;
use forge_graph::Tensors;
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use serde::{Deserialize, Serialize};

use super::inner_adam::Moments;
use crate::functional::{Functional, Params};

/// What trains within a task.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum InnerOptimizer {
    /// Plain gradient descent.
    Sgd {
        /// The step size, above 0.
        rate: f64,
    },
    /// Adam (arXiv 1412.6980), `ε` added after the bias correction.
    Adam {
        /// The step size, above 0.
        rate: f64,
        /// Decay of the first moment, in `0.0..1.0`; 0 in the authors' code.
        beta_1: f64,
        /// Decay of the second moment, in `0.0..1.0`.
        beta_2: f64,
        /// Added to the root, above 0.
        epsilon: f64,
    },
}

impl InnerOptimizer {
    fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Sgd { rate } => check::positive("rate", *rate),
            Self::Adam {
                rate,
                beta_1,
                beta_2,
                epsilon,
            } => {
                check::positive("rate", *rate)?;
                check::in_range("beta_1", *beta_1, 0.0..1.0)?;
                check::in_range("beta_2", *beta_2, 0.0..1.0)?;
                check::positive("epsilon", *epsilon)
            }
        }
    }

    fn descend(
        &self,
        params: &Params,
        gradient: &Params,
        moments: &mut Option<Moments>,
    ) -> Result<Params, ForgeError> {
        match *self {
            Self::Sgd { rate } => params.add_scaled(gradient, -rate),
            Self::Adam {
                rate,
                beta_1,
                beta_2,
                epsilon,
            } => {
                let new = Moments::next(moments.take(), gradient, [beta_1, beta_2])?;
                let step = new.step([beta_1, beta_2], epsilon)?;
                *moments = Some(new);
                params.add_scaled(&step, -rate)
            }
        }
    }
}

/// How a [`Reptile`] trains.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ReptileConfig {
    /// What trains within a task. Default: Adam with rate 0.001, `β₁` 0, `β₂` 0.999, `ε` 1e-8.
    pub inner: InnerOptimizer,
    /// How far the parameters go towards the mean of the adapted ones, in `0.0..=1.0`. Default: 1.
    pub outer_step: f64,
    /// Whether the moments of Adam start anew in each task. The authors' code carries them from
    /// task to task. Default: no.
    pub reset_optimizer: bool,
}

impl Default for ReptileConfig {
    fn default() -> Self {
        Self {
            inner: InnerOptimizer::Adam {
                rate: 1e-3,
                beta_1: 0.0,
                beta_2: 0.999,
                epsilon: 1e-8,
            },
            outer_step: 1.0,
            reset_optimizer: false,
        }
    }
}

impl ReptileConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        self.inner.validate()?;
        check::in_range("outer_step", self.outer_step, 0.0..=1.0)
    }
}

/// Reptile: trains on each task from the same parameters `θ` and goes towards the mean of what comes
/// out, `θ + ε (mean φᵢ - θ)`.
///
/// Nichol, Achiam & Schulman, arXiv 1803.02999, algorithm 2. One batch per inner step.
#[derive(Debug)]
pub struct Reptile<I> {
    config: ReptileConfig,
    loss: Functional<I, Tensor<1>>,
    moments: Option<Moments>,
    /// Of a checkpoint, until a step says on which device they go on.
    restored: Option<PartState>,
}

/// What one batch of tasks gives.
#[derive(Debug, Clone)]
pub struct ReptileStep {
    /// The parameters after training on each task.
    pub adapted: Vec<Params>,
    /// The new parameters.
    pub params: Params,
}

impl<I: Tensors + Clone + 'static> Reptile<I> {
    /// Of a loss, the mean over the samples of a batch.
    ///
    /// # Errors
    /// As [`ReptileConfig::validate`].
    pub fn new(config: ReptileConfig, loss: Functional<I, Tensor<1>>) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            loss,
            moments: None,
            restored: None,
        })
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> &ReptileConfig {
        &self.config
    }

    /// The loss.
    #[must_use]
    pub fn loss(&self) -> &Functional<I, Tensor<1>> {
        &self.loss
    }

    /// The parameters after one inner step per batch, with moments of Adam that start anew: how a task is
    /// learned once training is over.
    ///
    /// # Errors
    /// A config error without a batch; else as [`Functional::grad`].
    pub fn adapt(
        &self,
        params: &Params,
        batches: impl IntoIterator<Item = I>,
    ) -> Result<Params, ForgeError> {
        let batches: Vec<I> = batches.into_iter().collect();
        self.inner_loop(&params.detach(), batches, &mut None)
    }

    /// Trains on each of `tasks` from `params`, one step per batch, and goes towards the mean.
    ///
    /// # Errors
    /// A config error if there is no task, or one without a batch; else as [`Functional::grad`].
    pub fn step(
        &mut self,
        params: &Params,
        tasks: impl IntoIterator<Item = Vec<I>>,
    ) -> Result<ReptileStep, ForgeError> {
        let params = params.detach();
        let mut moments = self.take_moments(&params)?;
        let mut adapted = vec![];
        for batches in tasks {
            if self.config.reset_optimizer {
                moments = None;
            }
            adapted.push(self.inner_loop(&params, batches, &mut moments)?);
        }
        self.moments = moments;
        let Some((first, others)) = adapted.split_first() else {
            return Err(ForgeError::config("tasks", 0, "at least 1 task"));
        };
        let mut mean = first.clone();
        for own in others {
            mean = mean.add_scaled(own, 1.0)?;
        }
        let mean = mean.scale(1.0 / adapted.len() as f64);
        let way = mean.add_scaled(&params, -1.0)?;
        Ok(ReptileStep {
            params: params.add_scaled(&way, self.config.outer_step)?,
            adapted,
        })
    }

    fn inner_loop(
        &self,
        params: &Params,
        batches: Vec<I>,
        moments: &mut Option<Moments>,
    ) -> Result<Params, ForgeError> {
        check::at_least_one("batches of a task", batches.len())?;
        let mut own = params.clone();
        for batch in batches {
            let gradient = self.loss.grad(&own, batch)?;
            own = self.config.inner.descend(&own, &gradient, moments)?;
        }
        Ok(own)
    }

    /// The moments so far, on the device of `params`.
    fn take_moments(&mut self, params: &Params) -> Result<Option<Moments>, ForgeError> {
        match self.restored.take() {
            Some(state) => Moments::restored(state, params),
            None => Ok(self.moments.take()),
        }
    }

    /// What it remembers: the moments of Adam.
    ///
    /// # Errors
    /// A training error if it cannot be written.
    pub fn state(&self) -> Result<PartState, ForgeError> {
        match (&self.restored, &self.moments) {
            (Some(state), _) => Ok(state.clone()),
            (None, Some(moments)) => moments.state(),
            (None, None) => Ok(PartState::default()),
        }
    }

    /// Goes on from what [`state`](Self::state) gave, at the next step, which finds what does not fit.
    ///
    /// # Errors
    /// A weights error for a state of something else.
    pub fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        let begun = state != PartState::default();
        if begun {
            Moments::check(&state)?;
        }
        self.moments = None;
        self.restored = begun.then_some(state);
        Ok(())
    }
}
