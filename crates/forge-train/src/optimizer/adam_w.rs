//! AdamW as PyTorch computes it.

use burn::optim::{Optimizer, RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{AdamWStep, adamw_step};

use super::AdamWConfig;

/// Decoupled weight decay (Loshchilov and Hutter 2019, algorithm 2), in PyTorch's arithmetic:
///
/// ```text
/// p ← p (1 - lr·wd)
/// m ← β₁ m + (1 - β₁) g        v ← β₂ v + (1 - β₂) g²
/// p ← p - lr/(1 - β₁ᵗ) · m / (√v/√(1 - β₂ᵗ) + ε)
/// ```
///
/// Each step is one call of [`adamw_step`], which is fused where there is a kernel. Why not Burn's:
/// its coefficients are f32, which costs seven digits on f64 modules, and its defaults are others
/// (ε 1e-5, decay 1e-4).
#[derive(Debug, Clone)]
pub struct AdamW {
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    weight_decay: f64,
}

impl AdamW {
    /// One optimiser with the betas and epsilon of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &AdamWConfig, weight_decay: f64) -> Self {
        Self {
            beta_1: config.beta_1,
            beta_2: config.beta_2,
            epsilon: config.epsilon,
            weight_decay,
        }
    }
}

/// The moments of one parameter.
#[derive(Debug, Clone)]
pub struct AdamWState<const D: usize> {
    /// Running mean of the gradient, `m`.
    pub exp_avg: Tensor<D>,
    /// Running mean of the squared gradient, `v`.
    pub exp_avg_sq: Tensor<D>,
    /// Steps taken, `t`.
    pub step: u64,
}

impl Optimizer for AdamW {
    type State<const D: usize> = AdamWState<D>;

    fn step<const D: usize>(
        &self,
        lr: f64,
        tensor: Tensor<D>,
        grad: Tensor<D>,
        state: Option<Self::State<D>>,
    ) -> (Tensor<D>, Option<Self::State<D>>) {
        // Saturating: the count may come from a file.
        let (m, v, time) = match state {
            Some(s) => (s.exp_avg, s.exp_avg_sq, s.step.saturating_add(1)),
            None => (grad.zeros_like(), grad.zeros_like(), 1),
        };
        let step = AdamWStep {
            learning_rate: lr,
            beta_1: self.beta_1,
            beta_2: self.beta_2,
            epsilon: self.epsilon,
            weight_decay: self.weight_decay,
            time: usize::try_from(time).unwrap_or(usize::MAX),
        };
        let (tensor, exp_avg, exp_avg_sq) = adamw_step(tensor, grad, m, v, &step);
        let state = AdamWState {
            exp_avg,
            exp_avg_sq,
            step: time,
        };
        (tensor, Some(state))
    }

    fn to_device<const D: usize>(state: Self::State<D>, device: &Device) -> Self::State<D> {
        AdamWState {
            exp_avg: state.exp_avg.to_device(device),
            exp_avg_sq: state.exp_avg_sq.to_device(device),
            step: state.step,
        }
    }
}

impl<const D: usize> RecordState for AdamWState<D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        out.push_tensor(prefix, "exp_avg", self.exp_avg.to_data());
        out.push_tensor(prefix, "exp_avg_sq", self.exp_avg_sq.to_data());
        out.push_scalar(prefix, "step", self.step.into());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let mut tensor = |leaf| {
            let data = src.take_tensor(prefix, leaf)?;
            let dtype = data.dtype();
            (data.rank() == D).then(|| Tensor::from_data(data, (device, dtype)))
        };
        Some(Self {
            exp_avg: tensor("exp_avg")?,
            exp_avg_sq: tensor("exp_avg_sq")?,
            step: src.take_scalar(prefix, "step")?.try_into().ok()?,
        })
    }
}
