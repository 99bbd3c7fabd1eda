//! LAMB.

use burn::tensor::{DType, Tensor};
use forge_nn::{ForgeError, check};

use super::lion::mix;
use super::shared_settings::{betas, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`Lamb`]'s fields.
    pub struct LambConfig {
        /// Memory of the gradient, in `[0, 1)`. Default 0.9.
        pub beta_1: f64 = 0.9,
        /// Memory of the squared gradient, in `[0, 1)`. Default 0.999.
        pub beta_2: f64 = 0.999,
        /// Added to the root after bias correction. Above 0, default 1e-6.
        pub epsilon: f64 = 1e-6,
    }
    weight_decay = 0.01;
    /// Weight decay, a part of the update whose length is compared. At least 0, default 0.01.
}

impl LambConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[("beta_1", self.beta_1), ("beta_2", self.beta_2)])?;
        check::positive("optimizer.epsilon", self.epsilon)
    }
}

/// Layer-wise adaptive moments for large batches (You et al. 2020, algorithm 2, `φ(z) = z`):
///
/// ```text
/// u = m̂/(√v̂ + ε) + wd·p        p ← p - lr · ‖p‖/‖u‖ · u
/// ```
///
/// with Adam's bias-corrected moments; the ratio is 1 where either norm is 0.
#[derive(Debug, Clone)]
pub struct Lamb {
    config: LambConfig,
    weight_decay: f64,
}

impl Lamb {
    /// One optimiser with the betas and epsilon of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &LambConfig, weight_decay: f64) -> Self {
        Self {
            config: config.clone(),
            weight_decay,
        }
    }
}

/// The Euclidean norm; half precision, which overflows at 65504, is summed in f32.
fn norm<const D: usize>(tensor: &Tensor<D>) -> Tensor<1> {
    let wide = match tensor.dtype() {
        DType::F64 | DType::F32 => tensor.clone(),
        _ => tensor.clone().cast(DType::F32),
    };
    wide.square().sum().sqrt()
}

impl UpdateRule for Lamb {
    const TENSORS: &'static [&'static str] = &["exp_avg", "exp_avg_sq"];

    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        let c = &self.config;
        let [m, v] = memory.take();
        let m = mix(m, gradient.clone(), c.beta_1);
        let v = mix(v, gradient.square(), c.beta_2);
        let root = v
            .clone()
            .mul_scalar(1.0 / memory.correction(c.beta_2))
            .sqrt();
        let update = m.clone().mul_scalar(1.0 / memory.correction(c.beta_1));
        let update = update.div(root.add_scalar(c.epsilon));
        let update = update.add(parameter.clone().mul_scalar(self.weight_decay));
        memory.tensors = vec![m, v];
        let (of_parameter, of_update) = (norm(&parameter), norm(&update));
        let zero = of_parameter
            .clone()
            .equal_elem(0.0)
            .bool_or(of_update.clone().equal_elem(0.0));
        // 1 in place of a 0 that would be divided by, and of the ratio.
        let of_update = of_update.mask_fill(zero.clone(), 1.0);
        let ratio = of_parameter.div(of_update).mask_fill(zero, 1.0);
        let ratio = ratio.cast(parameter.dtype()).reshape([1; D]);
        parameter.sub(update.mul(ratio).mul_scalar(lr))
    }
}

burn_optimizer!(Lamb);
