//! Each operation at values and shapes that nobody means and somebody has.

pub(crate) mod attention;
pub(crate) mod constant_rows;
mod element_types;
mod empty;
mod far;
mod half_sums;
mod not_finite;
mod panics;
mod plain_attention;
mod wrapping;
