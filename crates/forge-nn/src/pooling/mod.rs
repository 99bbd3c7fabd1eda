//! Tokens to one vector.

mod attention_pooling;

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use serde::{Deserialize, Serialize};

pub use attention_pooling::{AttentionPooling, AttentionPoolingConfig};

use crate::config_macro::config;
use crate::{ForgeError, ModuleConfig, check};

/// How tokens become one vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PoolingKind {
    /// The first token.
    #[default]
    Cls,
    /// The mean of the valid tokens.
    Mean,
    /// The largest value of every feature among the valid tokens.
    Max,
    /// A learnable query attends to the valid tokens.
    Attention,
}

config! {
    /// Recipe of a [`Pooling`].
    pub struct PoolingConfig {
        /// Width of a token, at least 1.
        pub d_model: usize,
        /// How.
        #[config(default = PoolingKind::Cls)]
        pub kind: PoolingKind,
    }
}

/// Tokens to one vector per sample. A sample without a valid token gives zeros and passes on no
/// gradient.
#[derive(Module, Debug)]
pub struct Pooling {
    /// The learnable query, if the kind has one.
    pub attention: Option<AttentionPooling>,
    #[module(skip)]
    kind: PoolingKind,
}

impl ModuleConfig for PoolingConfig {
    type Module = Pooling;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_model", self.d_model)
    }

    fn build(&self, device: &Device) -> Pooling {
        let attention = (self.kind == PoolingKind::Attention)
            .then(|| AttentionPoolingConfig::new(self.d_model).build(device));
        Pooling {
            attention,
            kind: self.kind,
        }
    }
}

impl Pooling {
    /// Pools the tokens.
    ///
    /// # Shapes
    /// - x: `[B, T, D]`, `T` at least 1
    /// - valid: `[B, T]`, true for tokens that count; the first token always does under `Cls`
    /// - output: `[B, D]`
    ///
    /// # Panics
    /// If the shapes disagree.
    pub fn forward(&self, x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<2> {
        match (&self.attention, self.kind) {
            (Some(attention), _) => attention.forward(x, valid),
            (None, PoolingKind::Mean) => mean_pool(x, valid),
            (None, PoolingKind::Max) => max_pool(x, valid),
            (None, PoolingKind::Cls | PoolingKind::Attention) => cls_pool(x),
        }
    }
}

/// The first token.
///
/// # Shapes
/// - x: `[B, T, D]`
/// - output: `[B, D]`
pub fn cls_pool(x: Tensor<3>) -> Tensor<2> {
    x.narrow(1, 0, 1).squeeze_dim(1)
}

/// The mean of the valid tokens, zeros where there is none.
///
/// # Shapes
/// - x: `[B, T, D]`, valid: `[B, T]`
/// - output: `[B, D]`
pub fn mean_pool(x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<2> {
    let Some(valid) = valid else {
        return x.mean_dim(1).squeeze_dim(1);
    };
    let shape = x.dims();
    let absent = valid.bool_not().unsqueeze_dim::<3>(2);
    let counted = Tensor::<3>::ones([shape[0], shape[1], 1], (&x.device(), x.dtype()))
        .mask_fill(absent.clone(), 0.0);
    let sum = x.mask_fill(absent.expand(shape), 0.0).sum_dim(1);
    (sum / counted.sum_dim(1).clamp_min(1.0)).squeeze_dim(1)
}

/// The largest value of every feature among the valid tokens, zeros where there is none.
///
/// # Shapes
/// - x: `[B, T, D]`, valid: `[B, T]`
/// - output: `[B, D]`
pub fn max_pool(x: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<2> {
    let Some(valid) = valid else {
        return x.max_dim(1).squeeze_dim(1);
    };
    let [batch, time, width] = x.dims();
    let empty = valid.clone().any_dim(1).bool_not().expand([batch, width]);
    let absent = valid.bool_not().unsqueeze_dim::<3>(2);
    let kept = x.mask_fill(absent.expand([batch, time, width]), f32::NEG_INFINITY);
    kept.max_dim(1).squeeze_dim::<2>(1).mask_fill(empty, 0.0)
}
