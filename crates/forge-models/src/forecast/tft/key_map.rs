//! The reference's names.

use super::TftConfig;
use crate::forecast::SeriesSpec;
use crate::reference::{KeyMap, ReferenceWeights};

/// Names of the layers of a gated residual network.
fn residual_network(map: KeyMap, ours: &str, theirs: &str, context: bool, skip: bool) -> KeyMap {
    let map = map
        .linear(&format!("{ours}.input"), &format!("{theirs}.lin_a"))
        .linear(&format!("{ours}.hidden"), &format!("{theirs}.lin_i"))
        .linear(&format!("{ours}.gate.linear"), &format!("{theirs}.glu.lin"))
        .norm(&format!("{ours}.norm"), &format!("{theirs}.layer_norm.ln"));
    let (ours_context, theirs_context) = (
        format!("{ours}.context.weight"),
        format!("{theirs}.lin_c.weight"),
    );
    let map = match context {
        true => map.transposed(&ours_context, &theirs_context),
        // Made, and without a context never used.
        false => map.ignore(&theirs_context),
    };
    match skip {
        true => map.linear(&format!("{ours}.skip"), &format!("{theirs}.out_proj")),
        false => map,
    }
}

fn selection(map: KeyMap, ours: &str, theirs: &str, variables: usize, context: bool) -> KeyMap {
    let (joint, each) = (format!("{theirs}.joint_grn"), format!("{theirs}.var_grns"));
    let map = match variables {
        // Weighs one variable against none.
        1 => map.ignore_below(&format!("{joint}.")),
        _ => residual_network(map, &format!("{ours}.joint"), &joint, context, true),
    };
    (0..variables).fold(map, |map, j| {
        let (ours, theirs) = (format!("{ours}.each.{j}"), format!("{each}.{j}"));
        residual_network(map, &ours, &theirs, false, false)
    })
}

impl TftConfig {
    fn static_key_map(&self, map: KeyMap) -> KeyMap {
        let variables = self.static_variables();
        if variables == 0 {
            return map.ignore_below("static_encoder.");
        }
        let vsn = "static_encoder.vsn";
        let map = selection(map, "statics.selection", vsn, variables, false);
        let map = (0..self.static_contexts()).fold(map, |map, i| {
            let theirs = format!("static_encoder.context_grns.{i}");
            residual_network(map, &format!("statics.contexts.{i}"), &theirs, false, false)
        });
        let map = match self.windows.fixed_cardinalities.as_slice() {
            [] => map,
            _ => map.same("statics.codes.weight", "stat_code_embedding"),
        };
        match self.windows.d_embedding {
            0 => map,
            _ => map.linear("statics.embedding", "kronos_proj"),
        }
    }

    fn encoder_key_map(&self, map: KeyMap) -> KeyMap {
        let context = self.static_variables() > 0;
        let theirs = "temporal_encoder";
        let variables = [
            ("past_selection", "history_vsn", self.past_variables()),
            ("future_selection", "future_vsn", self.known_variables()),
        ];
        let map = variables.iter().fold(map, |map, (ours, name, variables)| {
            let (ours, name) = (format!("encoder.{ours}"), format!("{theirs}.{name}"));
            selection(map, &ours, &name, *variables, context)
        });
        let map = (0..self.n_rnn_layers).fold(map, |map, i| {
            map.lstm(
                &format!("encoder.past.{i}"),
                &format!("{theirs}.history_encoder"),
                i,
            )
            .lstm(
                &format!("encoder.future.{i}"),
                &format!("{theirs}.future_encoder"),
                i,
            )
        });
        map.linear("encoder.gate.linear", &format!("{theirs}.input_gate.lin"))
            .norm("encoder.norm", &format!("{theirs}.input_gate_ln"))
    }

    fn decoder_key_map(&self, map: KeyMap) -> KeyMap {
        let context = self.static_variables() > 0;
        let theirs = |name: &str| format!("temporal_fusion_decoder.{name}");
        let networks = [
            ("decoder.enrichment", "enrichment_grn", context),
            ("decoder.positionwise", "positionwise_grn", false),
        ];
        let map = networks.iter().fold(map, |map, (ours, name, context)| {
            residual_network(map, ours, &theirs(name), *context, false)
        });
        map.transposed(
            "decoder.attention.projection.weight",
            &theirs("attention.qkv_linears.weight"),
        )
        .transposed(
            "decoder.attention.output.weight",
            &theirs("attention.out_proj.weight"),
        )
        .linear(
            "decoder.attention_gate.linear",
            &theirs("attention_gate.lin"),
        )
        .norm("decoder.attention_norm", &theirs("attention_ln"))
        .linear("decoder.gate.linear", &theirs("decoder_gate.lin"))
        .norm("decoder.norm", &theirs("decoder_ln"))
        .linear("decoder.output", "output_adapter")
        .ignore(&theirs("attention._mask"))
    }

    /// The embeddings of numbers: in neuralforecast's names, or in those of the cases of TFT-XL,
    /// where targets and covariates of the past are prices.
    fn embedding_key_map(&self, map: KeyMap) -> KeyMap {
        let SeriesSpec {
            n_past,
            n_targets,
            n_fixed,
            ..
        } = self.windows;
        let observed = "encoder.observed_embedding";
        let (known, fixed) = ("encoder.known_embedding", "statics.numbers");
        let kinds = [("weight", "vectors"), ("bias", "bias")];
        kinds.iter().fold(map, |map, (ours, theirs)| {
            let name = |ours_name: &str| format!("{ours_name}.{ours}");
            let (map, prefix, names) = if self.targets_first {
                let map = map.same(&name(observed), &format!("price_{theirs}"));
                (map, "", ["known", "context"])
            } else {
                let rows = [("hist_exog", n_past), ("tgt", n_targets)];
                let rows = rows.iter().filter(|(_, rows)| *rows > 0);
                let rows = rows.map(|(variables, rows)| {
                    (format!("embedding.{variables}_embedding_{theirs}"), *rows)
                });
                let map = map.stacked(&name(observed), rows);
                let names = ["futr_exog_embedding", "stat_exog_embedding"];
                (map, "embedding.", names)
            };
            let map = map.same(&name(known), &format!("{prefix}{}_{theirs}", names[0]));
            match n_fixed {
                0 => map,
                _ => map.same(&name(fixed), &format!("{prefix}{}_{theirs}", names[1])),
            }
        })
    }
}

impl ReferenceWeights for TftConfig {
    const REFERENCE: &'static str =
        "Nixtla/neuralforecast@5ffa0d08:neuralforecast/models/tft.py:TFT";

    fn key_map(&self) -> KeyMap {
        let map = self.embedding_key_map(KeyMap::new());
        self.decoder_key_map(self.encoder_key_map(self.static_key_map(map)))
    }
}
