//! The modern residual network.

use burn::module::Module;
use forge_nn::norm::BatchNorm;
use forge_nn::{Forward, Linear, Network, Want};

use super::{ModernResNetActivation, ModernResNetBlock, ModernResNetConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `Linear`, blocks, then `Linear(act(BatchNorm(x)))`.
///
/// Without gates and scales, with ReLU, it is the residual network of Gorishniy et al. 2021
/// (arXiv 2106.11959 v5), section 3.2.
#[derive(Module, Debug)]
pub struct ModernResNet {
    pub(super) input: Linear,
    pub(super) blocks: Vec<ModernResNetBlock>,
    pub(super) norm: BatchNorm,
    pub(super) output: Linear,
    #[module(skip)]
    pub(super) activation: ModernResNetActivation,
}

impl Network for ModernResNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        ModernResNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.input.d_input(), self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let x = self.input.forward(x);
        let x = self.blocks.iter().fold(x, |x, block| block.forward(x));
        let active = self.activation.of(self.norm.forward(x));
        self.output.forward(active).into()
    }
}

impl TabularModel for ModernResNet {
    fn capabilities(&self) -> Capabilities {
        ModernResNetConfig::CAPABILITIES
    }
}
