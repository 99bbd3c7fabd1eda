//! The repository's names.

use super::{MaskedRevInConfig, MigtTvdtConfig};
use crate::reference::{KeyMap, ReferenceWeights};

impl MigtTvdtConfig {
    fn embedding_key_map(&self, map: KeyMap) -> KeyMap {
        let embedding = "input_embedding.variable_embed.projections";
        let names = |kind: &str| {
            let names = (0..self.n_variables()).map(|v| format!("{embedding}.{v}.{kind}"));
            names.collect::<Vec<String>>()
        };
        let width = self.d_model;
        let map = map
            .rows("variables.weight", names("weight"), [width, 1])
            .rows("variables.bias", names("bias"), [width]);
        let theirs = "input_embedding.positional_encoding.";
        match self.has_calendar() {
            true => self.calendar().key_map(map, "calendar.", theirs),
            false => map.linear("calendar.projection", &format!("{theirs}projection")),
        }
    }
}

impl ReferenceWeights for MigtTvdtConfig {
    const REFERENCE: &'static str = "cjfortu/FuturesSL@8f604a3:src/model";

    fn key_map(&self) -> KeyMap {
        let map = MaskedRevInConfig::key_map(KeyMap::new(), "revin.", "revin.");
        let map = self.embedding_key_map(map);
        let map = (0..self.n_temporal_layers).fold(map, |map, i| {
            let (ours, theirs) = (format!("temporal.{i}."), format!("temporal_layers.{i}."));
            self.block().key_map(map, &ours, &theirs)
        });
        let map = self
            .aggregation()
            .key_map(map, "aggregation.", "temporal_aggregation.");
        let map = (0..self.n_variable_layers).fold(map, |map, i| {
            let ours = format!("across.{i}");
            let (block, gate) = (format!("{ours}.block."), format!("{ours}.gate"));
            let theirs = format!("gated_norms.{i}");
            self.block()
                .key_map(map, &block, &format!("variable_layers.{i}."))
                .norm(&format!("{gate}.norm"), &format!("{theirs}.norm"))
                .linear(
                    &format!("{gate}.gate.gate_proj"),
                    &format!("{theirs}.gate.gate_proj"),
                )
        });
        let map = map.linear("output", "output_pool.0");
        self.head().key_map(map, "head.", "quantile_head.")
    }
}
