//! One layer in memory: row blocks over the threads, bias and activation while a block is in the cache, all
//! three gradients in one pass over the rows.

use rayon::prelude::*;

use super::blocks::{PARTS, separate_rows, summed_rows};
use crate::ops::activation::flex::{activate, before_activation, slopes};
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::in_place;
use crate::ops::flex::rows::{for_rows, summed_rows_per_task, sums_of_rows};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::{Matrices, Matrix, Real, product};
use crate::ops::linear::LinearActivation;

multiversion! {
    /// Adds every row to `sums`.
    fn add_rows<E>(rows: &[E], sums: &mut [E]) {
        in_place::add_rows(sums, rows);
    }
}

/// Elements of a weight whose gradient is written once, by its rows over the threads: sums over parts of
/// the batch would be several of it in memory.
const HUGE: usize = 1 << 20;

/// A layer without its bias.
pub(super) struct Layer<E> {
    pub(super) weight: Matrices<E>,
    pub(super) activation: LinearActivation,
}

/// Where the gradients of a layer go: `dx` is empty if nobody needs it.
pub(super) struct Gradients<'a, E> {
    pub(super) dx: &'a mut [E],
    pub(super) dweight: &'a mut [E],
    pub(super) dbias: &'a mut [E],
}

impl<E: Real> Layer<E> {
    /// `z` is the output. With `y` that is, and `z` the value before the activation.
    pub(super) fn forward(
        &self,
        input: &[E],
        bias: Option<&[E]>,
        z: &mut [E],
        y: Option<&mut [E]>,
    ) {
        let size = self.weight.size();
        let [inputs, outputs] = size;
        let rows = z.len() / outputs;
        // The product reaches into memory by these sizes.
        assert_eq!(input.len(), rows * inputs, "linear: input");
        let own = self.activation.on_its_own();
        let block = separate_rows(size, rows);
        let compute = |first: usize, out: &mut [E]| {
            let count = out.len() / outputs;
            if let Some(bias) = bias {
                for row in out.chunks_exact_mut(outputs) {
                    row.copy_from_slice(bias);
                }
            }
            // SAFETY: `out` are `count` rows of their own, `input` holds the rows from `first` on, and
            // the weight's strides stay within its storage.
            unsafe {
                product(
                    [count, inputs, outputs],
                    Matrix::new(out.as_mut_ptr(), outputs),
                    Matrix::new(input[first * inputs..].as_ptr(), inputs),
                    self.weight.matrix(0, 0),
                    E::ONE,
                    bias.is_some(),
                );
            }
        };
        let Some(y) = y else {
            for_rows(z, outputs, block, |first, out| {
                compute(first, out);
                if let Some(activation) = own {
                    activate(out, activation);
                }
            });
            return;
        };
        y.par_chunks_mut(block * outputs)
            .zip(z.par_chunks_mut(block * outputs))
            .enumerate()
            .for_each(|(task, (y, z))| {
                compute(task * block, z);
                y.copy_from_slice(z);
                if let Some(activation) = own {
                    activate(y, activation);
                }
            });
    }

    /// From the input, what the forward pass kept, and the gradient of the output.
    pub(super) fn backward(&self, input: &[E], z: &[E], dy: &[E], to: Gradients<'_, E>) {
        let size = self.weight.size();
        let [inputs, outputs] = size;
        let rows = dy.len() / outputs;
        // The products reach into memory by these sizes.
        assert_eq!(input.len(), rows * inputs, "linear: input");
        assert_eq!(z.len(), dy.len(), "linear: gradient");
        assert_eq!(to.dweight.len(), inputs * outputs, "linear: weight");
        if inputs * outputs >= HUGE {
            return self.huge_gradients(input, z, dy, to);
        }
        // The weight's gradient is summed over a few parts of the batch, each with its own
        // accumulator.
        let block = summed_rows(size, rows);
        let blocks = rows.div_ceil(block).max(1);
        let parts = blocks.min(PARTS);
        let part_rows = blocks.div_ceil(parts) * block;
        let part = |part: usize, to: Gradients<'_, E>| {
            let rows = (part * part_rows).min(rows)..((part + 1) * part_rows).min(rows);
            let here = rows.start * outputs..rows.end * outputs;
            let input = &input[rows.start * inputs..rows.end * inputs];
            self.part_gradients(input, &z[here.clone()], &dy[here], block, to);
        };
        if parts == 1 {
            return part(0, to);
        }
        let sums_of_part = (inputs + 1) * outputs;
        let mut sums = Buffer::<E>::new(&[parts, inputs + 1, outputs]);
        let run = |(at, (dx, sums)): (usize, (&mut [E], &mut [E]))| {
            let (dweight, dbias) = sums.split_at_mut(inputs * outputs);
            let to = Gradients { dx, dweight, dbias };
            part(at, to);
        };
        let of_parts = sums.as_mut().par_chunks_mut(sums_of_part);
        if to.dx.is_empty() {
            of_parts
                .enumerate()
                .for_each(|(at, sums)| run((at, (&mut [], sums))));
        } else {
            to.dx
                .par_chunks_mut(part_rows * inputs)
                .zip(of_parts)
                .enumerate()
                .for_each(run);
        }
        // Parts past the last row have run nothing when `dx` ran out of chunks.
        let used = rows.div_ceil(part_rows).max(1);
        let sums = &sums.as_mut()[..used * sums_of_part];
        for (part, sums) in sums.chunks_exact(sums_of_part).enumerate() {
            let (dw, db) = sums.split_at(inputs * outputs);
            if part == 0 {
                to.dweight.copy_from_slice(dw);
                to.dbias.copy_from_slice(db);
            } else {
                add_rows(dw, to.dweight);
                add_rows(db, to.dbias);
            }
        }
    }

    /// The gradients of some rows, block by block, on the calling thread.
    fn part_gradients(&self, input: &[E], z: &[E], dy: &[E], block: usize, to: Gradients<'_, E>) {
        let [inputs, outputs] = self.weight.size();
        let rows = dy.len() / outputs;
        let own = self.activation.on_its_own();
        to.dbias.fill(E::ZERO);
        if rows == 0 {
            to.dweight.fill(E::ZERO);
        }
        let mut scratch = match own {
            None => Vec::new(),
            Some(_) => vec![E::ZERO; block.min(rows) * outputs],
        };
        for first in (0..rows).step_by(block) {
            let count = block.min(rows - first);
            let range = first * outputs..(first + count) * outputs;
            let dz = match own {
                None => &dy[range],
                Some(activation) => {
                    let scratch = &mut scratch[..count * outputs];
                    slopes(scratch, &z[range.clone()], &dy[range], activation);
                    &*scratch
                }
            };
            add_rows(dz, to.dbias);
            let dz = Matrix::new(dz.as_ptr(), outputs);
            let input = Matrix::new(input[first * inputs..].as_ptr(), inputs);
            // SAFETY: each matrix covers `count` rows of its slice from `first` on; what is written is
            // borrowed for that.
            unsafe {
                product(
                    [inputs, count, outputs],
                    Matrix::new(to.dweight.as_mut_ptr(), outputs),
                    input.transposed(),
                    dz,
                    E::ONE,
                    first > 0,
                );
                if !to.dx.is_empty() {
                    let dx = &mut to.dx[first * inputs..][..count * inputs];
                    product(
                        [count, outputs, inputs],
                        Matrix::new(dx.as_mut_ptr(), inputs),
                        dz,
                        self.weight.matrix(0, 0).transposed(),
                        E::ONE,
                        false,
                    );
                }
            }
        }
    }

    /// The gradients where the weight is huge.
    fn huge_gradients(&self, input: &[E], z: &[E], dy: &[E], to: Gradients<'_, E>) {
        let [inputs, outputs] = self.weight.size();
        let rows = dy.len() / outputs;
        let mut scratch;
        let dz = match self.activation.on_its_own() {
            None => dy,
            Some(activation) => {
                scratch = before_activation(z, dy, activation);
                &*scratch.as_mut()
            }
        };
        // Few parts, since each packs all of `dz` anew.
        let part = inputs.div_ceil(if inputs < 2_048 { 2 } else { 4 });
        let parts = to.dweight.par_chunks_mut(part * outputs);
        parts.enumerate().for_each(|(i, dweight)| {
            let input = Matrix::new(input[i * part..].as_ptr(), inputs).transposed();
            // SAFETY: as many columns of `input` as `dweight` has rows, from the part's first on, in all
            // its rows; `dz` has a row for each of these.
            unsafe {
                product(
                    [dweight.len() / outputs, rows, outputs],
                    Matrix::new(dweight.as_mut_ptr(), outputs),
                    input,
                    Matrix::new(dz.as_ptr(), outputs),
                    E::ONE,
                    false,
                );
            }
        });
        let task = summed_rows_per_task(rows, outputs);
        let sums = sums_of_rows(rows, task, outputs, |rows, sums| {
            add_rows(&dz[rows.start * outputs..rows.end * outputs], sums);
        });
        to.dbias.copy_from_slice(&sums);
        if to.dx.is_empty() {
            return;
        }
        let block = separate_rows([inputs, outputs], rows);
        for_rows(to.dx, inputs, block, |first, dx| {
            // SAFETY: as many rows of `dz`, from `first` on, as `dx` has; the weight's strides stay
            // within its storage.
            unsafe {
                product(
                    [dx.len() / inputs, outputs, inputs],
                    Matrix::new(dx.as_mut_ptr(), inputs),
                    Matrix::new(dz[first * outputs..].as_ptr(), outputs),
                    self.weight.matrix(0, 0).transposed(),
                    E::ONE,
                    false,
                );
            }
        });
    }
}
