//! The residual network.

use burn::module::Module;
use burn::tensor::activation::relu;
use forge_nn::norm::BatchNorm;
use forge_nn::{Forward, Linear, Network, Want};

use super::{TabularResNetBlock, TabularResNetConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `Linear`, blocks, then `Linear(ReLU(BatchNorm(x)))`.
///
/// Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (arXiv 2106.11959
/// v5), section 3.2, as in `rtdl_revisiting_models` 0.0.2. Training normalises with the biased
/// variance of the batch and moves the running variance towards the unbiased one, as PyTorch does.
#[derive(Module, Debug)]
pub struct TabularResNet {
    pub(super) input: Linear,
    pub(super) blocks: Vec<TabularResNetBlock>,
    pub(super) norm: BatchNorm,
    pub(super) output: Linear,
}

impl Network for TabularResNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabularResNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.input.d_input(), self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let x = self.input.forward(x);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        self.output.forward(relu(self.norm.forward(x))).into()
    }
}

impl TabularModel for TabularResNet {
    fn capabilities(&self) -> Capabilities {
        TabularResNetConfig::CAPABILITIES
    }
}
