//! From cells to embeddings that know their column's distribution.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::LayerNorm;
use forge_nn::ops::{Axes, parts};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::{ColumnGroups, InducedBlock, TabIclConfig, labels};

/// `cell · LN(Linear(x)) + LN(Linear(x))`: the first version's last step.
#[derive(Module, Debug)]
pub struct AffineCells {
    weight: Linear,
    weight_norm: LayerNorm,
    bias: Linear,
    bias_norm: LayerNorm,
}

/// One set transformer for all columns: groups of cells become tokens, to which labelled rows add
/// their target, and which look at the labelled rows of their column.
#[derive(Module, Debug)]
pub struct TabIclColumns {
    input: Linear,
    label_encoder: Option<Linear>,
    blocks: Vec<InducedBlock>,
    affine: Option<AffineCells>,
    #[module(skip)]
    groups: ColumnGroups,
    group_size: usize,
    classes: usize,
}

impl TabIclColumns {
    pub(super) fn new(config: &TabIclConfig, device: &Device) -> Self {
        let (width, size) = (config.embed_dim, config.column_block());
        let linear = |from| LinearConfig::new(from, width).init(device);
        let block = |_| InducedBlock::new(&size, config.col_num_inds, device);
        Self {
            input: linear(config.group_width()),
            label_encoder: (config.col_target_aware).then(|| linear(config.label_width())),
            blocks: (0..config.col_num_blocks).map(block).collect(),
            affine: config.col_affine.then(|| AffineCells {
                weight: linear(width),
                weight_norm: size.norm(device),
                bias: linear(width),
                bias_norm: size.norm(device),
            }),
            groups: config.col_feature_group,
            group_size: config.col_feature_group_size,
            classes: config.label_classes(),
        }
    }

    /// For labels of fewer classes: see [`labels::fewer`].
    pub(super) fn for_classes(self, classes: usize) -> Self {
        Self {
            label_encoder: self
                .label_encoder
                .map(|encoder| labels::fewer(&encoder, classes)),
            classes,
            ..self
        }
    }

    pub(super) fn parameter_count(config: &TabIclConfig) -> usize {
        let (width, size) = (config.embed_dim, config.column_block());
        let linear = |from: usize| (from + 1) * width;
        let label = usize::from(config.col_target_aware) * linear(config.label_width());
        let affine = usize::from(config.col_affine) * 2 * (linear(width) + size.norm_count());
        let block = InducedBlock::parameter_count(&size, config.col_num_inds);
        linear(config.group_width()) + label + config.col_num_blocks * block + affine
    }

    /// # Shapes
    /// - x: `[N, H]`, labelled rows first; target: `[R, 1]`, theirs
    /// - output: `[N, G, D]`
    pub(super) fn forward(&self, x: Tensor<2>, target: Tensor<2>) -> Tensor<3> {
        let labelled = target.dims()[0];
        let cells = self.groups.of(x, self.group_size);
        let mut tokens = self.input.forward(cells.clone());
        if let Some(encoder) = &self.label_encoder {
            let [groups, rows, width] = tokens.dims();
            let label = labels::embed(encoder, target, self.classes);
            let label = label.unsqueeze::<3>().expand([groups, labelled, width]);
            let [known, given] = parts(tokens, 1, [labelled, rows - labelled]);
            tokens = Tensor::cat(vec![known + label, given], 1);
        }
        let blocks = self.blocks.iter();
        let tokens = blocks.fold(tokens, |tokens, block| block.forward(tokens, labelled));
        let tokens = match &self.affine {
            Some(affine) => {
                let weight = affine.weight.forward(tokens.clone());
                let bias = affine.bias.forward(tokens);
                cells * affine.weight_norm.forward(weight) + affine.bias_norm.forward(bias)
            }
            None => tokens,
        };
        tokens.swapped(0, 1)
    }
}
