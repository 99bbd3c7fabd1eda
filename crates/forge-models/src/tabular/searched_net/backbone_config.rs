//! Sizes of the network of a genotype, for tokens.

use burn::tensor::Device;
use forge_nn::cell::Genotype;
use forge_nn::norm::LayerNormConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig};
use serde::{Deserialize, Serialize};

use super::SearchedBackbone;
use super::cell_stack::StackSizes;
use super::usual_cells::of_tokens;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes a [`SearchedBackbone`]. The genotype is what a search found, by default a cell that none did.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchedBackboneConfig {
    /// Width of a token, at least 1. Default 64.
    pub d_model: usize,
    /// Cells one after the other, at least 1. Default 1.
    pub n_cells: usize,
    /// The cell.
    pub genotype: Genotype,
}

impl Default for SearchedBackboneConfig {
    fn default() -> Self {
        Self {
            d_model: 64,
            n_cells: 1,
            genotype: of_tokens(),
        }
    }
}

impl SearchedBackboneConfig {
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
            d_in: self.d_model,
            d_model: self.d_model,
            n_cells: self.n_cells,
            genotype: &self.genotype,
        }
    }
}

impl ModuleConfig for SearchedBackboneConfig {
    type Module = SearchedBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        self.stack().validate()
    }

    fn build(&self, device: &Device) -> SearchedBackbone {
        let stack = self.stack();
        SearchedBackbone {
            stack: stack.build(device),
            merge: LinearConfig::new(stack.d_out(), self.d_model).build(device),
            norm: LayerNormConfig::new(self.d_model).build(device),
        }
    }
}

impl BackboneConfig for SearchedBackboneConfig {
    const NAME: &'static str = "searched_tokens";
    const REFERENCE: &'static str = "this library's, with linear maps as PyTorch has them";

    fn d_token(&self) -> usize {
        self.d_model
    }

    fn parameter_count(&self) -> usize {
        let (stack, width) = (self.stack(), self.d_model);
        stack.parameter_count() + (stack.d_out() + 1) * width + 2 * width
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let place = |part: &str| (format!("{ours}{part}"), format!("{theirs}{part}"));
        let (merge, norm, stack) = (place("merge"), place("norm"), place("stack."));
        let map = map.linear(&merge.0, &merge.1).norm(&norm.0, &norm.1);
        self.stack().key_map(map, &stack.0, &stack.1)
    }

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
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (d_model, n_cells) = match strategy {
            Strategy::Fast => (32, 1),
            Strategy::Balanced => (64, 1),
            Strategy::Accurate => (128, 2),
        };
        Preset {
            config: Self {
                d_model,
                n_cells,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's",
            },
        }
    }
}
