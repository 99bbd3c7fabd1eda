//! The linear layer on `flex`: row blocks over the threads, bias and activation while a block is
//! in the cache, all three gradients in one pass over the rows.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{LinearActivation, LinearOps, reference};
use crate::ops::activation::flex::{activate, backward as before_activation, slopes};
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::in_place;
use crate::ops::flex::rows::{ALONE, for_rows, summed_rows_per_task, sums_of_rows};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};
use crate::ops::flex::{Matrices, Matrix, Real, product};
use crate::ops::optional::OptionalFloat;

impl LinearOps for Flex {
    fn fused_linear(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FlexTensor {
        let bias = bias.into_option();
        let known = bias.as_ref().unwrap_or(&weight);
        by_dtype!([&x, &weight, known], E => {
            forward::<E>(x, weight, bias, activation, false).0
        }, reference::forward::<Self>(x, weight, bias, activation).0)
    }

    fn fused_linear_forward(
        x: FlexTensor,
        weight: FlexTensor,
        bias: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> (FlexTensor, FlexTensor) {
        let bias = bias.into_option();
        let known = bias.as_ref().unwrap_or(&weight);
        by_dtype!([&x, &weight, known], E => {
            forward::<E>(x, weight, bias, activation, true)
        }, reference::forward::<Self>(x, weight, bias, activation))
    }

    fn fused_linear_backward(
        x: FlexTensor,
        weight: FlexTensor,
        z: FlexTensor,
        dy: FlexTensor,
        activation: LinearActivation,
        needs_input: bool,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&x, &weight, &z, &dy], E => {
            backward::<E>(x, weight, z, dy, activation, needs_input)
        }, reference::backward::<Self>(x, weight, z, dy, activation))
    }
}

/// Elements of a weight that no second-level cache holds.
const WIDE: usize = 1 << 18;

/// Rows that are worth a task of their own, although each packs the weight again.
const FEW: usize = 128;

/// Elements of input and output that one thread goes over sooner than it shares them.
const NARROW: usize = 1 << 16;

/// Rows of one block: few enough that input and output of a block share the second-level cache. A product
/// packs its whole weight first: of a wide one, which leaves the cache anyway, many rows share that. The
/// number of blocks is even, for two threads, wherever there are rows for two; it follows from the shape
/// alone, so that sums do not depend on the machine.
fn block_rows(inputs: usize, outputs: usize, rows: usize) -> usize {
    if rows * inputs * outputs < ALONE && rows * (inputs + outputs) < NARROW {
        return rows.max(1);
    }
    let most = match inputs * outputs >= WIDE {
        true => 512,
        false => ((160 << 10) / (inputs + outputs)).clamp(64, 384),
    };
    let blocks = match rows.div_ceil(most) {
        0 | 1 if rows < 2 * FEW => return most,
        blocks => blocks.next_multiple_of(2),
    };
    // A multiple of the products' own blocking.
    rows.div_ceil(blocks).next_multiple_of(16)
}

/// The output, and the value before the activation where the backward pass will need it
/// (otherwise the output again).
fn forward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    bias: Option<FlexTensor>,
    activation: LinearActivation,
    keep: bool,
) -> (FlexTensor, FlexTensor) {
    let mut shape = x.shape();
    let rank = shape.num_dims();
    let (inputs, outputs) = (weight.shape()[0], weight.shape()[1]);
    // The product reaches into memory by these sizes.
    assert_eq!(shape[rank - 1], inputs, "linear: x {shape:?}");
    shape[rank - 1] = outputs;
    let x = Dense::of(x);
    let input = x.slice::<E>();
    let rows = input.len() / inputs;
    let bias = bias.map(Dense::of);
    let bias = bias.as_ref().map(|bias| bias.slice::<E>());
    let w = Matrices::<E>::of(&weight);

    let own = activation.on_its_own();
    let mut z = Buffer::<E>::new(&[rows, outputs]);
    let keep = keep && matches!(activation, LinearActivation::Gelu | LinearActivation::Silu);
    let block = block_rows(inputs, outputs, rows);
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
                w.matrix(0, 0),
                E::ONE,
                bias.is_some(),
            );
        }
    };
    if !keep {
        for_rows(z.as_mut(), outputs, block, |first, out| {
            compute(first, out);
            if let Some(activation) = own {
                activate(out, activation);
            }
        });
        let y = z.into_tensor(shape);
        return (y.clone(), y);
    }
    let mut y = Buffer::<E>::new(&[rows, outputs]);
    y.as_mut()
        .par_chunks_mut(block * outputs)
        .zip(z.as_mut().par_chunks_mut(block * outputs))
        .enumerate()
        .for_each(|(task, (y, z))| {
            compute(task * block, z);
            y.copy_from_slice(z);
            if let Some(activation) = own {
                activate(y, activation);
            }
        });
    (y.into_tensor(shape.clone()), z.into_tensor(shape))
}

multiversion! {
    /// Adds every row to `sums`.
    fn add_rows<E>(rows: &[E], sums: &mut [E]) {
        in_place::add_rows(sums, rows);
    }
}

/// Elements of a weight whose gradient is written once, by its rows over the threads: sums over parts of
/// the batch would be several of it in memory.
const HUGE: usize = 1 << 20;

/// The gradients of `dz = dy · activation'(z)`, of a huge weight.
fn huge_gradients<E: Real>(
    input: &[E],
    w: &Matrices<E>,
    dz: &[E],
    needs_input: bool,
) -> [Buffer<E>; 3] {
    let [inputs, outputs] = w.size();
    let rows = dz.len() / outputs;
    let mut dweight = Buffer::<E>::new(&[inputs, outputs]);
    // Few parts, since each packs all of `dz` anew.
    let part = inputs.div_ceil(if inputs < 2_048 { 2 } else { 4 });
    let parts = dweight.as_mut().par_chunks_mut(part * outputs);
    parts.enumerate().for_each(|(i, dweight)| {
        let input = Matrix::new(input[i * part..].as_ptr(), inputs).transposed();
        // SAFETY: as many columns of `input` as `dweight` has rows, from the part's first on, in all its
        // rows; `dz` has a row for each of these.
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
    let mut dbias = Buffer::<E>::new(&[outputs]);
    dbias.as_mut().copy_from_slice(&sums);
    let mut dx = Buffer::<E>::new(&[if needs_input { rows } else { 0 }, inputs]);
    let block = block_rows(inputs, outputs, rows);
    if needs_input {
        for_rows(dx.as_mut(), inputs, block, |first, dx| {
            // SAFETY: as many rows of `dz`, from `first` on, as `dx` has; the weight's strides stay
            // within its storage.
            unsafe {
                product(
                    [dx.len() / inputs, outputs, inputs],
                    Matrix::new(dx.as_mut_ptr(), inputs),
                    Matrix::new(dz[first * outputs..].as_ptr(), outputs),
                    w.matrix(0, 0).transposed(),
                    E::ONE,
                    false,
                );
            }
        });
    }
    [dx, dweight, dbias]
}

fn backward<E: Real>(
    x: FlexTensor,
    weight: FlexTensor,
    z: FlexTensor,
    dy: FlexTensor,
    activation: LinearActivation,
    needs_input: bool,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let shape = x.shape();
    let (inputs, outputs) = (width(&x), width(&dy));
    // The products reach into memory by these sizes.
    assert_eq!(weight.shape()[..], [inputs, outputs], "linear: weight");
    let x = Dense::of(x);
    let input = x.slice::<E>();
    let rows = input.len() / inputs;
    let w = Matrices::<E>::of(&weight);
    let gradients = |[dx, dweight, dbias]: [Buffer<E>; 3]| {
        let dx = match needs_input {
            true => dx.into_tensor(shape),
            false => Buffer::<E>::zeros(&[1]).into_tensor([1]),
        };
        let dweight = dweight.into_tensor([inputs, outputs]);
        (dx, dweight, dbias.into_tensor([outputs]))
    };
    if inputs * outputs >= HUGE {
        let dz = match activation.on_its_own() {
            Some(activation) => before_activation::<E>(z, dy, activation),
            None => dy,
        };
        let dz = Dense::of(dz);
        return gradients(huge_gradients(input, &w, dz.slice(), needs_input));
    }
    let (z, dy) = (Dense::of(z), Dense::of(dy));
    let (z, dy) = (z.slice::<E>(), dy.slice::<E>());

    let mut dx = Buffer::<E>::new(&[if needs_input { rows } else { 0 }, inputs]);
    // The weight's gradient is summed over a few parts of the batch, each with its own
    // accumulator; how many depends on the shape alone.
    let block = block_rows(inputs, outputs, rows);
    let blocks = rows.div_ceil(block).max(1);
    let parts = blocks.min(4);
    let part_rows = blocks.div_ceil(parts) * block;
    let mut sums = Buffer::<E>::new(&[parts, inputs + 1, outputs]);

    let run = |part: usize, dx: &mut [E], sums: &mut [E]| {
        let (dw, db) = sums.split_at_mut(inputs * outputs);
        db.fill(E::ZERO);
        let own = activation.on_its_own();
        let mut scratch = match own {
            None => Vec::new(),
            Some(_) => vec![E::ZERO; block * outputs],
        };
        let (from, to) = (part * part_rows, ((part + 1) * part_rows).min(rows));
        if from >= to {
            dw.fill(E::ZERO);
        }
        let mut first = from;
        while first < to {
            let count = block.min(to - first);
            let range = first * outputs..(first + count) * outputs;
            let dz = match own {
                None => &dy[range],
                Some(activation) => {
                    let scratch = &mut scratch[..count * outputs];
                    slopes(scratch, &z[range.clone()], &dy[range], activation);
                    &*scratch
                }
            };
            add_rows(dz, db);
            let dz = Matrix::new(dz.as_ptr(), outputs);
            let input = Matrix::new(input[first * inputs..].as_ptr(), inputs);
            // SAFETY: each matrix covers `count` rows of its slice from `first` on; `dx` and `dw`
            // belong to this part alone.
            unsafe {
                product(
                    [inputs, count, outputs],
                    Matrix::new(dw.as_mut_ptr(), outputs),
                    input.transposed(),
                    dz,
                    E::ONE,
                    first > from,
                );
                if needs_input {
                    let dx = &mut dx[(first - from) * inputs..][..count * inputs];
                    product(
                        [count, outputs, inputs],
                        Matrix::new(dx.as_mut_ptr(), inputs),
                        dz,
                        w.matrix(0, 0).transposed(),
                        E::ONE,
                        false,
                    );
                }
            }
            first += count;
        }
    };
    let size = (inputs + 1) * outputs;
    if parts == 1 {
        run(0, dx.as_mut(), sums.as_mut());
    } else if needs_input {
        dx.as_mut()
            .par_chunks_mut(part_rows * inputs)
            .zip(sums.as_mut().par_chunks_mut(size))
            .enumerate()
            .for_each(|(part, (dx, sums))| run(part, dx, sums));
    } else {
        sums.as_mut()
            .par_chunks_mut(size)
            .enumerate()
            .for_each(|(part, sums)| run(part, &mut [], sums));
    }
    // Parts past the last row have run nothing when `dx` ran out of chunks.
    let used = rows.div_ceil(part_rows).max(1);
    let mut dweight = Buffer::<E>::new(&[inputs, outputs]);
    let mut dbias = Buffer::<E>::new(&[outputs]);
    let sums = &sums.as_mut()[..used * size];
    for (part, sums) in sums.chunks_exact(size).enumerate() {
        let (dw, db) = sums.split_at(inputs * outputs);
        if part == 0 {
            dweight.as_mut().copy_from_slice(dw);
            dbias.as_mut().copy_from_slice(db);
        } else {
            add_rows(dw, dweight.as_mut());
            add_rows(db, dbias.as_mut());
        }
    }
    gradients([dx, dweight, dbias])
}
