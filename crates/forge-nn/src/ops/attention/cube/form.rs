//! How the programs are laid out on a device.

use burn::backend::TensorMetadata;
use burn::tensor::DType;
use burn_cubecl::cubecl;
use burn_cubecl::tensor::CubeTensor;
use cubecl::prelude::*;

use super::super::AttentionParams;
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::cube::launch::{units_are_cores, vector_size};

/// What is fixed when a program is compiled.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Form {
    /// `D`.
    pub(super) width: usize,
    /// `Dv`.
    pub(super) value_width: usize,
    /// Keys (or queries, where a unit owns keys) that are taken together.
    pub(super) block: usize,
    /// Whether the loops over features are unrolled, so that a row lives in registers.
    pub(super) unroll: bool,
    /// Whether causality or a window hides keys.
    pub(super) structured: bool,
    /// Whether that or a mask does, so that a query may be without a key.
    pub(super) hides: bool,
    /// Whether the mask is the same for all queries.
    pub(super) mask_by_key: bool,
    /// Whether scores are squashed.
    pub(super) softcap: bool,
    /// Whether weights are dropped.
    pub(super) dropout: bool,
}

/// [`Form`], and the vectors of a device.
#[derive(Clone, Copy, Debug)]
pub(super) struct Plan {
    pub(super) form: Form,
    /// Features that are loaded at once.
    pub(super) features: usize,
    /// Rows that a unit owns, one to a lane.
    pub(super) rows: usize,
}

impl Plan {
    /// `strides`: of everything that is read or written in vectors of features.
    pub(super) fn new(
        like: &CubeTensor,
        [width, value_width]: [usize; 2],
        strides: &[usize],
        mask: Option<&CubeTensor>,
        params: &AttentionParams,
    ) -> Self {
        let cores = units_are_cores(like);
        // A core has one row to each lane of its registers and reads keys as scalars, which it
        // multiplies with all of them. On a GPU the lanes are units already.
        let (features, rows) = if cores {
            let lanes = like.client.properties().hardware.load_width as usize / 8;
            (1, lanes / compute_dtype(like.dtype).size())
        } else {
            let lengths: Vec<_> = strides
                .iter()
                .chain([&width, &value_width])
                .copied()
                .collect();
            (vector_size(like, like.dtype, &lengths), 1)
        };
        Self {
            form: Form {
                width,
                value_width,
                block: 8,
                unroll: !cores,
                structured: params.is_structured(),
                hides: mask.is_some() || params.is_structured(),
                mask_by_key: mask.is_some_and(|mask| mask.shape()[2] == 1),
                softcap: params.softcap.is_some(),
                dropout: params.dropout > 0.0,
            },
            features,
            rows: rows.max(1),
        }
    }
}

/// Where a tensor `[B, H, T, …]` lies, in vectors.
#[derive(Clone, Copy, Debug, CubeType, CubeLaunch)]
pub(super) struct Layout {
    offset: usize,
    batch: usize,
    head: usize,
    row: usize,
}

#[cube]
impl Layout {
    /// One head of `rows` rows.
    pub(super) fn head(&self, batch: usize, head: usize, rows: usize) -> Head {
        Head {
            start: self.offset + batch * self.batch + head * self.head,
            step: self.row,
            rows,
        }
    }
}

/// Where the rows of one head lie, in vectors.
#[derive(Clone, Copy, Debug, CubeType)]
pub(super) struct Head {
    start: usize,
    step: usize,
    pub(super) rows: usize,
}

#[cube]
impl Head {
    /// Where a row starts; beyond the last, the last.
    pub(super) fn row(&self, row: usize) -> usize {
        self.start + min(row, self.rows - 1) * self.step
    }
}

/// The numbers of [`Layout`], in elements.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Strides {
    pub(super) offset: usize,
    pub(super) batch: usize,
    pub(super) head: usize,
    pub(super) row: usize,
}

impl Strides {
    /// Of `[B, T, H, width]` seen as `[B, H, T, width]`.
    pub(super) fn interleaved(heads: usize, rows: usize, width: usize) -> Self {
        Self {
            offset: 0,
            batch: rows * heads * width,
            head: width,
            row: heads * width,
        }
    }

    /// All that must be whole vectors.
    pub(super) fn list(&self) -> [usize; 4] {
        [self.offset, self.batch, self.head, self.row]
    }

    pub(super) fn launch(&self, vector: usize) -> LayoutLaunch {
        LayoutLaunch::new(
            self.offset / vector,
            self.batch / vector,
            self.head / vector,
            self.row / vector,
        )
    }
}

/// Sizes and numbers of a call.
#[derive(Clone, Copy, Debug, CubeType, CubeLaunch)]
pub(super) struct Problem {
    pub(super) batch: usize,
    pub(super) heads: usize,
    /// Query heads that share a key/value head.
    pub(super) sharing: usize,
    pub(super) queries: usize,
    pub(super) keys: usize,
    /// Keys before and after its own position that a query sees.
    pub(super) left: i32,
    pub(super) right: i32,
    pub(super) mask_batch: usize,
    pub(super) mask_head: usize,
    pub(super) mask_row: usize,
    pub(super) scale: InputScalar,
    pub(super) softcap: InputScalar,
    pub(super) keep_scale: InputScalar,
    pub(super) drop_threshold: u32,
}

/// Beyond every position, and a sum with one does not overflow.
pub(super) const FAR: i32 = 1 << 29;

/// The element type of an absent mask.
pub(super) const NO_MASK: DType = DType::U32;
