//! The stack of blocks.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::block::Queries;
use super::{FtTransformerBlock, FtTransformerConfig};
use crate::Capabilities;
use crate::tabular::Backbone;

/// Pre-norm transformer blocks over feature tokens, without a final norm.
///
/// As a tabular model only CLS is read, so that the last block computes nothing for the others:
/// they are its keys and values only.
#[derive(Module, Debug)]
pub struct FtTransformerBackbone {
    blocks: Vec<FtTransformerBlock>,
}

impl FtTransformerBackbone {
    pub(super) fn new(config: &FtTransformerConfig, device: &Device) -> Self {
        let block = |i| FtTransformerBlock::new(config, i == 0, device);
        Self {
            blocks: (0..config.n_blocks).map(block).collect(),
        }
    }
}

impl Backbone for FtTransformerBackbone {
    const TABULAR_NAME: &'static str = "ft_transformer";
    const TABULAR_CAPABILITIES: Capabilities = Capabilities {
        categorical: true,
        ..Capabilities::NONE
    };

    fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        self.blocks
            .iter()
            .fold(tokens, |x, block| block.forward(x, Queries::All))
    }

    fn forward_first(&self, tokens: Tensor<3>) -> Tensor<2> {
        let last = self.blocks.len() - 1;
        let x = self
            .blocks
            .iter()
            .enumerate()
            .fold(tokens, |x, (i, block)| {
                block.forward(
                    x,
                    if i == last {
                        Queries::First
                    } else {
                        Queries::All
                    },
                )
            });
        x.squeeze_dim(1)
    }
}
