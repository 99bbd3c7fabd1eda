//! Dropout and stochastic depth.

use burn::module::Module;
use burn::tensor::{DType, Tensor};
use forge_nn::regularisation::{
    DropPathConfig, DropoutConfig, linear_drop_rates, with_dropout_factor,
};
use forge_nn::{ModuleConfig, burn};

use crate::checks::{device, numbers};

#[test]
fn drop_path_drops_whole_samples_and_keeps_the_expectation() {
    let device = device();
    device.seed(3);
    let module = DropPathConfig::new(0.3).init(&device);
    let ones = Tensor::<3>::ones([4001, 2, 3], (&device, DType::F64));
    let y = numbers(module.forward(ones));
    let kept = y.chunks(6).filter(|sample| {
        assert!(
            sample.iter().all(|v| v == &sample[0]),
            "a sample is dropped in part"
        );
        sample[0] != 0.0
    });
    let share = kept.count() as f64 / 4001.0;
    assert!((share - 0.7).abs() < 0.03, "{share}");
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    assert!((mean - 1.0).abs() < 0.04, "{mean}");
}

#[test]
fn drop_path_rests_outside_training() {
    let device = device();
    let x = Tensor::<2>::ones([31, 2], &device);
    let module = DropPathConfig::new(0.9).init(&device);
    assert_eq!(
        numbers(module.valid().forward(x.clone())),
        numbers(x.clone())
    );
    let off = DropPathConfig::new(0.0).init(&device);
    assert_eq!(numbers(off.forward(x.clone())), numbers(x.clone()));
    assert_ne!(numbers(module.forward(x.clone())), numbers(x));
}

#[test]
fn dropout_keeps_the_expectation_and_adds_the_residual() {
    let device = device();
    device.seed(5);
    let module = DropoutConfig::new(0.25).init(&device);
    let ones = Tensor::<2>::ones([211, 101], (&device, DType::F64));
    let y = numbers(module.forward(ones.clone()));
    let kept = y.iter().filter(|v| (**v - 4.0 / 3.0).abs() < 1e-12).count();
    let zero = y.iter().filter(|v| **v == 0.0).count();
    assert_eq!(kept + zero, y.len());
    assert!((kept as f64 / y.len() as f64 - 0.75).abs() < 0.01, "{kept}");
    let sum = numbers(module.residual(ones.clone(), ones.clone() * 2.0));
    assert!(
        sum.iter()
            .all(|v| *v == 2.0 || (v - 10.0 / 3.0).abs() < 1e-12)
    );
    assert_eq!(module.rate(), 0.25);
    let resting = module.valid();
    assert_eq!(resting.rate(), 0.0);
    assert_eq!(numbers(resting.forward(ones.clone())), numbers(ones));
    let error = DropoutConfig::new(1.0).validate().unwrap_err();
    assert_eq!(error.to_string(), "config: rate = 1, must be in 0.0..1.0");
}

#[test]
fn linear_rule_and_its_limits() {
    assert_eq!(linear_drop_rates(4, 0.5), [0.125, 0.25, 0.375, 0.5]);
    assert!(linear_drop_rates(0, 0.5).is_empty());
    let error = DropPathConfig::new(1.0).validate().unwrap_err();
    assert_eq!(error.to_string(), "config: rate = 1, must be in 0.0..1.0");
}

#[test]
fn a_factor_holds_within_its_pass_alone() {
    let device = device();
    let module = DropoutConfig::new(0.5).init(&device);
    let ones = Tensor::<2>::ones([97, 101], (&device, DType::F64));
    device.seed(5);
    let y = with_dropout_factor(0.2, || module.forward(ones.clone()));
    let kept = numbers(y).into_iter().filter(|v| *v != 0.0);
    let share = kept.count() as f64 / (97.0 * 101.0);
    assert!((share - 0.9).abs() < 0.01, "{share}");
    let nested = with_dropout_factor(0.2, || with_dropout_factor(0.4, || module.rate()));
    assert_eq!((nested, module.rate()), (0.2, 0.5));
    for (factor, rate) in [(0.0, 0.0), (-1.0, 0.0), (f64::NAN, 0.0), (9.0, 0.5)] {
        assert_eq!(with_dropout_factor(factor, || module.rate()), rate);
    }
    let panicked = std::panic::catch_unwind(|| with_dropout_factor(0.0, || panic!("in a pass")));
    assert!(panicked.is_err());
    assert_eq!(module.rate(), 0.5);
}
