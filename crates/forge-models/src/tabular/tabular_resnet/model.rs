//! The residual network.

use burn::module::Module;
use burn::tensor::activation::relu;
use forge_nn::norm::BatchNorm;
use forge_nn::num_embeddings::NumEmbedder;
use forge_nn::{Forward, Linear, Network, Want};

use super::{TabularResNetBlock, TabularResNetConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `Linear`, blocks, then `Linear(ReLU(BatchNorm(x)))`; before it, where the config has them,
/// embeddings of the numbers.
///
/// Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (arXiv 2106.11959
/// v5), section 3.2, as in `rtdl_revisiting_models` 0.0.2. Training normalises with the biased
/// variance of the batch and moves the running variance towards the unbiased one, as PyTorch does.
#[derive(Module, Debug)]
pub struct TabularResNet {
    pub(super) num_embeddings: Option<NumEmbedder>,
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
        let embedded = self.num_embeddings.as_ref();
        let d_in = embedded.map_or(self.input.d_input(), NumEmbedder::n_features);
        TabularSpec::of_numbers(d_in, self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let x = match &self.num_embeddings {
            Some(embedder) => embedder.flat(x),
            None => x,
        };
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
