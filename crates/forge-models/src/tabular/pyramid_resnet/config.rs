//! Sizes of the pyramid.

use burn::tensor::Device;
use forge_nn::norm::BatchNormConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{PyramidResNet, PyramidResNetBlock};
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
};

/// Makes a [`PyramidResNet`].
///
/// The paper's networks are for images; its smallest grows by 48 over three stages. The default is
/// this library's: three stages of two blocks from 64 to 192, all of them read by the head. `d_in`
/// has to be set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PyramidResNetConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1. Default 1.
    pub d_out: usize,
    /// Width before the first block, at least 1. Default 64.
    pub d_stem: usize,
    /// How much wider the last block is than the stem, at least 1. Default 128.
    pub alpha: usize,
    /// Blocks of each stage, each at least 1. Default three times 2.
    pub blocks_per_stage: Vec<usize>,
    /// The head reads the end of every stage and not the last one's alone. Default true.
    pub multi_scale: bool,
    /// Widths after each block, as a check: they follow from the other fields, and other ones are
    /// refused. Default null.
    pub widths: Option<Vec<usize>>,
}

impl Default for PyramidResNetConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            d_stem: 64,
            alpha: 128,
            blocks_per_stage: vec![2; 3],
            multi_scale: true,
            widths: None,
        }
    }
}

impl PyramidResNetConfig {
    /// The width after each block: `d_stem + k · alpha / N` after `k` of `N`, rounded, halves to
    /// the even number.
    ///
    /// ```
    /// let config = forge_models::PyramidResNetConfig {
    ///     d_stem: 6, alpha: 7, blocks_per_stage: vec![2, 1, 1], ..Default::default()
    /// };
    /// assert_eq!(config.block_widths(), [8, 10, 11, 13]);
    /// ```
    #[must_use]
    pub fn block_widths(&self) -> Vec<usize> {
        let blocks: usize = self.blocks_per_stage.iter().sum();
        let step = self.alpha as f64 / blocks as f64;
        let mut width = self.d_stem as f64;
        let widen = |_| {
            // Added up and not multiplied out: it is what decides how a half is rounded.
            width += step;
            width.round_ties_even() as usize
        };
        (0..blocks).map(widen).collect()
    }

    /// The widths before and after each block, stage by stage.
    fn stages(&self) -> Vec<Vec<(usize, usize)>> {
        let widths = self.block_widths();
        let before = std::iter::once(self.d_stem).chain(widths.iter().copied());
        let mut blocks = before.zip(widths.iter().copied());
        let stages = self.blocks_per_stage.iter();
        stages.map(|n| blocks.by_ref().take(*n).collect()).collect()
    }

    /// The widths that the head reads.
    fn read_widths(&self) -> Vec<usize> {
        let stages = self.stages();
        let ends = stages.iter().filter_map(|stage| stage.last());
        let ends: Vec<usize> = ends.map(|(_, width)| *width).collect();
        match self.multi_scale {
            true => ends,
            false => ends[ends.len() - 1..].to_vec(),
        }
    }
}

impl ModuleConfig for PyramidResNetConfig {
    type Module = PyramidResNet;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("d_stem", self.d_stem, limits::WIDTH)?;
        check::in_range("alpha", self.alpha, limits::WIDTH)?;
        limits::check_blocks("blocks_per_stage", &self.blocks_per_stage)?;
        check::in_range("d_stem + alpha", self.d_stem + self.alpha, limits::WIDTH)?;
        match &self.widths {
            Some(widths) if *widths != self.block_widths() => {
                let allowed = format!("null or {:?}, as the rest has it", self.block_widths());
                Err(ForgeError::config("widths", format!("{widths:?}"), allowed))
            }
            _ => Ok(()),
        }
    }

    fn build(&self, device: &Device) -> PyramidResNet {
        let norm = |width: usize| BatchNormConfig::new(width).build(device);
        let block = |(from, to)| PyramidResNetBlock::new(from, to, device);
        let stages = self.stages().into_iter();
        let read = self.read_widths();
        PyramidResNet {
            stem: LinearConfig::new(self.d_in, self.d_stem)
                .with_bias(false)
                .init(device),
            stem_norm: norm(self.d_stem),
            blocks: stages.flatten().map(block).collect(),
            output: LinearConfig::new(read.iter().sum(), self.d_out).init(device),
            head_norms: read.into_iter().map(norm).collect(),
            stage_ends: self
                .blocks_per_stage
                .iter()
                .scan(0, |end, blocks| {
                    *end += blocks;
                    Some(*end - 1)
                })
                .collect(),
        }
    }
}

impl TabularConfig for PyramidResNetConfig {
    const NAME: &'static str = "pyramid_resnet";
    const CAPABILITIES: Capabilities = Capabilities {
        batch_statistics: true,
        ..Capabilities::NONE
    };

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_stem: by.width(self.d_stem),
            alpha: by.width(self.alpha),
            blocks_per_stage: by.depths(&self.blocks_per_stage),
            widths: None,
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_stem: 10,
            alpha: 9,
            blocks_per_stage: vec![2, 1],
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (d_stem, alpha, blocks) = match strategy {
            Strategy::Fast => (48, 64, 1),
            Strategy::Balanced => (64, 128, 2),
            Strategy::Accurate => (128, 256, 3),
        };
        Preset {
            config: Self {
                d_stem,
                alpha,
                blocks_per_stage: vec![blocks; 3],
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "this library's: training of tabular_resnet's presets, widths around \
                         theirs",
            },
        }
    }
}

impl ParameterCount for PyramidResNetConfig {
    fn parameter_count(&self) -> usize {
        let block = |(from, to): (usize, usize)| 2 * from + from * to + 2 * to + to * to + 2 * to;
        let blocks: usize = self.stages().into_iter().flatten().map(block).sum();
        let read: usize = self.read_widths().iter().sum();
        (self.d_in + 2) * self.d_stem + blocks + 2 * read + (read + 1) * self.d_out
    }
}

impl ReferenceWeights for PyramidResNetConfig {
    const REFERENCE: &'static str = "dyhan0920/PyramidNet-PyTorch@5a0b32f:PreResNet's BasicBlock \
                                     with linear layers for convolutions, as \
                                     stages.STAGE.BLOCK";

    fn key_map(&self) -> KeyMap {
        let mut map = KeyMap::new()
            .transposed("stem.weight", "stem.linear.weight")
            .batch_norm("stem_norm", "stem.bn")
            .linear("output", "head.linear");
        for i in 0..self.read_widths().len() {
            map = map.batch_norm(&format!("head_norms.{i}"), &format!("head.bn.{i}"));
        }
        let stages = self.blocks_per_stage.iter().enumerate();
        let places = stages.flat_map(|(stage, blocks)| (0..*blocks).map(move |i| (stage, i)));
        places.enumerate().fold(map, |map, (k, (stage, i))| {
            let (ours, theirs) = (format!("blocks.{k}"), format!("stages.{stage}.{i}"));
            let map = (1..=3).fold(map, |map, n| {
                map.batch_norm(&format!("{ours}.norm{n}"), &format!("{theirs}.bn{n}"))
            });
            (1..=2).fold(map, |map, n| {
                map.transposed(
                    &format!("{ours}.linear{n}.weight"),
                    &format!("{theirs}.linear{n}.weight"),
                )
            })
        })
    }
}
