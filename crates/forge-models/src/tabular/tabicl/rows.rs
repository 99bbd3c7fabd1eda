//! From the cells of a row to one vector.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{DType, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::LayerNorm;
use forge_nn::position::{RotaryEmbedding, RotaryEmbeddingConfig};

use super::attention::Positions;
use super::block::Looking;
use super::induced_block::TOKEN_STD;
use super::{TabIclBlock, TabIclConfig};

/// Class tokens before the cells of a row, blocks with rotary positions, and the class tokens side
/// by side.
#[derive(Module, Debug)]
pub struct TabIclRows {
    /// `[C, D]`.
    class_tokens: Param<Tensor<2>>,
    blocks: Vec<TabIclBlock>,
    norm: LayerNorm,
    rotary: RotaryEmbedding,
}

impl TabIclRows {
    pub(super) fn new(config: &TabIclConfig, device: &Device) -> Self {
        let size = config.row_block();
        let start = Initializer::Normal {
            mean: 0.0,
            std: TOKEN_STD,
        };
        Self {
            class_tokens: start.init([config.row_num_cls, size.width], device),
            blocks: (0..config.row_num_blocks)
                .map(|_| TabIclBlock::new(&size, device))
                .collect(),
            norm: size.norm(device),
            rotary: RotaryEmbeddingConfig::new(size.width / size.heads)
                .with_theta(config.row_rope_base)
                .with_layout(config.rotary_layout())
                .build(device),
        }
    }

    pub(super) fn place(&self) -> (Device, DType) {
        let tokens = self.class_tokens.val();
        (tokens.device(), tokens.dtype())
    }

    pub(super) fn parameter_count(config: &TabIclConfig) -> usize {
        let size = config.row_block();
        let tokens = config.row_num_cls * size.width;
        tokens + config.row_num_blocks * size.parameter_count() + size.norm_count()
    }

    /// # Shapes
    /// - cells: `[N, G, D]`
    /// - output: `[N, C · D]`
    pub(super) fn forward(&self, cells: Tensor<3>) -> Tensor<2> {
        let [rows, groups, width] = cells.dims();
        let class = self.class_tokens.val();
        let count = class.dims()[0];
        let class = class.unsqueeze::<3>().expand([rows, count, width]);
        let places: Vec<i64> = (0..(count + groups) as i64).collect();
        let tables = (self.rotary).tables(&places, &cells.device(), cells.dtype());
        let mut x = Tensor::cat(vec![class, cells], 1);
        for (i, block) in self.blocks.iter().enumerate() {
            // Of the last block only the class tokens are read.
            let last = i + 1 == self.blocks.len();
            let looking = Looking {
                x,
                from: 0,
                queries: if last { count } else { count + groups },
                keys: count + groups,
                positions: Some(Positions {
                    rotary: &self.rotary,
                    tables: &tables,
                }),
            };
            (x, _) = block.within(looking, false);
        }
        self.norm.forward(x).reshape([rows, count * width])
    }
}
