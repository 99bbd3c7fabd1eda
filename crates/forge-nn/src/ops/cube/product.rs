//! Products and sums whose inner axis is long and whose result is small: cut, so that enough units
//! have work.

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, Shape};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::matmul::{MatmulStrategy, matmul};
use burn_cubecl::tensor::CubeTensor;
use burn_std::{Metadata, Strides};

use super::launch::units_are_cores;
use crate::ops::compute_dtype::compute_dtype;

/// Tiles of a result from which on a large GPU is busy, and their side.
const TILES: usize = 512;
const TILE: usize = 64;
/// The inner axis is not cut shorter than this.
const SHORTEST: usize = 256;

/// `a · b` over the last two axes in the type `dtype`; the axes before them are the same.
///
/// # Panics
/// If the device has no program for it: Burn falls back to one that always runs.
pub(crate) fn product(a: CubeTensor, b: CubeTensor, dtype: DType) -> CubeTensor {
    let rank = a.shape().num_dims();
    let (rows, inner) = (a.shape()[rank - 2], a.shape()[rank - 1]);
    let columns = b.shape()[rank - 1];
    let batch: usize = (0..rank - 2).map(|axis| a.shape()[axis]).product();
    let tiles = batch * rows.div_ceil(TILE) * columns.div_ceil(TILE);
    let parts = if units_are_cores(&a) {
        1
    } else {
        cuts(inner, TILES.div_ceil(tiles.max(1)))
    };
    if parts == 1 {
        return launch(a, b, dtype);
    }
    let compute = compute_dtype(a.dtype);
    let mut shape = a.shape();
    shape[rank - 1] = columns;
    let a = cut(a, rank - 1, parts, rank - 2);
    let b = cut(b, rank - 2, parts, rank - 2);
    let sum = CubeBackend::float_sum_dim(launch(a, b, compute), rank - 2);
    let sum = CubeBackend::float_reshape(sum, shape);
    match compute == dtype {
        true => sum,
        false => CubeBackend::float_cast(sum, dtype.into()),
    }
}

/// The sum of the rows of `[R, C]`, where R is at least 1: `[C]`.
pub(crate) fn sum_of_rows(x: CubeTensor) -> CubeTensor {
    let (rows, columns) = (x.shape()[0], x.shape()[1]);
    let dtype = x.dtype;
    // The longest chunks of which there are at least as many as a chunk has rows.
    let chunk = (1..=rows.isqrt())
        .rev()
        .find(|n| rows.is_multiple_of(*n))
        .unwrap_or(1);
    let x = CubeBackend::float_cast(x, compute_dtype(dtype).into());
    let chunks = CubeBackend::float_reshape(x, [rows / chunk, chunk, columns].into());
    let sums = CubeBackend::float_sum_dim(chunks, 1);
    let sums = CubeBackend::float_reshape(sums, [rows / chunk, columns].into());
    let sum = CubeBackend::float_reshape(CubeBackend::float_sum_dim(sums, 0), [columns].into());
    CubeBackend::float_cast(sum, dtype.into())
}

fn launch(a: CubeTensor, b: CubeTensor, dtype: DType) -> CubeTensor {
    match matmul(a, b, None, MatmulStrategy::default(), dtype) {
        Ok(product) => product,
        Err(error) => panic!("a product cannot be launched: {error:?}"),
    }
}

/// Into how many parts an axis is cut where `wanted` would keep all units busy: a power of two that
/// divides it.
fn cuts(inner: usize, wanted: usize) -> usize {
    let mut parts = 1;
    while parts < wanted && inner.is_multiple_of(parts * 2) && inner / (parts * 2) >= SHORTEST {
        parts *= 2;
    }
    parts
}

/// `axis` in `parts`, which become an axis of their own at `to`, wherever the elements lie.
fn cut(mut x: CubeTensor, axis: usize, parts: usize, to: usize) -> CubeTensor {
    let mut dims: Vec<usize> = x.shape().iter().copied().collect();
    let mut strides: Vec<usize> = x.meta.strides().iter().copied().collect();
    dims[axis] /= parts;
    dims.insert(to, parts);
    strides.insert(to, strides[axis] * dims[axis + usize::from(to <= axis)]);
    x.meta = Box::new(Metadata::new(Shape::from(dims), Strides::new(&strides)));
    x
}

#[cfg(test)]
mod tests {
    use super::cuts;

    #[test]
    fn an_axis_is_cut_where_it_is_long_and_even() {
        assert_eq!(cuts(10_496, 19), 32);
        assert_eq!(cuts(10_497, 19), 1);
        assert_eq!(cuts(8192, 16), 16);
        assert_eq!(cuts(8192, 1), 1);
        assert_eq!(cuts(1024, 100), 4);
        assert_eq!(cuts(64, 100), 1);
        assert_eq!(cuts(0, 100), 1);
    }
}
