//! Differentiable architecture search.

use burn::tensor::Tensor;
use forge_graph::Tensors;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use crate::functional::{Functional, Params};

/// How far the gradient for the architecture looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
pub enum Unrolling {
    /// Through one step of the weights, exactly.
    #[default]
    Exact,
    /// Through one step of the weights, the second derivative by differences of gradients at
    /// distance `r / ‖v‖`, as in the paper (its `r` is 0.01).
    Difference {
        /// Above 0.
        r: f64,
    },
    /// Not through the weights: the first-order form.
    None,
}

/// How a [`Darts`] unrolls.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DartsConfig {
    /// Beginnings of the names of the architecture's parameters; at least one. Default: `alpha`.
    pub architecture: Vec<String>,
    /// `ξ`, the step size of the weights, above 0. Default: 0.025.
    pub xi: f64,
    /// Momentum of the weights' optimiser, in `0.0..1.0`. Default: 0.9.
    pub momentum: f64,
    /// Weight decay of the weights, 0 or more. Default: 3e-4.
    pub weight_decay: f64,
    /// How far the gradient looks. Default: exactly.
    pub unrolling: Unrolling,
}

impl Default for DartsConfig {
    fn default() -> Self {
        Self {
            architecture: vec!["alpha".into()],
            xi: 0.025,
            momentum: 0.9,
            weight_decay: 3e-4,
            unrolling: Unrolling::Exact,
        }
    }
}

impl DartsConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("names in architecture", self.architecture.len())?;
        check::positive("xi", self.xi)?;
        check::in_range("momentum", self.momentum, 0.0..1.0)?;
        check::in_range("weight_decay", self.weight_decay, 0.0..=f64::MAX)?;
        match self.unrolling {
            Unrolling::Difference { r } => check::positive("unrolling.r", r),
            Unrolling::Exact | Unrolling::None => Ok(()),
        }
    }
}

/// Differentiable architecture search: the strengths `α` of operations are trained on validation
/// data, so that the weights `w` that training leads to are good ones.
///
/// The gradient is that of `L_val(w', α)` for `α` with
/// `w' = w - ξ (m · buffer + ∇_w L_train(w, α) + λ w)`, one step of the weights. Liu, Simonyan & Yang, arXiv 1806.09055, eq. 5 to 7, with momentum
/// and decay as in the authors' code.
#[derive(Debug)]
pub struct Darts<I> {
    config: DartsConfig,
    loss: Functional<I, Tensor<1>>,
}

/// What one pair of batches says of an architecture.
#[derive(Debug, Clone)]
pub struct ArchitectureGradient {
    /// The gradient for the architecture's parameters, zeros for the weights.
    pub gradient: Params,
    /// Its part that does not go through the weights.
    pub direct: Params,
    /// `w'`, with the architecture as it is.
    pub unrolled: Params,
    /// `L_train(w, α)`.
    pub train_loss: f64,
    /// `L_val(w', α)`.
    pub validation_loss: f64,
}

impl<I: Tensors + Clone + 'static> Darts<I> {
    /// Of a loss, the mean over the samples of a batch.
    ///
    /// # Errors
    /// As [`DartsConfig::validate`].
    pub fn new(config: DartsConfig, loss: Functional<I, Tensor<1>>) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self { config, loss })
    }

    fn is_architecture(&self, name: &str) -> bool {
        let mut starts = self.config.architecture.iter();
        starts.any(|start| name.starts_with(start.as_str()))
    }

    /// `a` for the architecture, `b` for the weights.
    fn either(&self, a: &Params, b: &Params) -> Result<Params, ForgeError> {
        a.zip(
            b,
            |name, a, b| if self.is_architecture(name) { a } else { b },
        )
    }

    /// The gradient for the architecture at `params`; `buffers` are those of the weights' momentum.
    ///
    /// # Errors
    /// A config error if no parameter, or every one, is the architecture's; a weights error if
    /// `buffers` are of another module; else as [`Functional::value_and_grad`].
    pub fn gradient(
        &self,
        params: &Params,
        buffers: Option<&Params>,
        train: I,
        validation: I,
    ) -> Result<ArchitectureGradient, ForgeError> {
        let params = params.detach();
        let count = params
            .names()
            .filter(|name| self.is_architecture(name))
            .count();
        if count == 0 || count == params.len() {
            let names: Vec<_> = params.names().collect();
            let found = self.config.architecture.join(", ");
            let allowed = format!("the beginnings of some of {}", names.join(", "));
            return Err(ForgeError::config("architecture", found, allowed));
        }
        if self.config.unrolling == Unrolling::None {
            let train_loss = self.loss.call(&params, train)?.into_scalar::<f64>();
            let (loss, gradient) = self.loss.value_and_grad(&params, validation)?;
            let gradient = self.either(&gradient, &params.zeros_like())?;
            return Ok(ArchitectureGradient {
                direct: gradient.clone(),
                gradient,
                unrolled: params,
                train_loss,
                validation_loss: loss.into_scalar(),
            });
        }
        let exact = self.config.unrolling == Unrolling::Exact;
        let start = match exact {
            true => self.either(&params.require_grad(), &params)?,
            false => params.clone(),
        };
        let (train_loss, slope) = self.loss.value_and_grad(&start, train.clone())?;
        let unrolled = self.step(&start, &slope, buffers)?;
        let (loss, at) = self
            .loss
            .value_and_grad(&unrolled.detach(), validation.clone())?;
        let direct = self.either(&at, &params.zeros_like())?;
        let gradient = match self.config.unrolling {
            Unrolling::Difference { r } => {
                let v = self.either(&params.zeros_like(), &at)?;
                let curved = self.difference(&params, &v, r, train)?;
                direct.add_scaled(&curved, -self.config.xi)?
            }
            _ => {
                let loss = self.loss.call(&unrolled, validation)?;
                let all = start.gradients(&loss.backward());
                self.either(&all, &params.zeros_like())?
            }
        };
        Ok(ArchitectureGradient {
            gradient,
            direct,
            unrolled: unrolled.detach(),
            train_loss: train_loss.into_scalar(),
            validation_loss: loss.into_scalar(),
        })
    }

    /// `∇²_{α,w} L_train · v` by differences of gradients: what [`Unrolling::Difference`] takes.
    ///
    /// # Errors
    /// As [`Functional::value_and_grad`]; a weights error if `direction` is of another module.
    pub fn difference(
        &self,
        params: &Params,
        direction: &Params,
        r: f64,
        train: I,
    ) -> Result<Params, ForgeError> {
        let norm = direction.norm()?.into_scalar::<f64>();
        if norm == 0.0 {
            return Ok(params.zeros_like());
        }
        let radius = r / norm;
        let at = |by: f64| {
            self.loss
                .grad(&params.add_scaled(direction, by)?, train.clone())
        };
        let curved = at(radius)?.add_scaled(&at(-radius)?, -1.0)?;
        self.either(&curved.scale(0.5 / radius), &params.zeros_like())
    }

    /// `w' = w - ξ (m · buffer + gradient + λ w)` for the weights.
    fn step(
        &self,
        params: &Params,
        gradient: &Params,
        buffers: Option<&Params>,
    ) -> Result<Params, ForgeError> {
        let mut step = gradient.add_scaled(params, self.config.weight_decay)?;
        if let Some(buffers) = buffers {
            step = step.add_scaled(buffers, self.config.momentum)?;
        }
        self.either(params, &params.add_scaled(&step, -self.config.xi)?)
    }
}
