//! The package's names.

use super::TabNetConfig;
use super::feature_transformer::Stack;
use crate::reference::{KeyMap, ReferenceWeights};

impl ReferenceWeights for TabNetConfig {
    const REFERENCE: &'static str = "pytorch-tabnet==4.1.0:pytorch_tabnet.tab_network.TabNet";

    fn key_map(&self) -> KeyMap {
        // A second input norm that the package makes and never uses.
        let unused = ["weight", "bias", "running_mean", "running_var"].into_iter();
        let unused = unused.chain(["num_batches_tracked"]);
        let map = unused.fold(KeyMap::new(), |map, name| {
            map.ignore(&format!("tabnet.initial_bn.{name}"))
        });
        self.encoder_key_map(map, "tabnet.encoder")
            .transposed("head.weight", "tabnet.final_mapping.weight")
    }
}

impl TabNetConfig {
    /// The encoder, which is `encoder` here and `theirs` there, and its embeddings.
    pub(super) fn encoder_key_map(&self, map: KeyMap, theirs: &str) -> KeyMap {
        let stack = self.encoder_stack();
        let shared_at = format!("{theirs}.initial_splitter");
        let map = (0..self.cat_dims.len()).fold(map, |map, k| {
            map.same(
                &format!("encoder.columns.embeddings.{k}"),
                &format!("embedder.embeddings.{k}.weight"),
            )
        });
        let map = map.batch_norm("encoder.norm", &format!("{theirs}.initial_bn"));
        let map = stack.shared_key_map(map, "encoder.shared", &shared_at);
        let map = stack.key_map(map, "encoder.splitter", &shared_at, &shared_at);
        (0..self.n_steps).fold(map, |map, i| {
            let ours = format!("encoder.steps.{i}");
            let attention = format!("{theirs}.att_transformers.{i}");
            let map = map
                .transposed(
                    &format!("{ours}.attention.linear.weight"),
                    &format!("{attention}.fc.weight"),
                )
                .batch_norm(
                    &format!("{ours}.attention.norm.norm"),
                    &format!("{attention}.bn.bn"),
                );
            let features = format!("{theirs}.feat_transformers.{i}");
            stack.key_map(map, &format!("{ours}.features"), &features, &shared_at)
        })
    }
}

impl Stack<'_> {
    /// The shared layers `ours`, by the names that the transformer `theirs` has for them.
    pub(super) fn shared_key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        (0..self.n_shared).fold(map, |map, i| {
            map.transposed(&format!("{ours}.{i}.weight"), &shared_name(theirs, i))
        })
    }

    /// A transformer, with its names for the shared layers, which are mapped under the names of
    /// the transformer `shared_at` already.
    pub(super) fn key_map(&self, map: KeyMap, ours: &str, theirs: &str, shared_at: &str) -> KeyMap {
        let map = (0..self.n_shared).fold(map, |map, i| {
            let layer = format!("{theirs}.shared.glu_layers.{i}");
            let known = shared_name(shared_at, i);
            let map = match theirs == shared_at {
                true => map,
                false => map.alias(&known, &shared_name(theirs, i)),
            };
            map.alias(&known, &format!("{layer}.fc.weight")).batch_norm(
                &format!("{ours}.shared_norms.{i}.norm"),
                &format!("{layer}.bn.bn"),
            )
        });
        (0..self.n_own).fold(map, |map, i| {
            let layer = format!("{theirs}.specifics.glu_layers.{i}");
            map.transposed(
                &format!("{ours}.own.{i}.linear.weight"),
                &format!("{layer}.fc.weight"),
            )
            .batch_norm(
                &format!("{ours}.own.{i}.norm.norm"),
                &format!("{layer}.bn.bn"),
            )
        })
    }
}

/// The name of shared layer `i` in the transformer `theirs`.
fn shared_name(theirs: &str, i: usize) -> String {
    format!("{theirs}.shared.shared_layers.{i}.weight")
}
