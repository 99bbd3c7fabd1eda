//! Layers and a last norm.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::norm::{LayerNorm, RmsNorm};

use super::TransformerState;
use super::streaming::{Layer, run, start, steps};
use crate::tabular::{Backbone, CarriesState};

/// A transformer whose only memory of earlier tokens is that of its attention: layers and a last norm, over
/// tokens `[B, T, D]`.
///
/// ```
/// use forge_models::{Backbone, CarriesState, ModernTransformerConfig};
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Distribution, Tensor};
///
/// let device = Device::flex();
/// let config = ModernTransformerConfig {
///     d_model: 8, d_hidden: 16, n_heads: 2, causal: true, ..ModernTransformerConfig::default()
/// };
/// let backbone = config.try_init(&device)?;
/// let tokens = Tensor::<3>::random([3, 5, 8], Distribution::Default, &device);
/// let whole = backbone.forward(tokens.clone(), None);
///
/// let mut state = backbone.start(3, &device);
/// let mut last = Tensor::zeros([3, 8], &device);
/// for t in 0..5 {
///     (last, state) = backbone.step(tokens.clone().narrow(1, t, 1).squeeze_dim(1), state);
/// }
/// let difference = whole.narrow(1, 4, 1).squeeze_dim::<2>(1) - last;
/// assert!(difference.abs().max().into_scalar::<f32>() < 1e-5);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
#[allow(private_bounds, reason = "layers and norms are those of this crate")]
pub struct TransformerStack<L: Layer, N: LastNorm> {
    pub(in crate::tabular) layers: Vec<L>,
    pub(in crate::tabular) norm: N,
    pub(in crate::tabular) causal: bool,
}

/// What the outputs of the last layer go through.
pub(in crate::tabular) trait LastNorm: Module + ModuleDisplay {
    fn normalised(&self, x: Tensor<3>) -> Tensor<3>;
}

impl LastNorm for RmsNorm {
    fn normalised(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x)
    }
}

impl LastNorm for LayerNorm {
    fn normalised(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward(x)
    }
}

#[allow(private_bounds)]
impl<L: Layer, N: LastNorm> Backbone for TransformerStack<L, N> {
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = false;

    fn is_causal(&self) -> bool {
        self.causal
    }

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        self.norm.normalised(run(&self.layers, tokens, valid))
    }
}

#[allow(private_bounds)]
impl<L: Layer, N: LastNorm> CarriesState for TransformerStack<L, N> {
    type State = TransformerState;

    fn start(&self, batch: usize, _device: &Device) -> TransformerState {
        start(&self.layers, batch)
    }

    /// # Panics
    /// If the config is not causal, or the token does not fit the state.
    fn step(&self, token: Tensor<2>, state: TransformerState) -> (Tensor<2>, TransformerState) {
        let (y, state) = self.steps(token.unsqueeze_dim(1), state);
        (y.squeeze_dim(1), state)
    }

    /// # Panics
    /// As [`step`](Self::step).
    fn some_steps(
        &self,
        tokens: Tensor<3>,
        state: TransformerState,
    ) -> (Tensor<3>, TransformerState) {
        let (y, state) = steps(&self.layers, tokens, state);
        (self.norm.normalised(y), state)
    }
}
