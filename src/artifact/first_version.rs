//! Names of tensors in files of version 1.

use std::collections::BTreeMap;

use burn::tensor::TensorData;

/// The tensors of the one model of a version-1 file under today's names.
pub(super) fn renamed(tensors: BTreeMap<String, TensorData>) -> BTreeMap<String, TensorData> {
    tensors
        .into_iter()
        .map(|(name, data)| (renamed_one(&name), data))
        .collect()
}

/// Today's name: FT-Transformer's attention was a layer of its own then.
pub(super) fn renamed_one(name: &str) -> String {
    name.replace(".attention.qkv.", ".attention.in_proj.")
        .replace(".attention.output.", ".attention.out_proj.")
}
