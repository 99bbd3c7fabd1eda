//! Matrix products by the `gemm` crate.

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
