//! Sizes of the network of a genotype, for rows.

use burn::tensor::Device;
use forge_nn::cell::Genotype;
use forge_nn::regularisation::DropoutConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::SearchedNet;
use super::cell_stack::StackSizes;
use super::usual_cells::of_rows;
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
};

/// Makes a [`SearchedNet`]. `d_in` has to be set; the genotype is what a search found, by default a cell
/// that none did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchedNetConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1. Default 1.
    pub d_out: usize,
    /// Width of the states, at least 1. Default 64.
    pub d_model: usize,
    /// Cells one after the other, at least 1. Default 1.
    pub n_cells: usize,
    /// Dropout before the output, in `[0, 1)`. Default 0.
    pub dropout: f64,
    /// The cell.
    pub genotype: Genotype,
}

impl Default for SearchedNetConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            d_model: 64,
            n_cells: 1,
            dropout: 0.0,
            genotype: of_rows(),
        }
    }
}

impl SearchedNetConfig {
    /// The default sizes around a cell that was found.
    #[must_use]
    pub fn of(genotype: Genotype) -> Self {
        Self {
            genotype,
            ..Self::default()
        }
    }

    fn stack(&self) -> StackSizes<'_> {
        StackSizes {
            d_in: self.d_in,
            d_model: self.d_model,
            n_cells: self.n_cells,
            genotype: &self.genotype,
        }
    }
}

impl ModuleConfig for SearchedNetConfig {
    type Module = SearchedNet;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::probability("dropout", self.dropout)?;
        self.stack().validate()
    }

    fn build(&self, device: &Device) -> SearchedNet {
        let stack = self.stack();
        SearchedNet {
            stack: stack.build(device),
            dropout: DropoutConfig::new(self.dropout).build(device),
            output: LinearConfig::new(stack.d_out(), self.d_out).build(device),
        }
    }
}

impl TabularConfig for SearchedNetConfig {
    const NAME: &'static str = "searched_net";
    const CAPABILITIES: Capabilities = Capabilities::NONE;

    takes_numbers!();

    /// The cell stays: it is what was searched for.
    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_model: by.width(self.d_model),
            n_cells: by.depth(self.n_cells),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_model: 16,
            n_cells: 2,
            dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (d_model, n_cells) = match strategy {
            Strategy::Fast => (64, 1),
            Strategy::Balanced => (128, 1),
            Strategy::Accurate => (192, 2),
        };
        Preset {
            config: Self {
                d_model,
                n_cells,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's: sizes and training of tabular_mlp's presets",
            },
        }
    }
}

impl ParameterCount for SearchedNetConfig {
    fn parameter_count(&self) -> usize {
        let stack = self.stack();
        stack.parameter_count() + (stack.d_out() + 1) * self.d_out
    }
}

impl ReferenceWeights for SearchedNetConfig {
    const REFERENCE: &'static str = "this library's, with linear maps as PyTorch has them";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new().linear("output", "output");
        self.stack().key_map(map, "stack.", "stack.")
    }
}
