//! The reference's names, and what a checkpoint's shapes say of its config.

use forge_nn::{ForgeError, StateDict};

use super::TabPfnV2Config;
use crate::reference::{KeyMap, ReferenceWeights};

/// Of the features' linear map, without and with the step that removes nothing.
const X_ENCODER: [&str; 2] = ["encoder.5.layer", "encoder.6.layer"];
/// Of the target's linear map, for numbers and for classes.
const Y_ENCODER: [&str; 2] = ["y_encoder.1.layer", "y_encoder.2.layer"];
const LAYERS: &str = "transformer_encoder.layers";
const HEAD: &str = "decoder_dict.standard.2.bias";

impl ReferenceWeights for TabPfnV2Config {
    const REFERENCE: &'static str = "tabpfn==2.0.9:tabpfn.model.transformer.PerFeatureTransformer";

    /// Borders of buckets, where the checkpoint has them, are not the network's.
    fn key_map(&self) -> KeyMap {
        let x = X_ENCODER[usize::from(self.remove_duplicate_features)];
        let y = Y_ENCODER[usize::from(self.max_num_classes > 1)];
        let map = KeyMap::new()
            .transposed("x_encoder.weight", &format!("{x}.weight"))
            .linear("y_encoder", y)
            .linear(
                "position_encoder",
                "feature_positional_embedding_embeddings",
            )
            .linear("head_in", "decoder_dict.standard.0")
            .linear("head_out", "decoder_dict.standard.2")
            .ignore("criterion.borders")
            .ignore("criterion.losses_per_bucket");
        let map = match self.encoder_use_bias {
            true => map.same("x_encoder.bias", &format!("{x}.bias")),
            false => map,
        };
        (0..self.nlayers).fold(map, |map, i| {
            let (ours, theirs) = (format!("layers.{i}"), format!("{LAYERS}.{i}"));
            let attention = |map: KeyMap, ours: &str, theirs: &str| {
                map.same(&format!("{ours}.w_qkv"), &format!("{theirs}._w_qkv"))
                    .same(&format!("{ours}.w_out"), &format!("{theirs}._w_out"))
            };
            let map = attention(
                map,
                &format!("{ours}.features"),
                &format!("{theirs}.self_attn_between_features"),
            );
            attention(
                map,
                &format!("{ours}.items"),
                &format!("{theirs}.self_attn_between_items"),
            )
            .transposed(
                &format!("{ours}.ffn_in.weight"),
                &format!("{theirs}.mlp.linear1.weight"),
            )
            .transposed(
                &format!("{ours}.ffn_out.weight"),
                &format!("{theirs}.mlp.linear2.weight"),
            )
        })
    }
}

impl TabPfnV2Config {
    /// The config that a checkpoint of the authors has, from the names and shapes of its tensors. The
    /// number of columns is left to be set.
    ///
    /// # Errors
    /// A weights error naming a tensor that is missing or of no use.
    pub fn of_checkpoint(checkpoint: &StateDict) -> Result<Self, ForgeError> {
        let shape = |name: &str| -> Option<Vec<usize>> {
            let data = checkpoint.tensors.get(name)?;
            Some(data.shape().to_vec())
        };
        let missing = |name: &str| {
            let what =
                format!("{name} is missing or of the wrong rank: no checkpoint of tabpfn_v2");
            ForgeError::weights(what)
        };
        let which = |names: [&str; 2]| {
            let found = |name: &str| shape(&format!("{name}.weight"));
            let at = names.iter().position(|name| found(name).is_some());
            at.ok_or_else(|| missing(names[0]))
        };
        let duplicates = which(X_ENCODER)?;
        let x = X_ENCODER[duplicates];
        let Some([emsize, inputs]) = shape(&format!("{x}.weight")).as_deref().map(pair) else {
            return Err(missing(x));
        };
        let attention = format!("{LAYERS}.0.self_attn_between_features._w_qkv");
        let heads = shape(&attention).and_then(|shape| shape.get(1).copied());
        let nhead = heads.ok_or_else(|| missing(&attention))?;
        let outputs = shape(HEAD).and_then(|shape| shape.first().copied());
        let outputs = outputs.ok_or_else(|| missing(HEAD))?;
        let hidden = shape("decoder_dict.standard.0.bias").and_then(|s| s.first().copied());
        let of_layer = |i: usize| format!("{LAYERS}.{i}.mlp.linear1.weight");
        let classes = which(Y_ENCODER)? == 1;
        let default = Self::default();
        Ok(Self {
            emsize,
            nhead,
            nhid_factor: hidden.unwrap_or(0) / emsize.max(1),
            nlayers: (0..).take_while(|i| shape(&of_layer(*i)).is_some()).count(),
            features_per_group: inputs / 2,
            max_num_classes: if classes { outputs } else { 0 },
            num_buckets: if classes {
                default.num_buckets
            } else {
                outputs
            },
            encoder_use_bias: shape(&format!("{x}.bias")).is_some(),
            remove_duplicate_features: duplicates == 1,
            ..default
        })
    }
}

/// The two lengths of a matrix; zeros for anything else, which no config takes.
fn pair(shape: &[usize]) -> [usize; 2] {
    match shape {
        [rows, columns] => [*rows, *columns],
        _ => [0, 0],
    }
}
