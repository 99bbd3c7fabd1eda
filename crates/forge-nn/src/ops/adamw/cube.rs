//! The AdamW step as a CubeCL program: one pass over parameter, gradient and moments.

use burn::backend::TensorMetadata;
use burn_cubecl::cubecl::prelude::InputScalar;
use burn_cubecl::tensor::CubeTensor;
use burn_cubecl::{CubeBackend, cubecl};
use cubecl::prelude::*;

use super::{AdamWOps, AdamWStep};
use crate::ops::compute_dtype::compute_dtype;
use crate::ops::cube::launch::{address_type, element, elementwise, empty, packed, vector_size};
use crate::ops::same_dtype::assert_same_dtype;

impl AdamWOps for CubeBackend {
    fn fused_adamw(
        parameter: CubeTensor,
        gradient: CubeTensor,
        moment_1: CubeTensor,
        moment_2: CubeTensor,
        step: AdamWStep,
    ) -> (CubeTensor, CubeTensor, CubeTensor) {
        let types = [
            ("parameter", Some(parameter.dtype)),
            ("gradient", Some(gradient.dtype)),
            ("moment_1", Some(moment_1.dtype)),
            ("moment_2", Some(moment_2.dtype)),
        ];
        assert_same_dtype("adamw_step", &types);
        let inputs = [parameter, gradient, moment_1, moment_2].map(packed);
        let like = &inputs[0];
        let outputs = [(); 3].map(|()| empty(like, like.shape(), like.dtype));
        let elements = like.shape().num_elements();
        if elements > 0 {
            let vector = vector_size(like, like.dtype, &[elements]);
            let compute = element(compute_dtype(like.dtype));
            let number = |value: f64| InputScalar::new(value, compute);
            let (count, dim) = elementwise(like, elements / vector);
            let [p, g, m, v] = inputs.clone().map(CubeTensor::into_buffer_arg);
            let [new_p, new_m, new_v] = outputs.clone().map(CubeTensor::into_buffer_arg);
            // SAFETY: units beyond the last vector stop.
            unsafe {
                program::launch_unchecked(
                    &like.client,
                    count,
                    dim,
                    address_type(&[like]),
                    vector,
                    p,
                    g,
                    m,
                    v,
                    new_p,
                    new_m,
                    new_v,
                    elements / vector,
                    NumbersLaunch::new(
                        number(step.beta_1),
                        number(1.0 - step.beta_1),
                        number(step.beta_2),
                        number(1.0 - step.beta_2),
                        number(1.0 / step.correction_2().sqrt()),
                        number(step.epsilon),
                        number(step.learning_rate / step.correction_1()),
                        number(1.0 - step.learning_rate * step.weight_decay),
                    ),
                    [element(like.dtype), compute],
                );
            }
        }
        outputs.into()
    }
}

/// What a step multiplies with.
#[derive(Clone, Copy, Debug, CubeType, CubeLaunch)]
struct Numbers {
    beta_1: InputScalar,
    rest_1: InputScalar,
    beta_2: InputScalar,
    rest_2: InputScalar,
    root_scale: InputScalar,
    epsilon: InputScalar,
    rate: InputScalar,
    decay: InputScalar,
}

#[cube(launch_unchecked, address_type = "dynamic")]
#[allow(clippy::too_many_arguments)]
fn program<E: Float, C: Float, N: Size>(
    p: &[Vector<E, N>],
    g: &[Vector<E, N>],
    m: &[Vector<E, N>],
    v: &[Vector<E, N>],
    new_p: &mut [Vector<E, N>],
    new_m: &mut [Vector<E, N>],
    new_v: &mut [Vector<E, N>],
    vectors: usize,
    numbers: Numbers,
    #[define(E, C)] _dtypes: [ElemType; 2],
) {
    let at = ABSOLUTE_POS;
    if at >= vectors {
        terminate!();
    }
    let beta_1 = Vector::<C, N>::new(numbers.beta_1.get::<C>());
    let rest_1 = Vector::<C, N>::new(numbers.rest_1.get::<C>());
    let beta_2 = Vector::<C, N>::new(numbers.beta_2.get::<C>());
    let rest_2 = Vector::<C, N>::new(numbers.rest_2.get::<C>());
    let root_scale = Vector::<C, N>::new(numbers.root_scale.get::<C>());
    let epsilon = Vector::<C, N>::new(numbers.epsilon.get::<C>());
    let rate = Vector::<C, N>::new(numbers.rate.get::<C>());
    let decay = Vector::<C, N>::new(numbers.decay.get::<C>());
    let gradient = Vector::<C, N>::cast_from(g[at]);
    let first = beta_1 * Vector::cast_from(m[at]) + rest_1 * gradient;
    let second = beta_2 * Vector::cast_from(v[at]) + rest_2 * (gradient * gradient);
    let parameter = Vector::<C, N>::cast_from(p[at]) * decay
        - rate * first / (second.sqrt() * root_scale + epsilon);
    new_p[at] = Vector::cast_from(parameter);
    new_m[at] = Vector::cast_from(first);
    new_v[at] = Vector::cast_from(second);
}
