//! The recipe of a stack of xLSTM blocks.

use burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{MlstmConfig, SlstmConfig, XlstmBackbone, XlstmFeedForwardConfig};
use crate::limits;
use crate::reference::KeyMap;
use crate::tabular::BackboneConfig;
use crate::{Preset, Shrink, Strategy, TrainingPreset};

/// Makes an [`XlstmBackbone`].
///
/// The default is the example of the authors' package: seven blocks, the second of them an sLSTM
/// block, 128 wide.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct XlstmBackboneConfig {
    /// Width of a token, at least 1.
    pub embedding_dim: usize,
    /// Number of blocks, at least 1.
    pub num_blocks: usize,
    /// Which blocks are sLSTM blocks, counted from 0; the others are mLSTM blocks.
    pub slstm_at: Vec<usize>,
    /// Biases of the projections in mLSTM blocks.
    pub bias: bool,
    /// A norm behind the last block.
    pub add_post_blocks_norm: bool,
    /// The mLSTM blocks; looked at if there are any.
    pub mlstm: MlstmConfig,
    /// The sLSTM blocks; looked at if there are any.
    pub slstm: SlstmConfig,
}

impl Default for XlstmBackboneConfig {
    fn default() -> Self {
        Self {
            embedding_dim: 128,
            num_blocks: 7,
            slstm_at: vec![1],
            bias: false,
            add_post_blocks_norm: true,
            mlstm: MlstmConfig::default(),
            slstm: SlstmConfig::default(),
        }
    }
}

impl XlstmBackboneConfig {
    /// Number of sLSTM blocks.
    fn n_slstm(&self) -> usize {
        (0..self.num_blocks)
            .filter(|i| self.slstm_at.contains(i))
            .count()
    }

    /// Sizes, with the widths inside the blocks rounded up to multiples of `unit`.
    fn sized(embedding_dim: usize, num_blocks: usize, num_heads: usize, unit: usize) -> Self {
        Self {
            embedding_dim,
            num_blocks,
            mlstm: MlstmConfig {
                num_heads,
                round_proj_up_to_multiple_of: unit,
                ..MlstmConfig::default()
            },
            slstm: SlstmConfig {
                num_heads,
                feedforward: Some(XlstmFeedForwardConfig {
                    round_proj_up_to_multiple_of: unit,
                    ..XlstmFeedForwardConfig::default()
                }),
                ..SlstmConfig::default()
            },
            ..Self::default()
        }
    }
}

impl ModuleConfig for XlstmBackboneConfig {
    type Module = XlstmBackbone;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("embedding_dim", self.embedding_dim, limits::WIDTH)?;
        check::in_range("num_blocks", self.num_blocks, limits::BLOCKS)?;
        for (i, &at) in self.slstm_at.iter().enumerate() {
            check::in_range(&format!("slstm_at[{i}]"), at, ..self.num_blocks)?;
        }
        let scalar = self.n_slstm();
        if scalar > 0 {
            self.slstm.validate(self.embedding_dim)?;
        }
        if scalar < self.num_blocks {
            self.mlstm.validate(self.embedding_dim)?;
        }
        Ok(())
    }

    fn build(&self, device: &Device) -> XlstmBackbone {
        XlstmBackbone::new(self, device)
    }
}

impl BackboneConfig for XlstmBackboneConfig {
    const NAME: &'static str = "xlstm";
    const REFERENCE: &'static str = "xlstm==2.0.6:xLSTMBlockStack";

    fn d_token(&self) -> usize {
        self.embedding_dim
    }

    fn parameter_count(&self) -> usize {
        let (d, scalar) = (self.embedding_dim, self.n_slstm());
        let of = |n: usize, each: &dyn Fn() -> usize| if n > 0 { n * each() } else { 0 };
        let norm = usize::from(self.add_post_blocks_norm) * d;
        of(scalar, &|| self.slstm.parameter_count(d))
            + of(self.num_blocks - scalar, &|| {
                self.mlstm.parameter_count(d, self.bias)
            })
            + norm
    }

    fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let map = (0..self.num_blocks).fold(map, |map, i| {
            let (ours, theirs) = (format!("{ours}blocks.{i}."), format!("{theirs}blocks.{i}."));
            match self.slstm_at.contains(&i) {
                true => self.slstm.key_map(map, &ours, &theirs),
                false => self.mlstm.key_map(map, &ours, &theirs, self.bias),
            }
        });
        if !self.add_post_blocks_norm {
            return map;
        }
        let name = "post_blocks_norm.weight";
        map.same(&format!("{ours}{name}"), &format!("{theirs}{name}"))
    }

    fn smaller(self, by: Shrink) -> Self {
        let num_blocks = by.depth(self.num_blocks);
        let mut slstm_at = self.slstm_at;
        slstm_at.retain(|at| *at < num_blocks);
        Self {
            embedding_dim: by.width_of(self.embedding_dim, self.slstm.num_heads),
            num_blocks,
            slstm_at,
            ..self
        }
    }

    fn narrow() -> Self {
        let narrow = Self::sized(12, 3, 2, 4);
        Self {
            slstm: SlstmConfig {
                conv1d_kernel_size: 0,
                ..narrow.slstm
            },
            ..narrow
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (config, source) = match strategy {
            Strategy::Fast => (Self::sized(32, 2, 2, 16), "this library's"),
            Strategy::Balanced => (Self::sized(64, 2, 4, 32), "this library's"),
            Strategy::Accurate => (
                Self::default(),
                "size: example of xlstm 2.0.6; training: this library's",
            ),
        };
        Preset {
            config,
            training: TrainingPreset {
                learning_rate: 1e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source,
            },
        }
    }
}
