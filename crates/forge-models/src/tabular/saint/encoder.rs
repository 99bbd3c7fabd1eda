//! Tokens that have seen each other and the other rows.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::block::BlockSize;
use super::neighbours::Neighbours;
use super::{SaintConfig, SaintLayer, SaintTokenizer};
use crate::TabularRows;
use crate::reference::KeyMap;

/// Tokenizer and layers: all of SAINT but the head. What pre-training and the model share.
#[derive(Module, Debug)]
pub struct SaintEncoder {
    tokenizer: SaintTokenizer,
    layers: Vec<SaintLayer>,
}

impl SaintEncoder {
    pub(super) fn new(config: &SaintConfig, device: &Device) -> Self {
        let block = |size: BlockSize| size.build(config.attn_dropout, config.ff_dropout, device);
        let layer = |_| SaintLayer {
            features: config.feature_block().map(block),
            rows: config.row_block().map(block),
        };
        Self {
            tokenizer: SaintTokenizer::new(config, device),
            layers: (0..config.depth).map(layer).collect(),
        }
    }

    pub(super) fn parameter_count(config: &SaintConfig) -> usize {
        let blocks = [config.feature_block(), config.row_block()];
        let blocks = blocks.into_iter().flatten();
        let layer: usize = blocks.map(BlockSize::parameter_count).sum();
        SaintTokenizer::parameter_count(config) + config.depth * layer
    }

    /// Columns to tokens.
    #[must_use]
    pub fn tokenizer(&self) -> &SaintTokenizer {
        &self.tokenizer
    }

    /// The layers on the tokens of rows that all see each other.
    ///
    /// # Shapes
    /// - tokens, output: `[B, T, D]`
    #[must_use]
    pub fn forward(&self, tokens: Tensor<3>) -> Tensor<3> {
        self.through(tokens, &Neighbours::all(), None)
    }

    /// The tokens of `rows`, which see `context` and themselves or, without one, each other; with
    /// attention maps where they are collected.
    ///
    /// # Shapes
    /// - output: `[B, T, D]`
    /// - maps, layer by layer: `[B, H, T, T]` over features, `[1, H, B, R + B]` over rows, the
    ///   context's first
    pub(super) fn encode(
        &self,
        rows: TabularRows,
        context: Option<TabularRows>,
        maps: Option<&mut Vec<Tensor<4>>>,
    ) -> Tensor<3> {
        let tokens = self.tokenizer.forward(rows);
        let Some(context) = context else {
            return self.through(tokens, &Neighbours::all(), maps);
        };
        let context = self.tokenizer.forward(context);
        let ([given, ..], [fixed, ..]) = (tokens.dims(), context.dims());
        let neighbours = Neighbours::fixed(fixed, given, &tokens.device());
        let all = Tensor::cat(vec![context, tokens], 0);
        self.through(all, &neighbours, maps).narrow(0, fixed, given)
    }

    fn through(
        &self,
        tokens: Tensor<3>,
        neighbours: &Neighbours,
        mut maps: Option<&mut Vec<Tensor<4>>>,
    ) -> Tensor<3> {
        let layers = self.layers.iter();
        layers.fold(tokens, |x, layer| {
            layer.forward(x, neighbours, maps.as_deref_mut())
        })
    }

    pub(super) fn key_map(map: KeyMap, config: &SaintConfig, ours: &str) -> KeyMap {
        let map = SaintTokenizer::key_map(map, config, &format!("{ours}.tokenizer"));
        let blocks = [
            ("features", config.feature_block()),
            ("rows", config.row_block()),
        ];
        let blocks = blocks.iter().filter(|(_, block)| block.is_some());
        (0..config.depth).fold(map, |map, i| {
            let (ours, theirs) = (
                format!("{ours}.layers.{i}"),
                format!("transformer.layers.{i}"),
            );
            // A block is two entries of the reference's list.
            blocks
                .clone()
                .enumerate()
                .fold(map, |map, (at, (name, _))| {
                    BlockSize::key_map(map, &format!("{ours}.{name}"), &theirs, 2 * at)
                })
        })
    }
}
