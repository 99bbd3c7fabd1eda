//! The repository's names.

use super::StockFormerConfig;
use super::causal_convolutions::BLOCKS;
use super::config::GATED;
use super::heads::head_name;
use crate::encoder_layer::EncoderLayerConfig;
use crate::reference::{KeyMap, ReferenceWeights};

/// PyTorch's `nn.MultiheadAttention`.
fn attention(map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
    map.transposed(
        &format!("{ours}.in_proj.weight"),
        &format!("{theirs}.in_proj_weight"),
    )
    .same(
        &format!("{ours}.in_proj.bias"),
        &format!("{theirs}.in_proj_bias"),
    )
    .linear(&format!("{ours}.out_proj"), &format!("{theirs}.out_proj"))
}

impl StockFormerConfig {
    fn inputs_key_map(&self, map: KeyMap) -> KeyMap {
        let theirs = "cross_modal";
        let map = map
            .linear("patch_embedding", "patch_embed.projection")
            // Follow from the sizes.
            .ignore_below("rope.")
            .linear("cross_modal.fusion", &format!("{theirs}.fusion.0"))
            .norm("cross_modal.norm", &format!("{theirs}.fusion.1"));
        let map = attention(
            map,
            "cross_modal.attention",
            &format!("{theirs}.ohlcv_attn"),
        );
        let map = match self.windows.d_embedding {
            0 => map,
            _ => {
                let ours = "cross_modal.embedding";
                let map = map.linear(
                    &format!("{ours}.projection"),
                    &format!("{theirs}.kronos_proj"),
                );
                attention(map, ours, &format!("{theirs}.cross_attn"))
            }
        };
        match self.windows.n_fixed {
            0 => map,
            _ => map
                .linear("context.linear", "context_embed.0")
                .norm("context.norm", "context_embed.1"),
        }
    }

    fn trunk_key_map(&self, map: KeyMap) -> KeyMap {
        let map = (0..BLOCKS).fold(map, |map, i| {
            let theirs = format!("tcn.network.{i}");
            let convolutions = [("first", "conv1"), ("second", "conv2")];
            let map = convolutions.iter().fold(map, |map, (ours, name)| {
                map.norm(
                    &format!("convolutions.{i}.{ours}"),
                    &format!("{theirs}.{name}"),
                )
            });
            // The same tensors once more.
            map.ignore_below(&format!("{theirs}.net."))
        });
        let map = (0..self.n_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("layers.{i}"), format!("transformer.layers.{i}"));
            EncoderLayerConfig::key_map(map, &ours, &theirs)
        });
        (0..GATED).fold(map, |map, i| {
            let (ours, theirs) = (format!("gated.{i}"), format!("grn_layers.{i}"));
            let layers = ["fc1", "fc2", "gate"];
            layers
                .iter()
                .fold(map, |map, name| {
                    map.linear(&format!("{ours}.{name}"), &format!("{theirs}.{name}"))
                })
                .norm(&format!("{ours}.norm"), &format!("{theirs}.layer_norm"))
        })
    }
}

impl ReferenceWeights for StockFormerConfig {
    const REFERENCE: &'static str = "RishiKarthikeyan07/ai-trader-saas@78c84a7:apps/api/app/ml/stockformer/model.py:StockFormer";

    fn key_map(&self) -> KeyMap {
        let map = self.trunk_key_map(self.inputs_key_map(KeyMap::new()));
        // Weights of the loss, which the network never reads.
        let map = map.ignore_below("head.log_var_");
        (0..self.windows.n_outputs).fold(map, |map, i| {
            let (ours, theirs) = (format!("heads.{i}"), format!("head.{}", head_name(i)));
            map.linear(&format!("{ours}.hidden"), &format!("{theirs}.0"))
                .linear(&format!("{ours}.output"), &format!("{theirs}.3"))
        })
    }
}
