//! Results large enough to live in recycled memory are tensors like others: they can be copied, in
//! debug builds too.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops::{AdamWStep, adamw_step, layer_norm, softmax};

use super::evaluation::{tensor, values};

/// 64 KiB of f32.
const SHAPE: [usize; 2] = [128, 128];

fn result() -> Tensor<2> {
    let x = tensor(&values(1, 128 * 128), DType::F32, &Device::flex());
    layer_norm(x.reshape(SHAPE), None, None, 1e-5)
}

#[test]
fn data_of_a_result_can_be_cloned() {
    let data = result().into_data();
    assert_eq!(data.clone(), data);
}

#[test]
fn a_shared_result_is_copied_before_it_is_written() {
    let shared = result();
    let changed = shared
        .clone()
        .slice_assign([0..1, 0..1], Tensor::full([1, 1], 7.0, &Device::flex()));
    let (before, after) = (shared.into_data(), changed.into_data());
    assert_eq!(after.iter::<f32>().next(), Some(7.0));
    assert_ne!(before.iter::<f32>().next(), Some(7.0));
    assert!(before.iter::<f32>().skip(1).eq(after.iter::<f32>().skip(1)));
}

#[test]
fn a_shared_parameter_can_be_stepped() {
    let step = AdamWStep {
        learning_rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.0,
        time: 1,
    };
    let parameter = result();
    let zeros = || Tensor::<2>::zeros(SHAPE, &Device::flex());
    let gradient = softmax(result(), 1);
    let before: Vec<f64> = parameter.clone().into_data().iter().collect();
    let (p, m, v) = adamw_step(parameter.clone(), gradient, zeros(), zeros(), &step);
    // Once more, with moments that are results of their own.
    let shared = (m.clone(), v.clone());
    let (p, ..) = adamw_step(p, softmax(result(), 1), m, v, &step);
    let kept: Vec<f64> = parameter.into_data().iter().collect();
    assert_eq!(kept, before);
    let after: Vec<f64> = p.into_data().iter().collect();
    assert!(after.iter().zip(&before).all(|(a, b)| a < b));
    assert!(shared.0.into_data().iter::<f64>().all(|m| m > 0.0));
}
