//! The multilayer perceptron.

use burn::module::Module;
use forge_nn::num_embeddings::NumEmbedder;
use forge_nn::ops::LinearActivation;
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, Linear, Network, Want};

use super::TabularMlpConfig;
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `x ← Dropout(ReLU(Linear(x)))` per block, then `Linear(x)`; before it, where the config has
/// them, embeddings of the numbers.
///
/// Gorishniy et al. 2021, "Revisiting Deep Learning Models for Tabular Data" (arXiv 2106.11959
/// v5), section 3.1, as in `rtdl_revisiting_models` 0.0.2: one width for all blocks, where the
/// paper tunes the first and the last apart.
#[derive(Module, Debug)]
pub struct TabularMlp {
    pub(super) num_embeddings: Option<NumEmbedder>,
    pub(super) blocks: Vec<Linear>,
    pub(super) dropout: Dropout,
    pub(super) output: Linear,
}

impl Network for TabularMlp {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabularMlpConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        let embedded = self.num_embeddings.as_ref();
        let d_in = embedded.map_or(self.blocks[0].d_input(), NumEmbedder::n_features);
        TabularSpec::of_numbers(d_in, self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        let x = match &self.num_embeddings {
            Some(embedder) => embedder.flat(x),
            None => x,
        };
        let x = self.blocks.iter().fold(x, |x, block| {
            let hidden = block.forward_activated(x, LinearActivation::Relu);
            self.dropout.forward(hidden)
        });
        self.output.forward(x).into()
    }
}

impl TabularModel for TabularMlp {
    fn capabilities(&self) -> Capabilities {
        TabularMlpConfig::CAPABILITIES
    }
}
