//! Meta-learning by averages.

use burn::tensor::Tensor;
use forge_graph::Tensors;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

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
}

#[derive(Debug, Clone)]
struct Moments {
    first: Params,
    second: Params,
    steps: i32,
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
        })
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
        let mut adapted = vec![];
        for batches in tasks {
            check::at_least_one("batches of a task", batches.len())?;
            if self.config.reset_optimizer {
                self.moments = None;
            }
            let mut own = params.clone();
            for batch in batches {
                let gradient = self.loss.grad(&own, batch)?;
                own = self.descend(&own, &gradient)?;
            }
            adapted.push(own);
        }
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

    fn descend(&mut self, params: &Params, gradient: &Params) -> Result<Params, ForgeError> {
        match self.config.inner {
            InnerOptimizer::Sgd { rate } => params.add_scaled(gradient, -rate),
            InnerOptimizer::Adam {
                rate,
                beta_1,
                beta_2,
                epsilon,
            } => {
                let old = self.moments.take().unwrap_or_else(|| Moments {
                    first: params.zeros_like(),
                    second: params.zeros_like(),
                    steps: 0,
                });
                let square = gradient.map(|_, g| g.clone().mul(g));
                let new = Moments {
                    first: old.first.scale(beta_1).add_scaled(gradient, 1.0 - beta_1)?,
                    second: old.second.scale(beta_2).add_scaled(&square, 1.0 - beta_2)?,
                    steps: old.steps.saturating_add(1),
                };
                let first = new.first.scale(1.0 / (1.0 - beta_1.powi(new.steps)));
                let second = new.second.scale(1.0 / (1.0 - beta_2.powi(new.steps)));
                let step = first.zip(&second, |_, m, v| m.div(v.sqrt().add_scalar(epsilon)))?;
                self.moments = Some(new);
                params.add_scaled(&step, -rate)
            }
        }
    }
}
