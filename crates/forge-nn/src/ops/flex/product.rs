//! Matrix products by the `gemm` crate.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::Real;

/// A matrix in memory: strides count elements.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Matrix<P> {
    pub(crate) start: P,
    pub(crate) row_stride: isize,
    pub(crate) column_stride: isize,
}

impl<P> Matrix<P> {
    pub(crate) fn new(start: P, row_stride: usize) -> Self {
        Self {
            start,
            row_stride: row_stride as isize,
            column_stride: 1,
        }
    }

    pub(crate) fn transposed(self) -> Self {
        Self {
            start: self.start,
            row_stride: self.column_stride,
            column_stride: self.row_stride,
        }
    }
}

/// The matrices of one size that the last two axes of a tensor are, in its memory, where several
/// threads may read them.
#[derive(Clone)]
pub(crate) struct Matrices<E> {
    /// Each in its place; only read.
    starts: Vec<*const E>,
    size: [usize; 2],
    strides: [isize; 2],
}

// SAFETY: the memory behind it is only read, and outlives the parallel region.
unsafe impl<E> Sync for Matrices<E> {}

impl<E: Real> Matrices<E> {
    /// They may be read as long as `tensor` is held.
    pub(crate) fn of(tensor: &FlexTensor) -> Self {
        let (shape, layout) = (tensor.shape(), tensor.layout());
        let (rank, strides) = (shape.num_dims(), layout.strides());
        let storage = tensor.storage::<E>();
        let mut offsets = vec![layout.start_offset() as isize];
        for axis in 0..rank - 2 {
            let along = |offset: isize| (0..shape[axis] as isize).map(move |i| (offset, i));
            let all = offsets.into_iter().flat_map(along);
            offsets = all.map(|(offset, i)| offset + i * strides[axis]).collect();
        }
        let start = |offset: isize| storage[offset as usize..].as_ptr();
        Self {
            starts: offsets.into_iter().map(start).collect(),
            size: [shape[rank - 2], shape[rank - 1]],
            strides: [strides[rank - 2], strides[rank - 1]],
        }
    }

    /// How many there are.
    pub(crate) fn count(&self) -> usize {
        self.starts.len()
    }

    /// Rows and columns of each.
    pub(crate) fn size(&self) -> [usize; 2] {
        self.size
    }

    pub(crate) fn transposed(&self) -> Self {
        let ([rows, columns], [down, right]) = (self.size, self.strides);
        Self {
            starts: self.starts.clone(),
            size: [columns, rows],
            strides: [right, down],
        }
    }

    /// From row `row` of matrix `index` on.
    pub(crate) fn matrix(&self, index: usize, row: usize) -> Matrix<*const E> {
        Matrix {
            start: self.starts[index].wrapping_offset(row as isize * self.strides[0]),
            row_stride: self.strides[0],
            column_stride: self.strides[1],
        }
    }
}

/// `out = factor · lhs × rhs`, or `out += …` with `accumulate`, on the calling thread.
///
/// # Safety
/// The matrices `[m, n]`, `[m, k]`, `[k, n]` lie in memory that may be written (`out`) and read,
/// and `out` overlaps neither operand.
pub(crate) unsafe fn product<E: Real>(
    [m, k, n]: [usize; 3],
    out: Matrix<*mut E>,
    lhs: Matrix<*const E>,
    rhs: Matrix<*const E>,
    factor: E,
    accumulate: bool,
) {
    // SAFETY: passed on to the caller.
    unsafe {
        gemm::gemm(
            m,
            n,
            k,
            out.start,
            out.column_stride,
            out.row_stride,
            accumulate,
            lhs.start,
            lhs.column_stride,
            lhs.row_stride,
            rhs.start,
            rhs.column_stride,
            rhs.row_stride,
            if accumulate { E::ONE } else { E::ZERO },
            factor,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}

/// How an operand of [`multiply`] is stored.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Side {
    Plain,
    Transposed,
}

/// What becomes of what was in the output of [`multiply`].
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Update {
    Set,
    Add,
    Subtract,
}

/// `out [m, n] = lhs [m, k] × rhs [k, n]`, `out += …` or `out -= …`, on the calling thread.
#[inline(always)]
pub(crate) fn multiply<E: Real>(
    [m, k, n]: [usize; 3],
    out: &mut [E],
    lhs: (&[E], Side),
    rhs: (&[E], Side),
    update: Update,
) {
    assert!(out.len() == m * n && lhs.0.len() == m * k && rhs.0.len() == k * n);
    let matrix = |(values, side): (&[E], Side), rows: usize, columns: usize| match side {
        Side::Plain => Matrix::new(values.as_ptr(), columns),
        Side::Transposed => Matrix::new(values.as_ptr(), rows).transposed(),
    };
    let (lhs, rhs) = (matrix(lhs, m, k), matrix(rhs, k, n));
    let out = Matrix::new(out.as_mut_ptr(), n);
    let factor = match update {
        Update::Subtract => -E::ONE,
        Update::Set | Update::Add => E::ONE,
    };
    // SAFETY: the lengths are those of the three matrices, and `out` is borrowed for itself.
    unsafe { product([m, k, n], out, lhs, rhs, factor, update != Update::Set) }
}
