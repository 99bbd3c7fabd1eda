//! The stack.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::norm::RmsNorm;

use super::ModernTransformerLayer;
use crate::tabular::rotary_attention::{TransformerState, run, start, steps};
use crate::tabular::{Backbone, CarriesState};

/// [`ModernTransformerLayer`]s and a last RMSNorm, over tokens `[B, T, D]`.
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
pub struct ModernTransformerBackbone {
    pub(super) layers: Vec<ModernTransformerLayer>,
    pub(super) norm: RmsNorm,
    pub(super) causal: bool,
}

impl Backbone for ModernTransformerBackbone {
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = false;

    fn is_causal(&self) -> bool {
        self.causal
    }

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        self.norm.forward(run(&self.layers, tokens, valid))
    }
}

impl CarriesState for ModernTransformerBackbone {
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
        (self.norm.forward(y), state)
    }
}
