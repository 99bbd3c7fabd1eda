//! Channels scaled and shifted on `flex`: one pass in each direction.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};

use super::{ChannelAffineOps, reference};
use crate::ops::LinearActivation;
use crate::ops::activation::flex::{activate, slopes};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::rows::{
    for_rows, for_rows_summing, shared_rows_per_task, summed_rows_per_task,
};
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype, width};
use crate::ops::optional::OptionalFloat;

impl ChannelAffineOps for Flex {
    fn fused_channel_affine(
        x: FlexTensor,
        origin: OptionalFloat<Self>,
        scale: FlexTensor,
        shift: OptionalFloat<Self>,
        activation: LinearActivation,
    ) -> FlexTensor {
        let (origin, shift) = (origin.into_option(), shift.into_option());
        let (known_origin, known_shift) =
            (origin.as_ref().unwrap_or(&x), shift.as_ref().unwrap_or(&x));
        by_dtype!([&x, known_origin, &scale, known_shift], E => {
            forward::<E>(x, origin, scale, shift, activation)
        }, reference::forward::<Self>(x, origin, scale, shift, activation))
    }

    fn fused_channel_affine_backward(
        x: FlexTensor,
        origin: OptionalFloat<Self>,
        scale: FlexTensor,
        shift: OptionalFloat<Self>,
        dy: FlexTensor,
        activation: LinearActivation,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        let (origin, shift) = (origin.into_option(), shift.into_option());
        let (known_origin, known_shift) =
            (origin.as_ref().unwrap_or(&x), shift.as_ref().unwrap_or(&x));
        by_dtype!([&x, known_origin, &scale, known_shift, &dy], E => {
            backward::<E>(x, origin, scale, shift, dy, activation)
        }, reference::backward::<Self>(x, origin, scale, shift, dy, activation))
    }
}

/// The values of an optional parameter, 0 where it is absent.
fn values_or_zeros<E: Real>(parameter: Option<FlexTensor>, width: usize) -> Vec<E> {
    match parameter {
        Some(parameter) => Dense::of(parameter).slice::<E>().to_vec(),
        None => vec![E::ZERO; width],
    }
}

/// The four rows of `width` in `block`.
#[inline(always)]
pub(in crate::ops) fn quarters<E>(block: &[E], width: usize) -> [&[E]; 4] {
    let (first, second) = block.split_at(2 * width);
    let ((a, b), (c, d)) = (first.split_at(width), second.split_at(width));
    [a, b, &c[..width], &d[..width]]
}

multiversion! {
    pub(in crate::ops) fn affine_rows<E>(x: &[E], origin: &[E], scale: &[E], shift: &[E], y: &mut [E]) {
        let width = origin.len();
        let (scale, shift) = (&scale[..width], &shift[..width]);
        for (x, y) in x.chunks_exact(width).zip(y.chunks_exact_mut(width)) {
            for i in 0..width {
                y[i] = (x[i] - origin[i]) * scale[i] + shift[i];
            }
        }
    }
}

multiversion! {
    /// The sums over the rows of `dy · (x - origin)` and of `dy`, one after the other.
    pub(in crate::ops) fn add_sums<E>(x: &[E], dy: &[E], origin: &[E], sums: &mut [E]) {
        let width = origin.len();
        let (products, levels) = sums.split_at_mut(width);
        let levels = &mut levels[..width];
        let (mut xs, mut dys) = (x.chunks_exact(4 * width), dy.chunks_exact(4 * width));
        for (x, dy) in (&mut xs).zip(&mut dys) {
            let ([a, b, c, d], [da, db, dc, dd]) = (quarters(x, width), quarters(dy, width));
            for i in 0..width {
                let o = origin[i];
                let first = da[i] * (a[i] - o) + db[i] * (b[i] - o);
                products[i] += first + (dc[i] * (c[i] - o) + dd[i] * (d[i] - o));
                levels[i] += (da[i] + db[i]) + (dc[i] + dd[i]);
            }
        }
        let rest = xs.remainder().chunks_exact(width);
        for (x, dy) in rest.zip(dys.remainder().chunks_exact(width)) {
            for i in 0..width {
                products[i] += dy[i] * (x[i] - origin[i]);
                levels[i] += dy[i];
            }
        }
    }
}

/// The sums of all groups, the first half and the second.
pub(in crate::ops) fn totals<E: Real>(groups: &[Vec<E>], width: usize) -> (Buffer<E>, Buffer<E>) {
    let halves = [0, width].map(|from| {
        let mut total = Buffer::<E>::zeros(&[width]);
        for sums in groups {
            let half = total.as_mut().iter_mut().zip(&sums[from..]);
            half.for_each(|(total, &sum)| *total += sum);
        }
        total
    });
    halves.into()
}

fn forward<E: Real>(
    x: FlexTensor,
    origin: Option<FlexTensor>,
    scale: FlexTensor,
    shift: Option<FlexTensor>,
    activation: LinearActivation,
) -> FlexTensor {
    let (shape, width) = (x.shape(), width(&x));
    let (x, scale) = (Dense::of(x), Dense::of(scale));
    let (x, scale) = (x.slice::<E>(), scale.slice::<E>());
    let origin = values_or_zeros::<E>(origin, width);
    let shift = values_or_zeros::<E>(shift, width);
    let task = shared_rows_per_task(x.len() / width, width);
    let own = activation.on_its_own();
    let mut y = Buffer::<E>::new(&[x.len()]);
    for_rows(y.as_mut(), width, task, |first, y| {
        affine_rows(&x[first * width..][..y.len()], &origin, scale, &shift, y);
        if let Some(activation) = own {
            activate(y, activation);
        }
    });
    y.into_tensor(shape)
}

/// Values whose activation is undone at a time: they stay in the cache meanwhile.
const BLOCK: usize = 4 << 10;

fn backward<E: Real>(
    x: FlexTensor,
    origin: Option<FlexTensor>,
    scale: FlexTensor,
    shift: Option<FlexTensor>,
    dy: FlexTensor,
    activation: LinearActivation,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let (shape, width) = (x.shape(), width(&x));
    let [x, scale, dy] = [x, scale, dy].map(Dense::of);
    let (x, scale, dy) = (x.slice::<E>(), scale.slice::<E>(), dy.slice::<E>());
    let origin = values_or_zeros::<E>(origin, width);
    let shift = values_or_zeros::<E>(shift, width);
    let task = summed_rows_per_task(x.len() / width, width);
    let own = activation.on_its_own();
    let mut dx = Buffer::<E>::new(&[x.len()]);
    let sums = for_rows_summing(dx.as_mut(), width, task, 2 * width, |first, dx, sums| {
        let range = first * width..first * width + dx.len();
        let (x, dy) = (&x[range.clone()], &dy[range]);
        let Some(activation) = own else {
            add_sums(x, dy, &origin, sums);
            dx.copy_from_slice(dy);
            return scale_rows(dx, scale);
        };
        let block = width * (BLOCK / width).max(4);
        let mut z = vec![E::ZERO; block.min(dx.len())];
        let blocks = x.chunks(block).zip(dy.chunks(block));
        for ((x, dy), dx) in blocks.zip(dx.chunks_mut(block)) {
            let z = &mut z[..dx.len()];
            affine_rows(x, &origin, scale, &shift, z);
            slopes(dx, z, dy, activation);
            add_sums(x, dx, &origin, sums);
            scale_rows(dx, scale);
        }
    });
    let (dscale, dshift) = totals(&[sums], width);
    (
        dx.into_tensor(shape),
        dscale.into_tensor([width]),
        dshift.into_tensor([width]),
    )
}

multiversion! {
    fn scale_rows<E>(rows: &mut [E], scale: &[E]) {
        for row in rows.chunks_exact_mut(scale.len()) {
            for (x, &scale) in row.iter_mut().zip(scale) {
                *x *= scale;
            }
        }
    }
}
