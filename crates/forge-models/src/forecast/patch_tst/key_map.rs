//! The authors' names.

use super::PatchTstConfig;
use crate::forecast::StepsLinear;
use crate::reference::{KeyMap, ReferenceWeights};

impl ReferenceWeights for PatchTstConfig {
    const REFERENCE: &'static str =
        "yuqinie98/PatchTST:PatchTST_supervised/models/PatchTST.py:Model";

    fn key_map(&self) -> KeyMap {
        let map = KeyMap::new()
            .linear("embedding", "model.backbone.W_P")
            .same("positions", "model.backbone.W_pos");
        let head = if self.individual {
            "model.head.linears"
        } else {
            "model.head.linear"
        };
        let map = StepsLinear::key_map(map, "head", head, self.each());
        let map = ["weight", "bias"].iter().fold(map, |map, kind| {
            let (ours, theirs) = (
                format!("revin.affine_{kind}"),
                format!("model.revin_layer.affine_{kind}"),
            );
            match self.has_affine() {
                true => map.same(&ours, &theirs),
                // It may be there and does nothing.
                false => map.ignore(&theirs),
            }
        });
        (0..self.e_layers).fold(map, |map, i| self.layer_key_map(map, i))
    }
}

impl PatchTstConfig {
    fn layer_key_map(&self, map: KeyMap, i: usize) -> KeyMap {
        let ours = format!("layers.{i}");
        let theirs = format!("model.backbone.encoder.layers.{i}");
        let attention = format!("{theirs}.self_attn");
        let projections = |kind: &str| {
            ["Q", "K", "V"].map(|p| (format!("{attention}.W_{p}.{kind}"), self.d_model))
        };
        let in_proj = format!("{ours}.attention.in_proj");
        map.stacked_transposed(&format!("{in_proj}.weight"), projections("weight"))
            .stacked(&format!("{in_proj}.bias"), projections("bias"))
            .linear(
                &format!("{ours}.attention.out_proj"),
                &format!("{attention}.to_out.0"),
            )
            .ignore(&format!("{attention}.sdp_attn.scale"))
            .batch_norm(
                &format!("{ours}.attention_norm"),
                &format!("{theirs}.norm_attn.1"),
            )
            .batch_norm(&format!("{ours}.ffn_norm"), &format!("{theirs}.norm_ffn.1"))
            .linear(&format!("{ours}.linear1"), &format!("{theirs}.ff.0"))
            .linear(&format!("{ours}.linear2"), &format!("{theirs}.ff.3"))
    }
}
