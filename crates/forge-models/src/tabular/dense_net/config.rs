//! Sizes of the densely connected network.

use burn::tensor::Device;
use forge_nn::norm::BatchNormConfig;
use forge_nn::{ForgeError, LinearConfig, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use super::{DenseNet, DenseNetBlock, DenseNetLayer, DenseNetTransition};
use crate::contract::takes_numbers;
use crate::limits;
use crate::reference::{KeyMap, ReferenceWeights};
use crate::{
    Capabilities, ParameterCount, Preset, Shrink, Strategy, TabularConfig, TrainingPreset,
};

/// Makes a [`DenseNet`].
///
/// The paper's networks are for images. Its DenseNet-BC has bottlenecks of 4 times the growth rate,
/// a compression of 0.5 and a stem of twice the growth rate; so has the default, with a growth rate
/// of 32 (the paper's on ImageNet) and two blocks of 4 layers, this library's. `d_in` has to be
/// set.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DenseNetConfig {
    /// Number of features, at least 1.
    pub d_in: usize,
    /// Width of the output, at least 1. Default 1.
    pub d_out: usize,
    /// Width before the first block, at least 1. Default 64.
    pub d_stem: usize,
    /// Features that a layer adds, at least 1. Default 32.
    pub growth_rate: usize,
    /// Layers of each block, each at least 1. Default twice 4.
    pub block_layers: Vec<usize>,
    /// Width of the narrow place inside a layer as a multiple of the growth rate; 0 for layers
    /// without one. Default 4.
    pub bottleneck: usize,
    /// The part of a block's features that a transition keeps, the product truncated, in `(0, 1]`.
    /// Default 0.5.
    pub compression: f64,
    /// Dropout of the features that a layer adds, in `[0, 1)`. Default 0.1.
    pub dropout: f64,
}

impl Default for DenseNetConfig {
    fn default() -> Self {
        Self {
            d_in: 0,
            d_out: 1,
            d_stem: 64,
            growth_rate: 32,
            block_layers: vec![4; 2],
            bottleneck: 4,
            compression: 0.5,
            dropout: 0.1,
        }
    }
}

/// The widths of a block: of what enters each layer, and of what leaves the last one.
struct BlockWidths {
    layers: Vec<usize>,
    end: usize,
}

impl DenseNetConfig {
    /// Width after a layer's first linear map.
    pub(super) fn inner_width(&self) -> usize {
        self.bottleneck.max(1) * self.growth_rate
    }

    fn blocks(&self) -> Vec<BlockWidths> {
        let mut width = self.d_stem;
        let blocks = self.block_layers.iter().map(|layers| {
            let start = width;
            let end = start + layers * self.growth_rate;
            width = self.compressed(end);
            BlockWidths {
                layers: (0..*layers).map(|i| start + i * self.growth_rate).collect(),
                end,
            }
        });
        blocks.collect()
    }

    /// Width after a transition; truncated, as the reference's `int()`.
    fn compressed(&self, width: usize) -> usize {
        (width as f64 * self.compression) as usize
    }

    fn check_widths(&self) -> Result<(), ForgeError> {
        let inner = self.bottleneck.max(1).saturating_mul(self.growth_rate);
        check::in_range("growth_rate * max(bottleneck, 1)", inner, limits::WIDTH)?;
        let blocks = self.blocks();
        for (i, block) in blocks.iter().enumerate() {
            let what = format!("width at the end of block_layers[{i}]");
            check::in_range(&what, block.end, limits::WIDTH)?;
        }
        // Nothing is left of a block that is compressed to less than one feature.
        for block in &blocks[..blocks.len() - 1] {
            if self.compressed(block.end) == 0 {
                let allowed = format!("such that a block of {} features keeps one", block.end);
                return Err(ForgeError::config("compression", self.compression, allowed));
            }
        }
        Ok(())
    }
}

impl ModuleConfig for DenseNetConfig {
    type Module = DenseNet;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_in", self.d_in, limits::COLUMNS)?;
        check::in_range("d_out", self.d_out, limits::COLUMNS)?;
        check::in_range("d_stem", self.d_stem, limits::WIDTH)?;
        limits::check_blocks("block_layers", &self.block_layers)?;
        check::positive("compression", self.compression)?;
        check::in_range("compression", self.compression, ..=1.0)?;
        check::probability("dropout", self.dropout)?;
        self.check_widths()
    }

    fn build(&self, device: &Device) -> DenseNet {
        let norm = |width: usize| BatchNormConfig::new(width).build(device);
        let plain = |from, to| LinearConfig::new(from, to).with_bias(false).init(device);
        let widths = self.blocks();
        let layer = |width: &usize| DenseNetLayer::new(self, *width, device);
        let block = |widths: &BlockWidths| DenseNetBlock {
            layers: widths.layers.iter().map(layer).collect(),
        };
        let transition = |widths: &BlockWidths| DenseNetTransition {
            norm: norm(widths.end),
            linear: plain(widths.end, self.compressed(widths.end)),
        };
        let last = widths[widths.len() - 1].end;
        DenseNet {
            stem: plain(self.d_in, self.d_stem),
            blocks: widths.iter().map(block).collect(),
            transitions: widths[..widths.len() - 1].iter().map(transition).collect(),
            norm: norm(last),
            output: LinearConfig::new(last, self.d_out).init(device),
        }
    }
}

impl TabularConfig for DenseNetConfig {
    const NAME: &'static str = "dense_net";
    const CAPABILITIES: Capabilities = Capabilities {
        batch_statistics: true,
        ..Capabilities::NONE
    };

    takes_numbers!();

    fn smaller(self, by: Shrink) -> Self {
        Self {
            d_stem: by.width(self.d_stem),
            growth_rate: by.width(self.growth_rate),
            block_layers: by.depths(&self.block_layers),
            ..self
        }
    }

    fn narrow() -> Self {
        Self {
            d_stem: 12,
            growth_rate: 8,
            block_layers: vec![2, 1],
            bottleneck: 2,
            dropout: 0.05,
            ..Self::default()
        }
    }

    fn preset(strategy: Strategy) -> Preset<Self> {
        let (growth_rate, layers) = match strategy {
            Strategy::Fast => (24, 2),
            Strategy::Balanced => (32, 4),
            Strategy::Accurate => (48, 6),
        };
        Preset {
            // Dropout is for tables with more noise than rows.
            config: Self {
                d_stem: 2 * growth_rate,
                growth_rate,
                block_layers: vec![layers; 2],
                dropout: 0.0,
                ..Self::default()
            },
            training: TrainingPreset {
                learning_rate: 2e-3,
                weight_decay: 1e-5,
                batch_size: None,
                steps: 1.0,
                source: "bottleneck, compression, stem: DenseNet-BC of arXiv 1608.06993 v5; depth, \
                         growth and training: this library's",
            },
        }
    }
}

impl ParameterCount for DenseNetConfig {
    fn parameter_count(&self) -> usize {
        let (inner, growth) = (self.inner_width(), self.growth_rate);
        let rest = match self.bottleneck {
            0 => 0,
            _ => 2 * inner + inner * growth,
        };
        let layer = |width: &usize| 2 * width + width * inner + rest;
        let blocks = self.blocks();
        let layers: usize = blocks.iter().flat_map(|b| &b.layers).map(layer).sum();
        let between = blocks[..blocks.len() - 1].iter();
        let between: usize = between.map(|b| b.end * (2 + self.compressed(b.end))).sum();
        let last = blocks[blocks.len() - 1].end;
        self.d_in * self.d_stem + layers + between + 2 * last + (last + 1) * self.d_out
    }
}

impl ReferenceWeights for DenseNetConfig {
    const REFERENCE: &'static str = "torchvision==0.29.2:densenet's layers and transitions with \
                                     linear layers for convolutions, as blocks.BLOCK.LAYER and \
                                     transitions.BLOCK";

    fn key_map(&self) -> KeyMap {
        let weight = |map: KeyMap, ours: &str, theirs: &str| {
            map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
        };
        let mut map = weight(KeyMap::new(), "stem", "stem")
            .batch_norm("norm", "head.norm")
            .linear("output", "head.linear");
        for (i, layers) in self.block_layers.iter().enumerate() {
            for j in 0..*layers {
                let (ours, theirs) = (format!("blocks.{i}.layers.{j}"), format!("blocks.{i}.{j}"));
                map = map.batch_norm(&format!("{ours}.norm1"), &format!("{theirs}.norm1"));
                map = weight(
                    map,
                    &format!("{ours}.linear1"),
                    &format!("{theirs}.linear1"),
                );
                if self.bottleneck > 0 {
                    let ours = format!("{ours}.bottleneck");
                    map = map.batch_norm(&format!("{ours}.norm2"), &format!("{theirs}.norm2"));
                    map = weight(
                        map,
                        &format!("{ours}.linear2"),
                        &format!("{theirs}.linear2"),
                    );
                }
            }
            if i + 1 < self.block_layers.len() {
                let name = format!("transitions.{i}");
                map = map.batch_norm(&format!("{name}.norm"), &format!("{name}.norm"));
                map = weight(map, &format!("{name}.linear"), &format!("{name}.linear"));
            }
        }
        map
    }
}
