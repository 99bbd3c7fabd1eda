//! Tensors `[B, H, T, D]`, wherever their heads lie.

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::{DType, Shape, Slice};
use burn_cubecl::CubeBackend;
use burn_cubecl::kernel::into_contiguous;
use burn_cubecl::tensor::CubeTensor;
use burn_std::{Metadata, Strides as BurnStrides};

use super::super::PackedHeads;
use super::form::Strides;
use crate::ops::cube::launch::{empty, packed};

/// A buffer in which the features of a row of a head are adjacent.
#[derive(Clone, Debug)]
pub(super) struct Heads {
    /// As it came, or `[B, H, T, D]` where the programs made it.
    pub(super) tensor: CubeTensor,
    /// `[B, H, T, D]`.
    pub(super) dims: [usize; 4],
    pub(super) strides: Strides,
}

impl Heads {
    /// Of `[B, H, T, D]`; copied only where features are not adjacent.
    pub(super) fn new(tensor: CubeTensor) -> Self {
        let shape = tensor.shape();
        let dims = [shape[0], shape[1], shape[2], shape[3]];
        let adjacent = dims[3] == 1 || tensor.meta.strides()[3] == 1;
        let tensor = if adjacent && !tensor.meta.is_tiled() {
            tensor
        } else {
            into_contiguous(tensor)
        };
        let strides = tensor.meta.strides();
        let strides = Strides {
            offset: 0,
            batch: strides[0],
            head: strides[1],
            row: strides[2],
        };
        Self {
            tensor,
            dims,
            strides,
        }
    }

    /// Queries, keys and values out of `[B, T, (H + 2 Hkv) D]`, in place.
    pub(super) fn packed(qkv: CubeTensor, heads: PackedHeads) -> [Self; 3] {
        let qkv = packed(qkv);
        let shape = qkv.shape();
        let (batch, tokens, features) = (shape[0], shape[1], shape[2]);
        let PackedHeads { heads, groups } = heads;
        let width = features / (heads + 2 * groups);
        let mut offset = 0;
        [heads, groups, groups].map(|count| {
            let part = Self {
                tensor: qkv.clone(),
                dims: [batch, count, tokens, width],
                strides: Strides {
                    offset,
                    batch: tokens * features,
                    head: width,
                    row: features,
                },
            };
            offset += count * width;
            part
        })
    }

    /// Out of `[B, T, H D]`, in place.
    pub(super) fn merged_from(tensor: CubeTensor, heads: usize, width: usize) -> Self {
        let tensor = packed(tensor);
        let shape = tensor.shape();
        Self {
            dims: [shape[0], heads, shape[1], width],
            strides: Strides::interleaved(heads, shape[1], width),
            tensor,
        }
    }

    /// Uninitialised memory `[B, T, H, D]` beside `like`, seen as `[B, H, T, D]`.
    pub(super) fn empty(like: &CubeTensor, dims: [usize; 4], dtype: DType) -> Self {
        let [b, h, t, d] = dims;
        Self::interleaved(empty(like, [b, t, h, d], dtype), dims)
    }

    /// Of `[B, T, H, D]` without gaps, seen as `dims`, which are `[B, H, T, D]`.
    pub(super) fn interleaved(mut tensor: CubeTensor, dims: [usize; 4]) -> Self {
        let [_, h, t, d] = dims;
        let strides = Strides::interleaved(h, t, d);
        tensor.meta = Box::new(Metadata::new(
            Shape::from(dims),
            BurnStrides::new(&[strides.batch, strides.head, strides.row, 1]),
        ));
        Self {
            tensor,
            dims,
            strides,
        }
    }

    /// As a tensor `[B, H, T, D]`.
    pub(super) fn view(&self) -> CubeTensor {
        let [b, h, t, d] = self.dims;
        if self.tensor.shape() == Shape::from(self.dims) {
            return self.tensor.clone();
        }
        let width = self.tensor.shape()[2];
        let all = CubeBackend::float_reshape(self.tensor.clone(), [b, t, width / d, d].into());
        let first = self.strides.offset / d;
        let own = [0..b, 0..t, first..first + h].map(Slice::from);
        CubeBackend::float_swap_dims(CubeBackend::float_slice(all, &own), 1, 2)
    }

    /// `[B, T, H D]` of what [`empty`](Self::empty) made.
    pub(super) fn merged(mut self) -> CubeTensor {
        let [b, h, t, d] = self.dims;
        self.tensor.meta = Box::new(Metadata::new(
            Shape::from([b, t, h * d]),
            BurnStrides::new(&[t * h * d, h * d, 1]),
        ));
        self.tensor
    }
}
