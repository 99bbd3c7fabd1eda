//! The reference's names.

use super::{SaintConfig, SaintDenoisingHeads, SaintEncoder, TwoLayers};
use crate::reference::{KeyMap, ReferenceWeights};

/// Tensors of the reference that nothing reads: buffers, leftovers of other embeddings.
const UNREAD: [&str; 9] = [
    "categories_offset",
    "cat_mask_offset",
    "con_mask_offset",
    "norm.weight",
    "norm.bias",
    "single_mask.weight",
    "pos_encodings.weight",
    "transformer.embeds.weight",
    "transformer.mask_embed.weight",
];

impl ReferenceWeights for SaintConfig {
    const REFERENCE: &'static str = "somepago/saint@e288e84:models/pretrainmodel.py:SAINT";

    /// Besides what nothing reads, the heads of pre-training are left out.
    fn key_map(&self) -> KeyMap {
        let map = SaintEncoder::key_map(KeyMap::new(), self, "encoder");
        let map = TwoLayers::key_map(map, "head", "mlpfory");
        let map = unread(map);
        let map = ["pt_mlp", "pt_mlp2"]
            .into_iter()
            .fold(map, TwoLayers::ignore);
        match self.final_mlp_style {
            SaintDenoisingHeads::Common => {
                ["mlp1", "mlp2"].into_iter().fold(map, TwoLayers::ignore)
            }
            SaintDenoisingHeads::Sep => {
                let categories = 0..=self.cat_cardinalities.len();
                let categories = categories.map(|j| format!("mlp1.layers.{j}"));
                let numbers = (0..self.n_num_features).map(|j| format!("mlp2.layers.{j}"));
                categories
                    .chain(numbers)
                    .fold(map, |map, head| TwoLayers::ignore(map, &head))
            }
        }
    }
}

/// Leaves out what nothing reads.
pub(super) fn unread(map: KeyMap) -> KeyMap {
    let map = UNREAD.iter().fold(map, |map, name| map.ignore(name));
    // A network on the flattened tokens, of another model.
    ["0", "1", "2"].into_iter().fold(map, |map, layer| {
        map.ignore(&format!("mlp.mlp.{layer}.weight"))
            .ignore(&format!("mlp.mlp.{layer}.bias"))
    })
}
