use burn::module::{Module, Param};
use burn::nn::LinearConfig;
use burn::tensor::{DType, Tensor};
use forge_nn::burn;
use forge_nn::parameters::{Floats, PairVisitor, ParameterPath, dot, lerp, norm, zip_visit};
use proptest::prelude::*;

use super::net::{Either, FIXED, Net, filled, floats, lazy};
use crate::checks::{device, numbers};

fn takes(floats: Floats, name: &str) -> bool {
    floats == Floats::All || !FIXED.contains(&name)
}

fn one(tensor: Tensor<1>) -> f64 {
    let values = numbers(tensor);
    assert_eq!(values.len(), 1);
    values[0]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn arithmetic_is_that_of_the_numbers(
        seed in 0_u64..1000,
        weight in -0.5..1.5_f64,
        all: bool,
        training: [bool; 2],
    ) {
        let on = |training: bool| match training {
            true => device().autodiff(),
            false => device(),
        };
        let which = if all { Floats::All } else { Floats::Trainable };
        let a = filled(&on(training[0]), seed, DType::F64);
        let b = filled(&on(training[1]), seed + 1, DType::F64);
        let (x, y) = (floats(&a), floats(&b));
        let (mut product, mut square) = (0.0, 0.0);
        for (name, values) in x.iter().filter(|(name, _)| takes(which, name)) {
            product += values.iter().zip(&y[name]).map(|(p, q)| p * q).sum::<f64>();
            square += values.iter().map(|p| p * p).sum::<f64>();
        }
        let close = |found: f64, expected: f64| (found - expected).abs() < 1e-12 * (1.0 + square);
        prop_assert!(close(one(dot(&a, &b, which).unwrap()), product));
        prop_assert!(close(one(dot(&b, &a, which).unwrap()), product));
        prop_assert!(close(one(norm(&a, which).unwrap()), square.sqrt()));

        let (id, grad) = (a.cube.id, a.cube.is_require_grad());
        let mixed = lerp(a.clone(), &b, weight, which).unwrap();
        prop_assert_eq!(mixed.cube.id, id);
        prop_assert_eq!(mixed.cube.is_require_grad(), grad);
        prop_assert!(!mixed.frozen.is_require_grad());
        for (name, values) in floats(&mixed) {
            for ((found, p), q) in values.iter().zip(&x[&name]).zip(&y[&name]) {
                let expected = match takes(which, &name) {
                    true => (1.0 - weight) * p + weight * q,
                    false => *p,
                };
                prop_assert!((found - expected).abs() < 1e-12, "{}", name);
            }
        }
        // Nothing is written into either module.
        prop_assert_eq!(floats(&a), x);
        prop_assert_eq!(floats(&b), y);
    }

    #[test]
    fn equal_tensors_stay_as_they_are_to_the_bit(seed in 0_u64..1000, weight in 0.0..1.0_f64) {
        let net = filled(&device(), seed, DType::F32);
        let copy = filled(&device(), seed, DType::F32);
        let mixed = lerp(net.clone(), &copy, weight, Floats::All).unwrap();
        prop_assert_eq!(floats(&mixed), floats(&net));
    }
}

#[test]
fn a_pair_takes_part_if_either_side_is_trainable() {
    let a = filled(&device(), 3, DType::F64);
    let b = filled(&device().autodiff(), 4, DType::F64);
    let sum = one(dot(&a, &b, Floats::Trainable).unwrap());
    let frozen = a.clone().no_grad();
    assert_eq!(one(dot(&frozen, &b, Floats::Trainable).unwrap()), sum);
    assert_eq!(one(dot(&b, &frozen, Floats::Trainable).unwrap()), sum);
    let error = dot(&frozen, &b.clone().no_grad(), Floats::Trainable).unwrap_err();
    assert!(
        error.is_weights() && error.to_string().contains("Floats::All"),
        "{error}"
    );
    assert!(norm(&frozen, Floats::Trainable).is_err());
    let untouched = lerp(frozen.clone(), &b.no_grad(), 0.5, Floats::Trainable).unwrap();
    assert_eq!(floats(&untouched), floats(&frozen));
}

#[test]
fn products_are_differentiable_where_the_modules_are() {
    let a = filled(&device().autodiff(), 5, DType::F64);
    let b = filled(&device(), 6, DType::F64);
    let gradients = dot(&a, &b, Floats::Trainable).unwrap().backward();
    let found = numbers(a.cube.val().grad(&gradients).unwrap());
    assert_eq!(found, numbers(b.cube.val()));
}

#[test]
fn half_precision_is_summed_in_single() {
    let net = LinearConfig::new(300, 1).with_bias(false).init(&device());
    let ones = |value: f32| Tensor::<2>::full([300, 1], value, (&device(), DType::F16));
    let mut net = net;
    net.weight = Param::from_tensor(ones(200.0));
    let found = one(norm(&net, Floats::All).unwrap());
    assert!((found - 200.0 * 300_f64.sqrt()).abs() < 1e-2, "{found}");
}

#[test]
fn the_second_module_comes_to_the_type_of_the_first() {
    let (a, b) = (
        filled(&device(), 7, DType::F64),
        filled(&device(), 8, DType::F32),
    );
    let mixed = lerp(a, &b, 1.0, Floats::All).unwrap();
    assert_eq!(mixed.cube.val().dtype(), DType::F64);
    for (name, values) in floats(&mixed) {
        for (found, expected) in values.iter().zip(&floats(&b)[&name]) {
            assert!((found - expected).abs() < 1e-12, "{name}");
        }
    }
}

#[test]
fn modules_of_other_structure_are_refused_by_name() {
    struct Never;
    impl PairVisitor for Never {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, _: Tensor<D>, _: Tensor<D>) {
            panic!("{path} was visited");
        }
    }
    let net = lazy(&device());
    let mut other: Net = net.clone();
    other.list.pop();
    other.cube = Param::from_tensor(Tensor::zeros([2, 3, 4], &device()));
    other.either = Either::Deep(LinearConfig::new(3, 3).with_bias(false).init(&device()));
    let error = zip_visit(&net, &other, Floats::All, &mut Never).unwrap_err();
    assert!(error.is_weights());
    let text = error.to_string();
    for part in [
        "list.1.weight is only in the first module",
        "list.1.bias is only in the first module",
        "either.bias is only in the first module",
        "either.weight is [3] in one module and [3, 3] in the other",
        "cube is [2, 3, 2] in one module and [2, 3, 4] in the other",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let text = lerp(other, &net, 0.5, Floats::Trainable)
        .unwrap_err()
        .to_string();
    assert!(
        text.contains("list.1.weight is only in the second module"),
        "{text}"
    );
}
