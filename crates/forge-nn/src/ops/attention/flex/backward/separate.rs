//! Gradients of keys and values by query head, where several query heads share a key/value head.

use rayon::prelude::*;

use super::Gradients;
use crate::ops::attention::flex::{Heads, Sizes, fresh_heads};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::simd::multiversion;

/// `[B, Tk, H, D]`: as much memory as the queries take, twice.
pub(super) struct Separate<E: Real> {
    dk: Buffer<E>,
    dv: Buffer<E>,
}

impl<E: Real> Separate<E> {
    pub(super) fn new(sizes: &Sizes) -> Self {
        let Sizes {
            batch, heads, keys, ..
        } = *sizes;
        Self {
            dk: Buffer::new(&[batch, keys, heads, sizes.width]),
            dv: Buffer::new(&[batch, keys, heads, sizes.value_width]),
        }
    }

    /// Where the tasks write.
    pub(super) fn gradients(&mut self, sizes: &Sizes, dq: Heads<*mut E>) -> Gradients<E> {
        let Sizes { heads, keys, .. } = *sizes;
        Gradients {
            dq,
            dk: fresh_heads(&mut self.dk, heads, keys, sizes.width),
            dv: fresh_heads(&mut self.dv, heads, keys, sizes.value_width),
        }
    }

    /// Adds the query heads up, in their order.
    pub(super) fn sum(&mut self, sizes: &Sizes, into: &Gradients<E>) {
        sum(self.dk.as_mut(), sizes, sizes.width, into.dk);
        sum(self.dv.as_mut(), sizes, sizes.value_width, into.dv);
    }
}

fn sum<E: Real>(separate: &[E], sizes: &Sizes, width: usize, into: Heads<*mut E>) {
    let shared = sizes.sharing() * width;
    separate
        .par_chunks_exact(sizes.heads * width)
        .with_min_len(64)
        .enumerate()
        .for_each(|(token, heads)| {
            let (batch, token) = (token / sizes.keys, token % sizes.keys);
            for (group, heads) in heads.chunks_exact(shared).enumerate() {
                // SAFETY: the row lies within the gradient, and this task alone writes it.
                let total = unsafe {
                    let row = into.at(batch, group, token).start;
                    std::slice::from_raw_parts_mut(row, width)
                };
                add_up(heads, total);
            }
        });
}

multiversion! {
    /// The sum of rows that follow each other.
    fn add_up<E>(rows: &[E], total: &mut [E]) {
        let width = total.len();
        total.copy_from_slice(&rows[..width]);
        for row in rows[width..].chunks_exact(width) {
            for (total, &value) in total.iter_mut().zip(row) {
                *total += value;
            }
        }
    }
}
