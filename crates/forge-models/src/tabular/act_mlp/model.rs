//! The network that thinks about each row as long as it needs.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::adaptive_computation::{AdaptiveComputationTime, Pondered};
use forge_nn::num_embeddings::NumEmbedder;
use forge_nn::{
    Forward, Linear, LinearConfig, ModuleConfig, Network, QuantumInspiredLinear,
    QuantumInspiredLinearConfig, Want,
};

use super::ActMlpConfig;
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// `ReLU(Linear(x))`, then a recurrent layer that halts by itself: adaptive computation time over a
/// sequence of one place, the row. Before the first, where the config has them, embeddings of the numbers.
///
/// Graves, arXiv 1603.08983, section 2. The ponder cost `N + R` of the rows, averaged and times
/// `ponder_cost`, is the [penalty](Forward::penalty).
#[derive(Module, Debug)]
pub struct ActMlp {
    pub(super) num_embeddings: Option<NumEmbedder>,
    pub(super) first: FirstLayer,
    pub(super) ponder: AdaptiveComputationTime,
    pub(super) d_in: usize,
    pub(super) ponder_cost: f64,
}

/// What makes the hidden vector of a row's numbers.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one per model, and `Module` takes no boxes"
)]
pub(super) enum FirstLayer {
    /// An ordinary linear layer.
    Plain(Linear),
    /// One whose weights are a superposition of basis weights.
    Superposed(QuantumInspiredLinear),
}

impl FirstLayer {
    pub(super) fn new(config: &ActMlpConfig, device: &Device) -> Self {
        let (from, to) = (config.width(), config.d_hidden);
        match config.n_basis {
            None => Self::Plain(LinearConfig::new(from, to).init(device)),
            Some(n) => {
                let layer = QuantumInspiredLinearConfig::new(from, to).with_n_basis(n);
                Self::Superposed(layer.build(device))
            }
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Plain(layer) => layer.forward(x),
            Self::Superposed(layer) => layer.forward(x),
        }
    }
}

impl ActMlp {
    /// What the recurrent layer did with each row: steps `N`, remainders, weights, each over one place.
    ///
    /// # Panics
    /// As [`Network::run`].
    #[must_use]
    pub fn pondered(&self, input: TabularInput) -> Pondered {
        let x = input.only_numeric(self.name(), &self.spec());
        let x = match &self.num_embeddings {
            Some(embedder) => embedder.flat(x),
            None => x,
        };
        let hidden = relu(self.first.forward(x));
        self.ponder.forward(hidden.unsqueeze_dim(1), None)
    }
}

impl Network for ActMlp {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        ActMlpConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.d_in, self.ponder.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let pondered = self.pondered(input);
        Forward {
            penalty: (self.ponder_cost > 0.0).then(|| pondered.ponder.mean() * self.ponder_cost),
            ..pondered.output.squeeze_dim::<2>(1).into()
        }
    }
}

impl TabularModel for ActMlp {
    fn capabilities(&self) -> Capabilities {
        ActMlpConfig::CAPABILITIES
    }
}
