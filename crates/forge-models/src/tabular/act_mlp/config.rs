//! Sizes of the network that thinks about each row as long as it needs.

use burn::tensor::Device;
use forge_nn::adaptive_computation::AdaptiveComputationTimeConfig;
use forge_nn::num_embeddings::NumEmbeddings;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::ActMlp;
use super::model::FirstLayer;
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::numbers::Numbers;
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
    TrainingRows,
};

/// Makes an [`ActMlp`]. `d_in` has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ActMlpConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1.
    pub d_out: usize,
    /// Width of the hidden vector and of the state, at least 1.
    pub d_hidden: usize,
    /// Basis weights of a superposed first layer, at least 1; absent: an ordinary linear layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub n_basis: Option<usize>,
    /// A row halts when its halting probabilities sum to `1 - epsilon`; in `[0, 1)`.
    pub epsilon: f64,
    /// Steps after which a row halts in any case, 1 to 1,000.
    pub max_steps: usize,
    /// Factor `τ` of the ponder cost in the loss, at least 0: the larger, the sooner rows halt.
    pub ponder_cost: f64,
    /// How numbers become vectors before the first layer; absent: they stay as they are. One-hot
    /// columns are numbers here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub num_embeddings: Option<NumEmbeddings>,
}

impl Default for ActMlpConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            d_hidden: 128,
            n_basis: None,
            epsilon: 0.01,
            max_steps: 20,
            ponder_cost: 1e-3,
            num_embeddings: None,
        }
    }
}

impl ActMlpConfig {
    fn numbers(&self) -> Numbers<'_> {
        Numbers {
            n_features: self.d_in,
            embeddings: &self.num_embeddings,
        }
    }

    /// Of what enters the first layer.
    pub(super) fn width(&self) -> usize {
        self.numbers().width()
    }

    fn ponder(&self) -> AdaptiveComputationTimeConfig {
        AdaptiveComputationTimeConfig::new(self.d_hidden, self.d_hidden, self.d_out)
            .with_epsilon(self.epsilon)
            .with_max_steps(self.max_steps)
    }
}

impl ModuleConfig for ActMlpConfig {
    type Module = ActMlp;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("d_hidden", self.d_hidden, limits::WIDTH)?;
        if let Some(n) = self.n_basis {
            check::in_range("n_basis", n, 1..=64)?;
        }
        check::in_range("epsilon", self.epsilon, 0.0..1.0)?;
        check::in_range("max_steps", self.max_steps, 1..=1_000)?;
        check::in_range("ponder_cost", self.ponder_cost, 0.0..=f64::MAX)?;
        self.numbers().validate()
    }

    fn build(&self, device: &Device) -> ActMlp {
        ActMlp {
            num_embeddings: self.numbers().embedder(device),
            first: FirstLayer::new(self, device),
            ponder: self.ponder().build(device),
            d_in: self.d_in,
            ponder_cost: self.ponder_cost,
        }
    }
}

impl TabularConfig for ActMlpConfig {
    const NAME: &'static str = "act_mlp";
    const CAPABILITIES: Capabilities = Capabilities {
        penalty: true,
        ..Capabilities::NONE
    };

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_hidden: by.width(self.d_hidden),
            num_embeddings: self.numbers().smaller(by),
            ..self
        }
    }

    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        Ok(Self {
            num_embeddings: self.numbers().fitted_to(rows)?,
            ..self
        })
    }

    fn narrow() -> Self {
        Self {
            d_hidden: 24,
            n_basis: Some(2),
            max_steps: 5,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (d_hidden, max_steps) = match strategy {
            Strategy::Fast => (64, 8),
            Strategy::Balanced => (128, 12),
            Strategy::Accurate => (256, 20),
        };
        Preset {
            config: Self {
                d_hidden,
                max_steps,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "epsilon: arXiv 1603.08983, section 2; the rest: this library's",
            },
        }
    }
}

impl ParameterCount for ActMlpConfig {
    fn parameter_count(&self) -> usize {
        let (from, d) = (self.width(), self.d_hidden);
        let first = match self.n_basis {
            None => (from + 1) * d,
            Some(n) => n * from * d + 2 * n + d,
        };
        let steps = (d + 2) * d + (d + 1) * d + (d + 1);
        self.numbers().parameter_count() + first + steps + (d + 1) * self.d_out
    }
}

impl ReferenceWeights for ActMlpConfig {
    const REFERENCE: &'static str = "none: the paper has no code; this library's own names, linear \
                                     weights as PyTorch stores them";

    fn key_map(&self) -> KeyMap {
        let map = self.numbers().key_map(KeyMap::new(), "num_embeddings");
        let map = match self.n_basis {
            None => map.linear("first", "first"),
            Some(_) => ["basis_weights", "mixing", "phases", "bias"]
                .map(|name| format!("first.{name}"))
                .iter()
                .fold(map, |map, name| map.same(name, name)),
        };
        ["input", "recurrent", "halt", "output"]
            .map(|name| format!("ponder.{name}"))
            .iter()
            .fold(map, |map, name| map.linear(name, name))
    }
}
