//! What makes features out of (masked) columns.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::Linear;
use forge_nn::activation::{GluKind, glu};

use super::{GhostBatchNorm, TabNetConfig, linear};

/// The feature transformer: a stack of linear layers, each with [`GhostBatchNorm`] and a gated
/// linear unit, of which all but the first are `(x + layer(x)) · √½`.
///
/// The first linear layers are shared with the other transformers of the network, and are given;
/// the rest, and all norms, are its own. Arik & Pfister 2021 (arXiv 1908.07442 v5), figure 4 (c).
#[derive(Module, Debug)]
pub struct FeatureTransformer {
    /// One per shared linear layer.
    shared_norms: Vec<GhostBatchNorm>,
    own: Vec<GluLayer>,
}

/// A linear layer and its norm; the gate has no weights.
#[derive(Module, Debug)]
pub struct GluLayer {
    linear: Linear,
    norm: GhostBatchNorm,
}

/// Sizes of the transformers of one network (the encoder or the decoder).
pub(super) struct Stack<'a> {
    pub(super) config: &'a TabNetConfig,
    pub(super) d_in: usize,
    pub(super) d_out: usize,
    pub(super) n_shared: usize,
    pub(super) n_own: usize,
}

impl Stack<'_> {
    /// The linear layers that all transformers share.
    pub(super) fn shared(&self, device: &Device) -> Vec<Linear> {
        (0..self.n_shared).map(|i| self.linear(i, device)).collect()
    }

    pub(super) fn transformer(&self, device: &Device) -> FeatureTransformer {
        let own = |i| GluLayer {
            linear: self.linear(self.n_shared + i, device),
            norm: self.norm(device),
        };
        FeatureTransformer {
            shared_norms: (0..self.n_shared).map(|_| self.norm(device)).collect(),
            own: (0..self.n_own).map(own).collect(),
        }
    }

    /// Number of parameters of `transformers` transformers and what they share.
    pub(super) fn parameter_count(&self, transformers: usize) -> usize {
        let linear = |i| self.width(i) * 2 * self.d_out;
        let shared: usize = (0..self.n_shared).map(linear).sum();
        let layers = self.n_shared + self.n_own;
        let own: usize = (self.n_shared..layers).map(linear).sum();
        shared + transformers * (own + layers * 2 * 2 * self.d_out)
    }

    /// Input width of layer `i` of a stack.
    fn width(&self, i: usize) -> usize {
        if i == 0 { self.d_in } else { self.d_out }
    }

    fn linear(&self, i: usize, device: &Device) -> Linear {
        linear::gated(self.width(i), 2 * self.d_out, device)
    }

    fn norm(&self, device: &Device) -> GhostBatchNorm {
        GhostBatchNorm::new(
            2 * self.d_out,
            self.config.virtual_batch_size,
            self.config.momentum,
            device,
        )
    }
}

impl FeatureTransformer {
    /// # Shapes
    /// - x: `[B, D_in]`
    /// - output: `[B, D_out]`; `x` itself where there are no layers
    pub(super) fn forward(&self, shared: &[Linear], x: Tensor<2>) -> Tensor<2> {
        let shared = shared.iter().zip(&self.shared_norms);
        let own = self.own.iter().map(|layer| (&layer.linear, &layer.norm));
        let layers = shared.chain(own).enumerate();
        layers.fold(x, |x, (i, (linear, norm))| {
            let y = glu(norm.forward(linear.forward(x.clone())), GluKind::Sigmoid);
            match i {
                0 => y,
                _ => (x + y) * 0.5f64.sqrt(),
            }
        })
    }
}
