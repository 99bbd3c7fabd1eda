//! From labelled rows to predictions for the others.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::LayerNorm;
use forge_nn::ops::{LinearActivation, parts};
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig};

use super::block::Looking;
use super::{TabIclBlock, TabIclConfig, labels};
use crate::tabular::fewer_outputs::fewer_outputs;
use crate::{Labels, TabularConfig};

/// Labelled rows get their target added; then every row looks at the labelled rows, layer by layer.
#[derive(Module, Debug)]
pub struct TabIclLearner {
    label_encoder: Linear,
    blocks: Vec<TabIclBlock>,
    norm: LayerNorm,
    head_in: Linear,
    head_out: Linear,
    classes: usize,
}

impl TabIclLearner {
    pub(super) fn new(config: &TabIclConfig, device: &Device) -> Self {
        let size = config.learner_block();
        let linear = |from, to| LinearConfig::new(from, to).init(device);
        Self {
            label_encoder: linear(config.label_width(), size.width),
            blocks: (0..config.icl_num_blocks)
                .map(|_| TabIclBlock::new(&size, device))
                .collect(),
            norm: size.norm(device),
            head_in: linear(size.width, 2 * size.width),
            head_out: linear(2 * size.width, config.d_out()),
            classes: config.label_classes(),
        }
    }

    pub(super) fn parameter_count(config: &TabIclConfig) -> usize {
        let size = config.learner_block();
        let width = size.width;
        let label = (config.label_width() + 1) * width;
        let head = (width + 1) * 2 * width + (2 * width + 1) * config.d_out();
        label + config.icl_num_blocks * size.parameter_count() + size.norm_count() + head
    }

    pub(super) fn classes(&self) -> usize {
        self.classes
    }

    /// For labels of fewer classes: see [`labels::fewer`].
    pub(super) fn for_classes(self, classes: usize) -> Self {
        Self {
            label_encoder: labels::fewer(&self.label_encoder, classes),
            classes,
            ..self
        }
    }

    /// With the outputs that a table's objective has.
    pub(super) fn for_outputs(self, d_out: usize, labels: Labels) -> Result<Self, ForgeError> {
        let knows = match self.classes {
            0 => Labels::Numbers(1),
            classes => Labels::Classes(classes),
        };
        let name = TabIclConfig::NAME;
        Ok(Self {
            head_out: fewer_outputs(name, &self.head_out, d_out, labels, knows)?,
            ..self
        })
    }

    /// Width of the output.
    pub(super) fn d_out(&self) -> usize {
        self.head_out.d_output()
    }

    /// Predictions for the rows after the labelled ones, and each layer's map from those rows to
    /// the labelled ones if it is wanted.
    ///
    /// # Shapes
    /// - rows: `[N, D]`, labelled ones first; target: `[R, 1]`
    /// - output: `[N - R, D_out]`, maps: `[1, H, N - R, R]`
    pub(super) fn forward(
        &self,
        rows: Tensor<2>,
        target: Tensor<2>,
        want: bool,
    ) -> (Tensor<2>, Vec<Tensor<4>>) {
        let (all, labelled) = (rows.dims()[0], target.dims()[0]);
        let given = all - labelled;
        let label = labels::embed(&self.label_encoder, target, self.classes);
        let [known, asked] = parts(rows, 0, [labelled, given]);
        let rows = Tensor::cat(vec![known + label, asked], 0);
        let mut x: Tensor<3> = rows.unsqueeze();
        let mut maps = vec![];
        for (i, block) in self.blocks.iter().enumerate() {
            // Nothing looks at the labelled rows after the last layer.
            let from = if i + 1 == self.blocks.len() {
                labelled
            } else {
                0
            };
            let looking = Looking {
                x,
                from,
                queries: all - from,
                keys: labelled,
                positions: None,
            };
            let (out, map) = block.within(looking, want);
            maps.extend(map.map(|map| map.narrow(2, labelled - from, given)));
            x = out;
        }
        let rows: Tensor<2> = self.norm.forward(x).squeeze_dim(0);
        let hidden = self.head_in.forward_activated(rows, LinearActivation::Gelu);
        (self.head_out.forward(hidden), maps)
    }
}
