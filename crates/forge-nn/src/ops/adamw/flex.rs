//! The AdamW step on `flex`: one pass over parameter, gradient and moments, in place.

use burn::backend::Flex;
use burn::backend::flex::FlexTensor;
use rayon::prelude::*;

use super::{AdamWOps, AdamWStep, reference};
use crate::ops::flex::Real;
use crate::ops::flex::simd::multiversion;
use crate::ops::flex::view::{Dense, by_dtype};

impl AdamWOps for Flex {
    fn fused_adamw(
        parameter: FlexTensor,
        gradient: FlexTensor,
        moment_1: FlexTensor,
        moment_2: FlexTensor,
        step: AdamWStep,
    ) -> (FlexTensor, FlexTensor, FlexTensor) {
        by_dtype!([&parameter, &gradient, &moment_1, &moment_2], E => {
            run::<E>(parameter, gradient, moment_1, moment_2, &step)
        }, reference::step::<Self>(parameter, gradient, moment_1, moment_2, &step))
    }
}

/// Elements of one task.
const TASK: usize = 16 << 10;

fn run<E: Real>(
    parameter: FlexTensor,
    gradient: FlexTensor,
    moment_1: FlexTensor,
    moment_2: FlexTensor,
    step: &AdamWStep,
) -> (FlexTensor, FlexTensor, FlexTensor) {
    let gradient = Dense::of(gradient);
    let [mut p, mut m, mut v] = [parameter, moment_1, moment_2].map(FlexTensor::to_whole);
    let numbers = [
        step.beta_1,
        1.0 - step.beta_1,
        step.beta_2,
        1.0 - step.beta_2,
        1.0 / step.correction_2().sqrt(),
        step.epsilon,
        step.learning_rate / step.correction_1(),
        1.0 - step.learning_rate * step.weight_decay,
    ]
    .map(E::of);
    let g = gradient.slice::<E>();
    p.storage_mut::<E>()
        .par_chunks_mut(TASK)
        .zip(m.storage_mut::<E>().par_chunks_mut(TASK))
        .zip(v.storage_mut::<E>().par_chunks_mut(TASK))
        .zip(g.par_chunks(TASK))
        .for_each(|(((p, m), v), g)| update(p, g, m, v, &numbers));
    (p, m, v)
}

/// A tensor that covers its whole buffer, so that the buffer can be written as it is.
trait Whole {
    fn to_whole(self) -> Self;
}

impl Whole for FlexTensor {
    fn to_whole(self) -> Self {
        use burn::backend::TensorMetadata;
        let elements = self.shape().num_elements();
        let size = self.dtype().size();
        if self.layout().contiguous_offsets() == Some((0, elements))
            && self.bytes().len() == elements * size
        {
            self
        } else {
            self.to_contiguous()
        }
    }
}

/// Moments smaller than this are 0. Those of a weight whose gradient has become 0 (a dead unit, a
/// category that no longer comes) would shrink into the subnormal numbers and stay there, and some
/// processors take a hundred times as long for those. A weight moves by `m / (√v + ε)`: beside any
/// usual ε, 1e-8, moments of this size are nothing.
const FAINT: f64 = 1e-30;

multiversion! {
    fn update<E>(p: &mut [E], g: &[E], m: &mut [E], v: &mut [E], numbers: &[E; 8]) {
        let [beta_1, rest_1, beta_2, rest_2, root_scale, epsilon, rate, decay] = *numbers;
        let faint = E::of(FAINT);
        // Numbers that are not finite stay.
        let kept = |x: E| if x < faint && x > -faint { E::ZERO } else { x };
        for (((p, &g), m), v) in p.iter_mut().zip(g).zip(m).zip(v) {
            *m = kept(beta_1 * *m + rest_1 * g);
            *v = kept(beta_2 * *v + rest_2 * (g * g));
            *p = *p * decay - rate * *m / (v.sqrt() * root_scale + epsilon);
        }
    }
}
