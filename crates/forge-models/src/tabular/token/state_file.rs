//! What a backbone remembers, in a file.

use std::path::Path;

use burn::module::Module;
use burn::tensor::Device;
use forge_nn::recurrent::Carried;
use forge_nn::{FileFormat, ForgeError, StateDict, TensorFile};
use serde::{Deserialize, Serialize};

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.state",
    version: 1,
};

/// What the header of a file says.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Manifest {
    /// [`StateDict::digest`] of the weights that the state came about with.
    weights: String,
}

pub(super) fn write<M: Module, S: Carried>(
    backbone: &M,
    state: &S,
    path: &Path,
) -> Result<(), ForgeError> {
    let manifest = Manifest {
        weights: StateDict::from_module(backbone)?.digest(),
    };
    let tensors = StateDict::from_carried(state)?.tensors;
    TensorFile::write(path, FORMAT, &manifest, &tensors)
}

pub(super) fn read<M: Module, S: Carried>(
    backbone: &M,
    path: &Path,
    device: &Device,
) -> Result<S, ForgeError> {
    let (manifest, file) = TensorFile::<Manifest>::open(path, FORMAT)?.into_parts();
    if manifest.weights != StateDict::from_module(backbone)?.digest() {
        return Err(file.error(
            "is what a backbone with other weights remembered: read it with those, or read the \
             history again",
        ));
    }
    let tensors = file.tensors("")?;
    StateDict { tensors }
        .into_carried(device)
        .map_err(|e| file.error(e))
}
