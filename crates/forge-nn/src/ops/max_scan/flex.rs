//! The running maximum on `flex`: rows over the threads.

use burn::backend::flex::FlexTensor;
use burn::backend::{Flex, TensorMetadata};
use rayon::prelude::*;

use super::{MaxScanOps, reference};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::view::{Dense, by_dtype, width};

impl MaxScanOps for Flex {
    fn fused_max_scan(decay: FlexTensor, x: FlexTensor) -> FlexTensor {
        by_dtype!([&decay, &x], E => {
            forward::<E>(decay, x)
        }, reference::forward::<Self>(decay, x))
    }

    fn fused_max_scan_backward(
        decay: FlexTensor,
        x: FlexTensor,
        m: FlexTensor,
        dm: FlexTensor,
    ) -> (FlexTensor, FlexTensor) {
        by_dtype!([&decay, &x, &m, &dm], E => {
            backward::<E>(decay, x, m, dm)
        }, reference::backward::<Self>(decay, x, m, dm))
    }
}

fn forward<E: Real>(decay: FlexTensor, x: FlexTensor) -> FlexTensor {
    let (shape, time) = (x.shape(), width(&x));
    let dense = [decay, x].map(Dense::of);
    let [decay, x] = dense.each_ref().map(|dense| dense.slice::<E>());
    let mut m = Buffer::<E>::new(&shape);
    let rows = m.as_mut().par_chunks_mut(time);
    let inputs = decay.par_chunks(time).zip(x.par_chunks(time));
    rows.zip(inputs).for_each(|(m, (decay, x))| {
        let mut highest = x[0];
        m[0] = highest;
        for t in 1..time {
            highest = x[t].larger(highest + decay[t]);
            m[t] = highest;
        }
    });
    m.into_tensor(shape)
}

fn backward<E: Real>(
    decay: FlexTensor,
    x: FlexTensor,
    m: FlexTensor,
    dm: FlexTensor,
) -> (FlexTensor, FlexTensor) {
    let (shape, time) = (x.shape(), width(&x));
    let dense = [decay, x, m, dm].map(Dense::of);
    let [decay, x, m, dm] = dense.each_ref().map(|dense| dense.slice::<E>());
    let mut ddecay = Buffer::<E>::new(&shape);
    let mut dx = Buffer::<E>::new(&shape);
    let outputs = ddecay
        .as_mut()
        .par_chunks_mut(time)
        .zip(dx.as_mut().par_chunks_mut(time));
    outputs.enumerate().for_each(|(row, (ddecay, dx))| {
        let range = row * time..(row + 1) * time;
        let (decay, x) = (&decay[range.clone()], &x[range.clone()]);
        let (m, dm) = (&m[range.clone()], &dm[range]);
        let mut g = E::ZERO;
        for t in (0..time).rev() {
            g += dm[t];
            let kept = t > 0 && m[t - 1] + decay[t] > x[t];
            (ddecay[t], dx[t]) = if kept { (g, E::ZERO) } else { (E::ZERO, g) };
            if !kept {
                g = E::ZERO;
            }
        }
    });
    (ddecay.into_tensor(shape.clone()), dx.into_tensor(shape))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ops::flex::beside::{assert_same, noise};

    #[test]
    fn the_kernel_is_the_reference() {
        for time in [1, 2, 7, 64, 67] {
            let [decay, x, dm] = [1, 2, 3].map(|seed| noise(seed, &[3, time]));
            let m = forward::<f64>(decay.clone(), x.clone());
            let expected = reference::forward::<Flex>(decay.clone(), x.clone());
            assert_same("forward", std::slice::from_ref(&m), &[expected]);
            let inputs = (decay.clone(), x.clone(), m.clone(), dm.clone());
            let (ddecay, dx) = backward::<f64>(inputs.0, inputs.1, inputs.2, inputs.3);
            let (edecay, ex) = reference::backward::<Flex>(decay, x, m, dm);
            assert_same("gradient", &[ddecay, dx], &[edecay, ex]);
        }
    }
}
