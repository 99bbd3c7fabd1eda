//! An operation with its weights.

use crate::activation::silu;
use burn::module::Module;
use burn::tensor::activation::tanh;
use burn::tensor::{Bool, Device, Tensor};

use super::Operation;
use super::window_mean::window_mean;
use crate::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use crate::convolution::{CausalConv1d, CausalConv1dConfig};
use crate::gating::{GatedLinear, GatedLinearConfig};
use crate::norm::{LayerNorm, LayerNormConfig};
use crate::ops::{AttentionMask, LinearActivation};
use crate::{Linear, LinearConfig, ModuleConfig};

/// An [`Operation`] on tokens of one width. It has the parts that its operation needs, applied in the
/// order of the fields.
#[derive(Module, Debug)]
pub struct OperationLayer {
    #[module(skip)]
    operation: Operation,
    /// Before everything else.
    pub norm: Option<LayerNorm>,
    /// A filter for each feature.
    pub filter: Option<CausalConv1d>,
    /// Over the tokens.
    pub attention: Option<MultiHeadAttention>,
    /// To the width inside.
    pub hidden: Option<Linear>,
    /// With gates.
    pub gated: Option<GatedLinear>,
    /// To the output.
    pub linear: Option<Linear>,
}

impl OperationLayer {
    /// A layer on tokens `width` wide, at least 1.
    #[must_use]
    pub fn new(operation: Operation, width: usize, device: &Device) -> Self {
        use Operation as Op;
        let linear = |from, to| LinearConfig::new(from, to).build(device);
        let has = |among: &[Op]| among.contains(&operation);
        let filter = |size| {
            let filter = CausalConv1dConfig::new(width, size).with_bias(false);
            filter.build(device)
        };
        let heads = if width.is_multiple_of(4) {
            4
        } else {
            2 - width % 2
        };
        let inside = has(&[Op::FeedForward]);
        let gated = has(&[Op::GatedLinear]);
        let attends = has(&[Op::SelfAttention]);
        let plain = has(&[
            Op::LinearRelu,
            Op::LinearSilu,
            Op::LinearTanh,
            Op::LinearGelu,
            Op::ResidualLinear,
        ]);
        let filters = operation.kernel_size();
        Self {
            operation,
            norm: has(&[Op::ResidualLinear, Op::SelfAttention, Op::FeedForward])
                .then(|| LayerNormConfig::new(width).build(device)),
            filter: filters.map(filter),
            attention: attends.then(|| MultiHeadAttentionConfig::new(width, heads).build(device)),
            hidden: inside.then(|| linear(width, 2 * width)),
            gated: gated.then(|| GatedLinearConfig::new(width, width).build(device)),
            linear: match (plain || filters.is_some(), inside) {
                (true, _) => Some(linear(width, width)),
                (_, true) => Some(linear(2 * width, width)),
                _ => None,
            },
        }
    }

    /// Its operation.
    #[must_use]
    pub fn operation(&self) -> Operation {
        self.operation
    }

    /// Applies it.
    ///
    /// # Shapes
    /// - x, output: `[B, T, D]`
    /// - valid: `[B, T]`, true for tokens that count; the others change no output of one that does
    ///
    /// # Panics
    /// If x is of another width than the layer.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>, valid: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        match self.operation {
            Operation::None => x.zeros_like(),
            Operation::SkipConnect => x,
            Operation::AveragePool3 => window_mean(x, 1, valid),
            Operation::ResidualLinear => x.clone() + self.apply(x, valid),
            _ => self.apply(x, valid),
        }
    }

    /// Its parts, one after the other.
    fn apply(&self, x: Tensor<3>, valid: Option<&Tensor<2, Bool>>) -> Tensor<3> {
        let x = match &self.norm {
            Some(norm) => norm.forward(x),
            None => x,
        };
        let x = match &self.filter {
            Some(filter) => centred(filter, x, valid),
            None => x,
        };
        let x = match &self.attention {
            Some(attention) => {
                let mask = AttentionMask {
                    key_valid: valid.cloned(),
                    full: None,
                };
                attention.forward(x, mask, None)
            }
            None => x,
        };
        let x = match &self.hidden {
            Some(hidden) => hidden.forward_activated(x, LinearActivation::Gelu),
            None => x,
        };
        let x = match &self.gated {
            Some(gated) => gated.forward(x),
            None => x,
        };
        let Some(linear) = &self.linear else {
            return x;
        };
        match self.operation {
            Operation::LinearTanh => tanh(linear.forward(x)),
            Operation::LinearSilu
            | Operation::SeparableConv3
            | Operation::SeparableConv5
            | Operation::SeparableConv7 => silu(linear.forward(x)),
            Operation::LinearRelu | Operation::ResidualLinear => {
                linear.forward_activated(x, LinearActivation::Relu)
            }
            Operation::LinearGelu => linear.forward_activated(x, LinearActivation::Gelu),
            _ => linear.forward(x),
        }
    }
}

/// A causal filter of odd size around each token instead: zeros stand beyond both ends and for tokens
/// that do not count.
fn centred(filter: &CausalConv1d, x: Tensor<3>, valid: Option<&Tensor<2, Bool>>) -> Tensor<3> {
    let [batch, time, width] = x.dims();
    let after = filter.weight.dims()[2] / 2;
    let x = match valid {
        Some(valid) => {
            let absent = valid.clone().bool_not().unsqueeze_dim::<3>(2);
            x.mask_fill(absent.expand([batch, time, width]), 0.0)
        }
        None => x,
    };
    let zeros = Tensor::zeros([batch, after, width], (&x.device(), x.dtype()));
    let longer = Tensor::cat(vec![x, zeros], 1);
    filter.forward(longer).narrow(1, after, time)
}
