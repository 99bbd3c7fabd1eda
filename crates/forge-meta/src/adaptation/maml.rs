//! Model-agnostic meta-learning.

use burn::tensor::Tensor;
use forge_graph::Tensors;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::Task;
use crate::functional::{Functional, Params};

/// How the meta-gradient is taken.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Exactly, through the inner steps.
    #[default]
    Second,
    /// As if the inner gradients were constants (first-order MAML): cheaper, and biased.
    First,
}

/// How a [`Maml`] adapts.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MamlConfig {
    /// `α`, the step size within a task, above 0; where rates are learned, what they start at.
    /// Default: 0.01.
    pub inner_rate: f64,
    /// Gradient steps within a task, at least 1. Default: 1.
    pub inner_steps: usize,
    /// How the meta-gradient is taken. Default: exactly.
    pub order: Order,
    /// Whether each element of each parameter has a step size of its own, learned with the
    /// parameters (Meta-SGD, arXiv 1707.09835). Default: no.
    pub learn_rates: bool,
    /// Beginnings of the names of the parameters that are adapted; all if empty. The head alone is
    /// ANIL (arXiv 1909.09157). Default: all.
    pub adapt: Vec<String>,
}

impl Default for MamlConfig {
    fn default() -> Self {
        Self {
            inner_rate: 0.01,
            inner_steps: 1,
            order: Order::Second,
            learn_rates: false,
            adapt: vec![],
        }
    }
}

impl MamlConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::positive("inner_rate", self.inner_rate)?;
        check::at_least_one("inner_steps", self.inner_steps)
    }
}

/// Model-agnostic meta-learning: parameters `θ` from which a few gradient steps on the samples of a
/// new task lead to a low loss on further samples of it.
///
/// `θ' = θ - α ∇L_support(θ)`, so many times, and the meta-loss is the mean over tasks of
/// `L_query(θ')` after the last step. Finn, Abbeel & Levine, arXiv 1703.03400, algorithm 1; the
/// loss after the last step alone counts, as in the authors' code.
///
/// What is adapted is any function of any module: see [`Functional`].
#[derive(Debug)]
pub struct Maml<I> {
    config: MamlConfig,
    loss: Functional<I, Tensor<1>>,
}

/// What one batch of tasks says.
#[derive(Debug, Clone)]
pub struct MetaGradient {
    /// The mean of `L_query(θ')` over the tasks.
    pub loss: f64,
    /// `L_query(θ')` of each task.
    pub losses: Vec<f64>,
    /// The gradient of the mean for the parameters.
    pub gradient: Params,
    /// The gradient of the mean for the step sizes, where they are learned.
    pub rates: Option<Params>,
}

impl<I: Tensors + Clone + 'static> Maml<I> {
    /// Of a loss, the mean over the samples of a batch.
    ///
    /// # Errors
    /// As [`MamlConfig::validate`].
    pub fn new(config: MamlConfig, loss: Functional<I, Tensor<1>>) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self { config, loss })
    }

    /// The config.
    #[must_use]
    pub fn config(&self) -> &MamlConfig {
        &self.config
    }

    /// The loss.
    #[must_use]
    pub fn loss(&self) -> &Functional<I, Tensor<1>> {
        &self.loss
    }

    /// Step sizes to start with: the config's for all elements of all parameters that are adapted,
    /// 0 for the others.
    ///
    /// # Errors
    /// A config error if a name in `adapt` is the beginning of no parameter's.
    pub fn rates(&self, params: &Params) -> Result<Params, ForgeError> {
        let unknown = self
            .config
            .adapt
            .iter()
            .find(|start| !params.names().any(|name| name.starts_with(start.as_str())));
        if let Some(unknown) = unknown {
            let names: Vec<_> = params.names().collect();
            let allowed = format!("the beginning of one of {}", names.join(", "));
            return Err(ForgeError::config("adapt", unknown, allowed));
        }
        Ok(params.map(|name, tensor| match self.adapts(name) {
            true => tensor.ones_like().scale(self.config.inner_rate),
            false => tensor.zeros_like(),
        }))
    }

    fn adapts(&self, name: &str) -> bool {
        let starts = &self.config.adapt;
        starts.is_empty() || starts.iter().any(|start| name.starts_with(start.as_str()))
    }

    /// The parameters after the inner steps on `support`, with the config's step size.
    ///
    /// On a graph where `params` are and the order is the second: then they can be differentiated
    /// for them.
    ///
    /// # Errors
    /// As [`rates`](Self::rates) and [`Functional::value_and_grad`].
    pub fn adapt(&self, params: &Params, support: I) -> Result<Params, ForgeError> {
        self.adapt_by(
            params,
            &self.rates(params)?,
            support,
            self.config.inner_steps,
        )
    }

    /// The parameters after `steps` inner steps with step sizes of one's own, one for each element:
    /// learned ones, or more steps than in training.
    ///
    /// # Errors
    /// A config error if `steps` is 0; a weights error if `rates` do not fit `params`; else as
    /// [`Functional::value_and_grad`].
    pub fn adapt_by(
        &self,
        params: &Params,
        rates: &Params,
        support: I,
        steps: usize,
    ) -> Result<Params, ForgeError> {
        check::at_least_one("steps", steps)?;
        let mut adapted = params.clone();
        for _ in 0..steps {
            let gradient = match self.config.order {
                Order::Second => self.loss.grad(&adapted, support.clone())?,
                Order::First => self.loss.grad(&adapted.detach(), support.clone())?,
            };
            let step = rates.zip(&gradient, |_, rate, gradient| rate.mul(gradient))?;
            adapted = adapted.zip(&step, |name, old, step| match self.adapts(name) {
                true => old.sub(step),
                false => old,
            })?;
        }
        Ok(adapted)
    }

    /// The meta-loss of `tasks` at `params` and its gradient; `rates` are the learned step sizes,
    /// [`rates`](Self::rates) if none.
    ///
    /// One task at a time is on the graph: memory does not grow with their number.
    ///
    /// # Errors
    /// A config error if there is no task; a training error if a loss is not finite; else as
    /// [`adapt_by`](Self::adapt_by).
    pub fn meta_gradient(
        &self,
        params: &Params,
        rates: Option<&Params>,
        tasks: impl IntoIterator<Item = Task<I>>,
    ) -> Result<MetaGradient, ForgeError> {
        let start = self.rates(params)?;
        let rates = rates.unwrap_or(&start);
        let mut sums: Option<(Params, Params)> = None;
        let mut losses = vec![];
        for task in tasks {
            let leaves = params.require_grad();
            let steps = match self.config.learn_rates {
                true => rates.require_grad(),
                false => rates.detach(),
            };
            let adapted = self.adapt_by(&leaves, &steps, task.support, self.config.inner_steps)?;
            let loss = self.loss.call(&adapted, task.query)?;
            let value: f64 = loss.clone().into_scalar();
            if !value.is_finite() {
                return Err(ForgeError::training(format!(
                    "the loss of task {} after adaptation is {value}; lower inner_rate ({}) or \
                     clip the targets",
                    losses.len(),
                    self.config.inner_rate
                )));
            }
            losses.push(value);
            let gradients = loss.backward();
            let own = leaves.gradients(&gradients);
            let of_rates = match self.config.learn_rates {
                true => steps.gradients(&gradients),
                false => own.zeros_like(),
            };
            sums = Some(match sums {
                None => (own, of_rates),
                Some((a, b)) => (a.add_scaled(&own, 1.0)?, b.add_scaled(&of_rates, 1.0)?),
            });
        }
        let Some((gradient, of_rates)) = sums else {
            return Err(ForgeError::config("tasks", 0, "at least 1 task"));
        };
        let share = 1.0 / losses.len() as f64;
        Ok(MetaGradient {
            loss: losses.iter().sum::<f64>() * share,
            losses,
            gradient: gradient.scale(share),
            rates: self.config.learn_rates.then(|| of_rates.scale(share)),
        })
    }
}
