//! The mode decides, not the device.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::attention::{MultiHeadAttention, MultiHeadAttentionConfig};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::AttentionMask;
use forge_nn::regularisation::{DropPath, DropPathConfig, Dropout, DropoutConfig};
use forge_nn::{Mode, ModuleConfig, burn, set_mode};

use crate::checks::{device, numbers};

#[derive(Module, Debug)]
struct Layers {
    dropout: Dropout,
    path: Vec<DropPath>,
    attention: Option<MultiHeadAttention>,
    norm: BatchNorm,
    burns: burn::nn::BatchNorm,
}

fn layers(device: &Device) -> Layers {
    Layers {
        dropout: DropoutConfig::new(0.5).init(device),
        path: vec![DropPathConfig::new(0.5).init(device)],
        attention: Some(
            MultiHeadAttentionConfig::new(6, 2)
                .with_dropout(0.5)
                .init(device),
        ),
        norm: BatchNormConfig::new(6).init(device),
        burns: burn::nn::BatchNormConfig::new(6).init(device),
    }
}

/// What acts on input of `device`: dropout, stochastic depth, attention's dropout, batch
/// statistics.
fn acting(layers: &Layers, device: &Device) -> [bool; 4] {
    let x = || Tensor::<3>::random([17, 5, 6], burn::tensor::Distribution::Default, device);
    let differs = |forward: &dyn Fn(Tensor<3>) -> Tensor<3>| {
        let x = x() + 1.0;
        numbers(forward(x.clone())) != numbers(forward(x))
    };
    let before = numbers(layers.norm.running_mean.value());
    layers.norm.forward(x().reshape([85, 6]));
    [
        differs(&|x| layers.dropout.forward(x)),
        differs(&|x| layers.path[0].forward(x)),
        differs(&|x| {
            let attention = layers.attention.as_ref().unwrap();
            attention.forward(x, AttentionMask::none(), None)
        }),
        numbers(layers.norm.running_mean.value()) != before,
    ]
}

#[test]
fn the_mode_holds_on_every_device() {
    for device in [Device::flex(), device()] {
        for (mode, expected) in [
            (Mode::Train, [true; 4]),
            (Mode::Evaluate, [false; 4]),
            (Mode::Sample, [true, true, true, false]),
            (Mode::Train, [true; 4]),
        ] {
            let layers = set_mode(layers(&device), mode);
            assert_eq!(acting(&layers, &device), expected, "{mode:?} on {device:?}");
            assert_eq!(layers.burns.training.is_enabled(), mode == Mode::Train);
        }
    }
}

#[test]
fn without_a_mode_the_device_at_construction_decides() {
    let (plain, autodiff) = (Device::flex(), device());
    assert_eq!(acting(&layers(&plain), &plain), [false; 4]);
    assert_eq!(acting(&layers(&autodiff), &autodiff), [true; 4]);
    // Afterwards the device of the input is of no account.
    assert_eq!(acting(&layers(&plain), &autodiff), [false; 4]);
}

#[test]
fn valid_and_train_are_two_of_the_modes() {
    let (plain, autodiff) = (Device::flex(), device());
    let trained = layers(&plain).train();
    assert_eq!(acting(&trained, &autodiff), [true; 4]);
    assert_eq!(acting(&trained.valid(), &plain), [false; 4]);
    assert_eq!(acting(&trained.valid().train(), &autodiff), [true; 4]);
    let evaluated = set_mode(trained, Mode::Evaluate);
    assert_eq!(acting(&evaluated.valid(), &plain), [false; 4]);
    assert_eq!(acting(&evaluated.train(), &autodiff), [true; 4]);
}

#[test]
fn what_is_frozen_rests_in_every_mode() {
    let device = device();
    for mode in [Mode::Train, Mode::Evaluate, Mode::Sample] {
        let frozen = set_mode(layers(&device).freeze(), mode);
        assert_eq!(acting(&frozen, &device), [false; 4], "{mode:?}");
    }
}
