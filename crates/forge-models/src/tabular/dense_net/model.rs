//! The densely connected network.

use burn::module::Module;
use burn::tensor::activation::relu;
use forge_nn::norm::BatchNorm;
use forge_nn::{Forward, Linear, Network, Want};

use super::{DenseNetBlock, DenseNetConfig, DenseNetTransition};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `Linear(x)`, dense blocks with transitions between them, then `Linear(ReLU(BatchNorm(x)))`.
///
/// Huang et al. 2017, "Densely Connected Convolutional Networks" (arXiv 1608.06993 v5), with rows
/// for images.
#[derive(Module, Debug)]
pub struct DenseNet {
    pub(super) stem: Linear,
    pub(super) blocks: Vec<DenseNetBlock>,
    pub(super) transitions: Vec<DenseNetTransition>,
    pub(super) norm: BatchNorm,
    pub(super) output: Linear,
}

impl Network for DenseNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        DenseNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.stem.d_input(), self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let mut x = self.stem.forward(x);
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x);
            if let Some(transition) = self.transitions.get(i) {
                x = transition.forward(x);
            }
        }
        self.output.forward(relu(self.norm.forward(x))).into()
    }
}

impl TabularModel for DenseNet {
    fn capabilities(&self) -> Capabilities {
        DenseNetConfig::CAPABILITIES
    }
}
