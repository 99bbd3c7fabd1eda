//! The pyramid.

use burn::module::Module;
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use forge_nn::norm::BatchNorm;
use forge_nn::{Forward, Linear, Network, Want};

use super::{PyramidResNetBlock, PyramidResNetConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `BatchNorm(Linear(x))`, stages of blocks that widen, then
/// `Linear([ReLU(BatchNorm(end of stage s)) for s])`.
///
/// Han, Kim & Kim 2017, "Deep Pyramidal Residual Networks" (arXiv 1610.02915 v4), with rows for
/// images. The head over several stages is this library's; over the last one alone the paper's.
#[derive(Module, Debug)]
pub struct PyramidResNet {
    pub(super) stem: Linear,
    pub(super) stem_norm: BatchNorm,
    pub(super) blocks: Vec<PyramidResNetBlock>,
    pub(super) head_norms: Vec<BatchNorm>,
    pub(super) output: Linear,
    /// The number of the last block of each stage.
    #[module(skip)]
    pub(super) stage_ends: Vec<usize>,
}

impl Network for PyramidResNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        PyramidResNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.stem.d_input(), self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let mut x = self.stem_norm.forward(self.stem.forward(x));
        let mut ends: Vec<Tensor<2>> = vec![];
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if self.stage_ends.contains(&i) {
                ends.push(x.clone());
            }
        }
        // As many as there are norms, from the last stage on.
        let ends = ends.split_off(ends.len() - self.head_norms.len());
        let read = self.head_norms.iter().zip(ends);
        let read = read.map(|(norm, end)| relu(norm.forward(end))).collect();
        self.output.forward(Tensor::cat(read, 1)).into()
    }
}

impl TabularModel for PyramidResNet {
    fn capabilities(&self) -> Capabilities {
        PyramidResNetConfig::CAPABILITIES
    }
}
