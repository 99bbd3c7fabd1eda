//! The names of `tabicl`'s checkpoints.

use super::{SoftmaxScaling, TabIclConfig};
use crate::reference::{KeyMap, ReferenceWeights};

impl ReferenceWeights for TabIclConfig {
    const REFERENCE: &'static str = "tabicl==2.2.0:TabICL";

    fn key_map(&self) -> KeyMap {
        Names {
            map: KeyMap::new(),
            norm_bias: !self.bias_free_ln,
        }
        .columns(self)
        .rows(self)
        .learner(self)
        .map
        // Frequencies, which follow from the config, and levels of the quantiles.
        .ignore("row_interactor.tf_row.rope.freqs")
        .ignore("quantile_dist.alpha_levels")
    }
}

struct Names {
    map: KeyMap,
    norm_bias: bool,
}

impl Names {
    fn with(self, change: impl FnOnce(KeyMap) -> KeyMap) -> Self {
        Self {
            map: change(self.map),
            ..self
        }
    }

    fn linear(self, ours: &str, theirs: &str) -> Self {
        self.with(|map| map.linear(ours, theirs))
    }

    fn norm(self, ours: &str, theirs: &str) -> Self {
        let bias = self.norm_bias;
        let [weight, shift] =
            ["weight", "bias"].map(|part| (format!("{ours}.{part}"), format!("{theirs}.{part}")));
        self.with(|map| {
            let map = map.same(&weight.0, &weight.1);
            match bias {
                true => map.same(&shift.0, &shift.1),
                false => map,
            }
        })
    }

    fn columns(self, config: &TabIclConfig) -> Self {
        let theirs = "col_embedder";
        let mut names = self.linear("columns.input", &format!("{theirs}.in_linear"));
        if config.col_target_aware {
            names = names.linear("columns.label_encoder", &format!("{theirs}.y_encoder"));
        }
        for i in 0..config.col_num_blocks {
            let ours = format!("columns.blocks.{i}");
            let theirs = format!("{theirs}.tf_col.blocks.{i}");
            names = names
                .with(|map| {
                    map.same(
                        &format!("{ours}.inducing"),
                        &format!("{theirs}.ind_vectors"),
                    )
                })
                .block(
                    &format!("{ours}.gather"),
                    &format!("{theirs}.multihead_attn1"),
                    config.col_ssmax,
                )
                .block(
                    &format!("{ours}.spread"),
                    &format!("{theirs}.multihead_attn2"),
                    SoftmaxScaling::Plain,
                );
        }
        if config.col_affine {
            for (ours, w) in [("weight", "w"), ("bias", "b")] {
                let ours = format!("columns.affine.{ours}");
                names = names
                    .linear(&ours, &format!("{theirs}.out_{w}"))
                    .norm(&format!("{ours}_norm"), &format!("{theirs}.ln_{w}"));
            }
        }
        names
    }

    fn rows(self, config: &TabIclConfig) -> Self {
        let names = self
            .with(|map| map.same("rows.class_tokens", "row_interactor.cls_tokens"))
            .norm("rows.norm", "row_interactor.out_ln");
        (0..config.row_num_blocks).fold(names, |names, i| {
            let theirs = format!("row_interactor.tf_row.blocks.{i}");
            names.block(&format!("rows.blocks.{i}"), &theirs, SoftmaxScaling::Plain)
        })
    }

    fn learner(self, config: &TabIclConfig) -> Self {
        let theirs = "icl_predictor";
        let names = self
            .linear("learner.label_encoder", &format!("{theirs}.y_encoder"))
            .norm("learner.norm", &format!("{theirs}.ln"))
            .linear("learner.head_in", &format!("{theirs}.decoder.0"))
            .linear("learner.head_out", &format!("{theirs}.decoder.2"));
        (0..config.icl_num_blocks).fold(names, |names, i| {
            let theirs = format!("{theirs}.tf_icl.blocks.{i}");
            names.block(&format!("learner.blocks.{i}"), &theirs, config.icl_ssmax)
        })
    }

    fn block(self, ours: &str, theirs: &str, scaling: SoftmaxScaling) -> Self {
        let names = self
            .norm(
                &format!("{ours}.attention_norm"),
                &format!("{theirs}.norm1"),
            )
            .norm(&format!("{ours}.ffn_norm"), &format!("{theirs}.norm2"))
            .linear(&format!("{ours}.ffn_in"), &format!("{theirs}.linear1"))
            .linear(&format!("{ours}.ffn_out"), &format!("{theirs}.linear2"));
        let (ours, theirs) = (format!("{ours}.attention"), format!("{theirs}.attn"));
        names
            .with(|map| {
                let (weight, bias) = (
                    format!("{ours}.in_proj.weight"),
                    format!("{ours}.in_proj.bias"),
                );
                map.transposed(&weight, &format!("{theirs}.in_proj_weight"))
                    .same(&bias, &format!("{theirs}.in_proj_bias"))
            })
            .linear(&format!("{ours}.out_proj"), &format!("{theirs}.out_proj"))
            .scale(
                &format!("{ours}.scale"),
                &format!("{theirs}.ssmax_layer"),
                scaling,
            )
    }

    fn scale(self, ours: &str, theirs: &str, scaling: SoftmaxScaling) -> Self {
        match scaling {
            SoftmaxScaling::Plain => self,
            SoftmaxScaling::Log => self.with(|map| map.same(ours, &format!("{theirs}.scales"))),
            SoftmaxScaling::Network | SoftmaxScaling::NetworkElementwise => {
                self.two_linear(ours, &format!("{theirs}.mlp"))
            }
            SoftmaxScaling::QueryAware | SoftmaxScaling::QueryAwareElementwise => self
                .two_linear(&format!("{ours}.base"), &format!("{theirs}.base_mlp"))
                .two_linear(&format!("{ours}.query"), &format!("{theirs}.query_mlp")),
        }
    }

    fn two_linear(self, ours: &str, theirs: &str) -> Self {
        self.linear(&format!("{ours}.first"), &format!("{theirs}.0"))
            .linear(&format!("{ours}.last"), &format!("{theirs}.2"))
    }
}
