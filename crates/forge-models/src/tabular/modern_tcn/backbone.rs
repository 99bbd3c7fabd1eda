//! Blocks over tokens.

use burn::module::Module;
use burn::tensor::{Bool, Tensor};
use forge_nn::ops::Axes;

use super::ModernTcnBlock;
use crate::tabular::Backbone;

/// [`ModernTcnBlock`]s over tokens `[B, T, D]`: the tokens are the patches of one variable.
///
/// Tokens that do not count are as the zeros beyond the ends of a sequence, and no part of the norms'
/// statistics.
#[derive(Module, Debug)]
pub struct ModernTcnBackbone {
    pub(super) blocks: Vec<ModernTcnBlock>,
}

impl ModernTcnBackbone {
    /// The backbone with the large and the small kernel of each block made one: the same outputs in
    /// evaluation (the norms' running statistics are folded in), with half the convolutions. It is no
    /// longer what a checkpoint or a config describes, and not for training.
    ///
    /// ```
    /// use forge_models::{Backbone, ModernTcnConfig};
    /// use forge_nn::ModuleConfig;
    /// use forge_nn::burn::tensor::{Device, Distribution, Tensor};
    ///
    /// let device = Device::flex();
    /// let config = ModernTcnConfig { d_model: 4, large_size: 7, small_size: 3, ..ModernTcnConfig::default() };
    /// let backbone = config.try_init(&device)?;
    /// let tokens = Tensor::<3>::random([2, 9, 4], Distribution::Default, &device);
    /// let y = backbone.forward(tokens.clone(), None);
    /// let merged = backbone.merged().forward(tokens, None);
    /// assert!((y - merged).abs().max().into_scalar::<f32>() < 1e-5);
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    #[must_use]
    pub fn merged(self) -> Self {
        let blocks = self.blocks.into_iter();
        Self {
            blocks: blocks.map(ModernTcnBlock::merged).collect(),
        }
    }
}

impl Backbone for ModernTcnBackbone {
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = false;
    const BATCH_STATISTICS: bool = true;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        if tokens.shape().num_elements() == 0 {
            return tokens;
        }
        let x = tokens.swapped(1, 2).unsqueeze_dim::<4>(1);
        let blocks = self.blocks.iter();
        let x = blocks.fold(x, |x, block| block.forward(x, valid.clone()));
        x.squeeze_dim::<3>(1).swapped(1, 2)
    }
}
