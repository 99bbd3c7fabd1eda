//! When products are the faster way.

use burn::tensor::DType;
use burn_cubecl::cubecl::ir::features::MmaConfig;
use burn_cubecl::cubecl::ir::{ElemType, FloatKind};

use super::super::call::Call;
use crate::ops::cube::launch::{element, units_are_cores};

/// Queries and keys from which on it pays.
const TOKENS: usize = 64;

/// Whether `call` goes by products: on a device with matrix units for its type, over enough tokens.
/// For f32 those round the factors to TF32, as all of Burn's products there do. `FORGE_ATTENTION` (`units` or `products`) decides otherwise, for measuring.
pub(in super::super) fn pays(call: &Call) -> bool {
    let [.., queries, width] = call.q.dims;
    let [.., keys, _] = call.k.dims;
    // The gradient of the bias is summed over samples, which blocks of samples would undo.
    if call.bias.is_some() || queries * keys * width * call.v.dims[3] == 0 {
        return false;
    }
    match std::env::var("FORGE_ATTENTION").as_deref() {
        Ok("units") => return false,
        Ok("products") => return true,
        _ => {}
    }
    let enough = queries >= TOKENS && keys >= TOKENS && width >= 16;
    enough && !units_are_cores(&call.q.tensor) && has_matrix_units(call)
}

fn has_matrix_units(call: &Call) -> bool {
    let features = &call.q.tensor.client.properties().features.matmul;
    let wanted = match call.dtype() {
        DType::F32 => ElemType::Float(FloatKind::TF32),
        dtype => element(dtype),
    };
    let takes = |config: &MmaConfig| config.a_type == wanted;
    features.cmma.iter().any(takes) || features.mma.iter().any(takes)
}
