//! The authors' names.

use super::TimeMixerConfig;
use super::two_layers::TwoLayers;
use crate::reference::{KeyMap, ReferenceWeights};

impl ReferenceWeights for TimeMixerConfig {
    const REFERENCE: &'static str = "kwuking/TimeMixer@8d230b7:models/TimeMixer.py:Model";

    fn key_map(&self) -> KeyMap {
        let embedding = "enc_embedding.value_embedding.tokenConv.weight";
        let marks = "enc_embedding.temporal_embedding.embed.weight";
        let map = KeyMap::new()
            .same("embedding", embedding)
            .linear("projection", "projection_layer");
        let map = match self.windows.n_past {
            0 => map.ignore(marks),
            _ => map.transposed("covariates.weight", marks),
        };
        let scales = 0..self.steps().len();
        let map = scales
            .clone()
            .fold(map, |map, k| self.scale_key_map(map, k));
        (0..self.e_layers).fold(map, |map, i| self.block_key_map(map, i))
    }
}

impl TimeMixerConfig {
    fn scale_key_map(&self, map: KeyMap, scale: usize) -> KeyMap {
        let norm = format!("normalize_layers.{scale}");
        let map = ["weight", "bias"].iter().fold(map, |map, kind| {
            let theirs = format!("{norm}.affine_{kind}");
            match self.use_norm {
                true => map.same(&format!("norms.{scale}.affine_{kind}"), &theirs),
                false => map.ignore(&theirs),
            }
        });
        let head = format!("predict_layers.{scale}");
        let map = map.linear(&format!("heads.{scale}"), &head);
        if self.channel_independence {
            return map;
        }
        let rest = format!("rests.{scale}");
        map.linear(&format!("{rest}.first"), &format!("out_res_layers.{scale}"))
            .linear(
                &format!("{rest}.second"),
                &format!("regression_layers.{scale}"),
            )
    }

    fn block_key_map(&self, map: KeyMap, i: usize) -> KeyMap {
        let (ours, theirs) = (format!("blocks.{i}"), format!("pdm_blocks.{i}"));
        // One of the two is called.
        let (ffn, unused) = match self.channel_independence {
            true => ("out_cross_layer", "cross_layer"),
            false => ("cross_layer", "out_cross_layer"),
        };
        let map = map
            .ignore_below(&format!("{theirs}.{unused}."))
            .ignore_below(&format!("{theirs}.layer_norm."));
        let map = TwoLayers::key_map(map, &format!("{ours}.ffn"), &format!("{theirs}.{ffn}"));
        let mixings = [
            ("season", "mixing_multi_scale_season.down_sampling_layers"),
            ("trend", "mixing_multi_scale_trend.up_sampling_layers"),
        ];
        mixings.iter().fold(map, |map, (part, name)| {
            (0..self.down_sampling_layers).fold(map, |map, step| {
                let ours = format!("{ours}.{part}.steps.{step}");
                TwoLayers::key_map(map, &ours, &format!("{theirs}.{name}.{step}"))
            })
        })
    }
}
