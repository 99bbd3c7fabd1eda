//! What of the backbone's outputs makes the forecast.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{Linear, LinearConfig, ModuleConfig};
use serde::{Deserialize, Serialize};

use crate::tabular::Read;

/// What of the backbone's outputs makes the forecast.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PatchHead {
    /// All features of all patches.
    Flatten,
    /// The last patch, which in a causal backbone has seen the others.
    Last,
}

impl PatchHead {
    /// Patches that are read of so many.
    pub(super) fn patches(self, of: usize) -> usize {
        match self {
            Self::Flatten => of,
            Self::Last => 1,
        }
    }

    pub(super) fn read(self) -> Read {
        match self {
            Self::Flatten => Read::All,
            Self::Last => Read::Last,
        }
    }
}

/// `W dropout(LayerNorm(x))` of what is read.
#[derive(Module, Debug)]
pub(super) struct PatchOutput {
    norm: LayerNorm,
    dropout: Dropout,
    linear: Linear,
}

impl PatchOutput {
    /// From so many patches of `width` features.
    pub(super) fn new(
        [patches, width]: [usize; 2],
        outputs: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        Self {
            norm: LayerNormConfig::new(width).init(device),
            dropout: DropoutConfig::new(dropout).init(device),
            linear: LinearConfig::new(patches * width, outputs).init(device),
        }
    }

    pub(super) fn parameter_count([patches, width]: [usize; 2], outputs: usize) -> usize {
        2 * width + (patches * width + 1) * outputs
    }

    /// # Shapes
    /// - x: `[B', P, D]`
    /// - output: `[B', H·W]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<2> {
        let [rows, patches, width] = x.dims();
        let x = self.norm.forward(x).reshape([rows, patches * width]);
        self.linear.forward(self.dropout.forward(x))
    }
}
