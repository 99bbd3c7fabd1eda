//! What the kernels for Burn's `flex` backend share: recycled buffers, vectorised arithmetic,
//! row-wise parallelism and products.

#[cfg(test)]
pub(super) mod beside;
pub(super) mod buffer;
pub(super) mod heads;
pub(super) mod in_place;
pub(super) mod product;
pub(super) mod real;
pub(super) mod row;
pub(super) mod rows;
pub(super) mod simd;
pub(super) mod transposed;
pub(super) mod view;
pub(super) mod waves;

pub(super) use product::{Matrices, Matrix, product};
pub(super) use real::Real;
