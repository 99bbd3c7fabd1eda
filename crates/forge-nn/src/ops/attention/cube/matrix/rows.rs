//! Parts of heads as operands of products.

use std::ops::Range;

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Slice;
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;

use super::super::heads::Heads;

/// `[B, H, T, D]` of a part of `heads`.
pub(super) fn part(
    heads: &CubeTensor,
    batch: &Range<usize>,
    group: &Range<usize>,
    rows: &Range<usize>,
) -> CubeTensor {
    let shape = heads.shape();
    let whole = [0..shape[0], 0..shape[1], 0..shape[2]];
    let wanted = [batch.clone(), group.clone(), rows.clone()];
    if whole == wanted {
        return heads.clone();
    }
    let slices: Vec<Slice> = wanted.into_iter().map(Slice::from).collect();
    CubeBackend::float_slice(heads.clone(), &slices)
}

pub(super) fn transposed(x: CubeTensor) -> CubeTensor {
    CubeBackend::float_swap_dims(x, 2, 3)
}

/// `[B, H, T, D]`, row-major, stored as the programs store what they make.
pub(super) fn stored(x: CubeTensor) -> Heads {
    let [b, h, t, d] = [0, 1, 2, 3].map(|axis| x.shape()[axis]);
    let interleaved = into_contiguous(CubeBackend::float_swap_dims(x, 1, 2));
    Heads::interleaved(interleaved, [b, h, t, d])
}

/// The sum over the query heads that share a key/value head: `[B, H, T, D]` to `[B, G, T, D]`.
pub(super) fn summed(x: CubeTensor, sharing: usize) -> CubeTensor {
    if sharing == 1 {
        return x;
    }
    let [b, h, t, d] = [0, 1, 2, 3].map(|axis| x.shape()[axis]);
    let apart = CubeBackend::float_reshape(x, [b, h / sharing, sharing, t * d].into());
    let sum = CubeBackend::float_sum_dim(apart, 2);
    CubeBackend::float_reshape(sum, [b, h / sharing, t, d].into())
}

/// Keys or values `[B, G, T, D]` for each of the query heads that share them.
pub(super) fn spread(x: CubeTensor, sharing: usize) -> CubeTensor {
    if sharing == 1 {
        return x;
    }
    let [b, g, t, d] = [0, 1, 2, 3].map(|axis| x.shape()[axis]);
    let apart = CubeBackend::float_reshape(x, [b, g, 1, t * d].into());
    let spread = CubeBackend::float_expand(apart, [b, g, sharing, t * d].into());
    CubeBackend::float_reshape(spread, [b, g * sharing, t, d].into())
}
