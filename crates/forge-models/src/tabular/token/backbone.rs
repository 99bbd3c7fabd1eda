//! What stands between tokens and head.

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{Bool, Int, Tensor};
use forge_nn::{ForgeError, ModuleConfig};

use crate::reference::KeyMap;
use crate::{Preset, Shrink, Strategy};

/// Which outputs of a backbone are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Read {
    /// All of them.
    All,
    /// The first token's.
    First,
    /// The last valid token's: what a causal backbone knows of the whole sequence.
    Last,
}

/// A stack of layers that maps a sequence of tokens to one of the same shape.
pub trait Backbone: Module + ModuleDisplay {
    /// Output at token t depends on tokens up to t only, whatever the config says. Where the config
    /// decides, this is false and [`is_causal`](Self::is_causal) says it.
    const CAUSAL: bool;

    /// Returns attention maps from [`read_with_maps`](Self::read_with_maps).
    const ATTENTION_MAPS: bool;

    /// Normalises by the statistics of the training batch.
    const BATCH_STATISTICS: bool = false;

    /// Output at token t depends on tokens up to t only. A model over it puts its CLS token last
    /// and reads that.
    fn is_causal(&self) -> bool {
        Self::CAUSAL
    }

    /// All outputs.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]`
    /// - valid: `[B, T]`, true for tokens that count; the others change no output of one that does
    /// - output: `[B, T, D]`
    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3>;

    /// The outputs that are read alone, for backbones that can save work by it.
    ///
    /// # Shapes
    /// - tokens: `[B, T, D]`, valid: `[B, T]`
    /// - output: `[B, T, D]`, or `[B, 1, D]` for one token
    fn read(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>, read: Read) -> Tensor<3> {
        read.pick(self.forward(tokens, valid.clone()), valid)
    }

    /// [`read`](Self::read), and the attention weights `[B, H, Tq, Tk]` of each layer; none where
    /// [`ATTENTION_MAPS`](Self::ATTENTION_MAPS) is off.
    fn read_with_maps(
        &self,
        tokens: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
        read: Read,
    ) -> (Tensor<3>, Vec<Tensor<4>>) {
        (self.read(tokens, valid, read), vec![])
    }
}

impl Read {
    /// These of all outputs. A sequence without a valid token has its first one read.
    ///
    /// # Shapes
    /// - outputs: `[B, T, D]`, valid: `[B, T]`
    /// - output: `[B, T, D]`, or `[B, 1, D]` for one token
    #[must_use]
    pub fn pick(self, outputs: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        let [batch, time, width] = outputs.dims();
        match (self, valid) {
            (Self::All, _) => outputs,
            (Self::First, _) => outputs.narrow(1, 0, 1),
            (Self::Last, None) => outputs.narrow(1, time - 1, 1),
            (Self::Last, Some(valid)) => {
                let at = Tensor::<1, Int>::arange(0..time as i64, &valid.device());
                let last = (valid.int() * at.unsqueeze::<2>()).max_dim(1);
                let last = last.unsqueeze_dim::<3>(2).expand([batch, 1, width]);
                outputs.gather(1, last)
            }
        }
    }
}

/// The config of a [`Backbone`], as its family's registry needs it.
pub trait BackboneConfig: ModuleConfig<Module: Backbone> + Default {
    /// Name of the backbone, and of the tabular model over it.
    const NAME: &'static str;

    /// The implementation whose names [`key_map`](Self::key_map) has.
    const REFERENCE: &'static str;

    /// Width of a token.
    fn d_token(&self) -> usize;

    /// Number of trainable parameters, by arithmetic.
    fn parameter_count(&self) -> usize;

    /// Adds the backbone at `ours`, which the reference keeps at `theirs` (both end in a point, or
    /// are empty).
    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap;

    /// This backbone made smaller by the rule of [`Shrink`].
    fn smaller(self, by: Shrink) -> Self;

    /// A narrow instance with every kind of layer and every dropout.
    fn narrow() -> Self;

    /// Sizes and training settings of a strategy.
    fn preset(strategy: Strategy) -> Preset<Self>;

    /// Checks what only a model over the backbone asks of it.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    fn validate_tokens(&self, n_tokens: usize) -> Result<(), ForgeError> {
        let _ = n_tokens;
        Ok(())
    }
}
