//! AdamW for Burn's optimisers, on the fused step.

use burn::optim::{AdamWState, AdaptiveMomentumState, LearningRate, ModuleOptimizer, Optimizer};
use burn::tensor::{Device, Tensor};
use serde::{Deserialize, Serialize};

use super::{AdamWStep, adamw_step};
use crate::{ForgeError, check};

/// The settings of [`FusedAdamW`]; the defaults are PyTorch's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct FusedAdamWConfig {
    /// Decay of the first moment, in `[0, 1)`.
    pub beta_1: f64,
    /// Decay of the second moment, in `[0, 1)`.
    pub beta_2: f64,
    /// Added to the root of the bias-corrected second moment; above 0.
    pub epsilon: f64,
    /// Decoupled weight decay; finite, at least 0.
    pub weight_decay: f64,
}

impl Default for FusedAdamWConfig {
    fn default() -> Self {
        Self {
            beta_1: 0.9,
            beta_2: 0.999,
            epsilon: 1e-8,
            weight_decay: 1e-2,
        }
    }
}

impl FusedAdamWConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("beta_1", self.beta_1, 0.0..1.0)?;
        check::in_range("beta_2", self.beta_2, 0.0..1.0)?;
        check::positive("epsilon", self.epsilon)?;
        check::in_range("weight_decay", self.weight_decay, 0.0..f64::MAX)
    }

    /// The optimiser for one parameter group.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) found.
    pub fn try_build(&self) -> Result<FusedAdamW, ForgeError> {
        self.validate()?;
        Ok(FusedAdamW {
            config: self.clone(),
        })
    }

    /// The optimiser for a whole module.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) found.
    pub fn try_init(&self) -> Result<ModuleOptimizer, ForgeError> {
        Ok(ModuleOptimizer::from(self.try_build()?))
    }
}

/// AdamW (Loshchilov and Hutter 2019, Algorithm 2) with PyTorch's semantics: epsilon is added
/// after the bias correction, the decay is decoupled. One pass over the parameter a step.
///
/// The state is that of Burn's own AdamW, so optimiser records of either load into the other.
#[derive(Clone, Debug)]
pub struct FusedAdamW {
    config: FusedAdamWConfig,
}

impl Optimizer for FusedAdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: LearningRate,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        let state = state.map_or_else(
            || AdaptiveMomentumState::new(0, grad.zeros_like(), grad.zeros_like()),
            |state| state.momentum,
        );
        let step = AdamWStep {
            learning_rate: lr,
            beta_1: self.config.beta_1,
            beta_2: self.config.beta_2,
            epsilon: self.config.epsilon,
            weight_decay: self.config.weight_decay,
            time: state.time + 1,
        };
        let (tensor, moment_1, moment_2) =
            adamw_step(tensor, grad, state.moment_1, state.moment_2, &step);
        let state = AdaptiveMomentumState::new(step.time, moment_1, moment_2);
        (tensor, Some(AdamWState::new(state)))
    }

    fn to_device<const D: usize>(mut state: Self::State<D>, device: &Device) -> Self::State<D> {
        state.momentum.moment_1 = state.momentum.moment_1.to_device(device);
        state.momentum.moment_2 = state.momentum.moment_2.to_device(device);
        state
    }
}
