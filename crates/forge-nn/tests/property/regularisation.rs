use burn::module::Module;
use burn::tensor::{DType, Tensor};
use forge_nn::regularisation::{DropPathConfig, linear_drop_rates};
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
    let plain = x.clone().without_autodiff();
    assert_eq!(numbers(module.forward(plain)), numbers(x.clone()));
    let off = DropPathConfig::new(0.0).init(&device);
    assert_eq!(numbers(off.forward(x.clone())), numbers(x.clone()));
    assert_ne!(numbers(module.forward(x.clone())), numbers(x));
}

#[test]
fn linear_rule_and_its_limits() {
    assert_eq!(linear_drop_rates(4, 0.5), [0.125, 0.25, 0.375, 0.5]);
    assert!(linear_drop_rates(0, 0.5).is_empty());
    let error = DropPathConfig::new(1.0).validate().unwrap_err();
    assert_eq!(error.to_string(), "config: rate = 1, must be in 0.0..1.0");
}
