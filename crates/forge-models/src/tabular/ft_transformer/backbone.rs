//! The stack of blocks.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use forge_nn::ops::AttentionMask;
use forge_nn::recomputed;

use super::block::Queries;
use super::{FtTransformerBlock, FtTransformerConfig};
use crate::tabular::{Backbone, Read};

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
    const CAUSAL: bool = false;
    const ATTENTION_MAPS: bool = true;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        self.read(tokens, valid, Read::All)
    }

    fn read(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>, read: Read) -> Tensor<3> {
        self.stack(tokens, valid, read, |block, x, mask, queries| {
            recomputed(block, x, move |block, x| {
                block.forward(x, mask.clone(), queries)
            })
        })
    }

    fn read_with_maps(
        &self,
        tokens: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
        read: Read,
    ) -> (Tensor<3>, Vec<Tensor<4>>) {
        let mut maps = vec![];
        let read = self.stack(tokens, valid, read, |block, x, mask, queries| {
            let (x, map) = block.forward_with_map(x, mask, queries);
            maps.push(map);
            x
        });
        (read, maps)
    }
}

impl FtTransformerBackbone {
    /// The blocks one after the other; in the last one only tokens that are read ask.
    fn stack(
        &self,
        tokens: Tensor<3>,
        valid: Option<Tensor<2, Bool>>,
        read: Read,
        mut run: impl FnMut(&FtTransformerBlock, Tensor<3>, AttentionMask, Queries) -> Tensor<3>,
    ) -> Tensor<3> {
        let mask = valid
            .clone()
            .map_or_else(AttentionMask::none, AttentionMask::key_valid);
        let last = self.blocks.len() - 1;
        let blocks = self.blocks.iter().enumerate();
        let x = blocks.fold(tokens, |x, (i, block)| {
            let queries = match read {
                Read::First if i == last => Queries::First,
                _ => Queries::All,
            };
            run(block, x, mask.clone(), queries)
        });
        match read {
            Read::First => x,
            read => read.pick(x, valid),
        }
    }
}
