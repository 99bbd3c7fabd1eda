//! The linear layer beside Burn's.

use burn::module::Module;
use burn::nn::Initializer;
use burn::tensor::activation::{relu, silu};
use burn::tensor::{DType, Device, Tensor};
use forge_nn::ops::{LinearActivation, linear_activation};
use forge_nn::{LinearConfig, ModuleConfig, StateDict, burn};
use forge_testkit::Noise;

use crate::checks::{check_parameters, close, in_f64, normal, numbers};

#[test]
fn parameters_are_named_shaped_and_drawn_as_burns() {
    let device = Device::flex();
    let state = |config: LinearConfig| {
        device.seed(11);
        StateDict::from_module(&config.init(&device).materialize()).unwrap()
    };
    device.seed(11);
    let burns = burn::nn::LinearConfig::new(7, 3)
        .init(&device)
        .materialize();
    let burns = StateDict::from_module(&burns).unwrap();
    assert_eq!(burns.tensors, state(LinearConfig::new(7, 3)).tensors);
    let names = |config| {
        let tensors = state(config).tensors;
        tensors.into_keys().collect::<Vec<_>>()
    };
    assert_eq!(names(LinearConfig::new(7, 3).with_bias(false)), ["weight"]);
}

#[test]
fn a_bias_can_start_otherwise_than_the_weight() {
    let ones = LinearConfig::new(5, 2).with_bias_initializer(Some(Initializer::Ones));
    let layer = ones.init(&Device::flex());
    assert_eq!(numbers(layer.bias.as_ref().unwrap().val()), [1.0; 2]);
    assert!(numbers(layer.weight.val()).iter().all(|w| w.abs() < 0.448));
    assert_eq!((layer.d_input(), layer.d_output()), (5, 2));
}

#[test]
fn the_layer_computes_the_formula() {
    let layer = in_f64(LinearConfig::new(5, 3).init(&crate::checks::device()));
    let x = normal::<3>([2, 7, 5]);
    let bias = layer.bias.as_ref().unwrap().val();
    let z = x.clone().matmul(layer.weight.val().unsqueeze()) + bias.unsqueeze();
    close(layer.forward(x.clone()), z.clone(), 1e-14);
    let activated = |activation| layer.forward_activated(x.clone(), activation);
    close(activated(LinearActivation::Relu), relu(z.clone()), 1e-14);
    close(activated(LinearActivation::Silu), silu(z.clone()), 1e-14);
    let columns = layer.forward_columns(x.clone(), 1, 2);
    close(columns, z.narrow(2, 1, 2), 1e-14);
    check_parameters(layer, |layer| layer.forward(x.clone()).square().sum());
}

#[test]
fn widths_are_checked() {
    let error = LinearConfig::new(0, 3).validate().unwrap_err();
    assert_eq!(error.to_string(), "config: d_input = 0, must be at least 1");
    assert!(LinearConfig::new(3, 0).validate().is_err());
    let layer = LinearConfig::new(5, 3).init(&Device::flex());
    let x = Tensor::<2>::ones([2, 4], &Device::flex());
    let run = std::panic::AssertUnwindSafe(|| layer.forward(x));
    let message = std::panic::catch_unwind(run).unwrap_err();
    let message = message.downcast::<String>().unwrap();
    assert!(
        message.contains("[2, 4]") && message.contains("[5, 3]"),
        "{message}"
    );
}

/// Rows of one result each are cut by the threads that there are, sums by the shape alone.
#[test]
fn results_do_not_depend_on_the_number_of_threads() {
    let run = || {
        let device = Device::flex().autodiff();
        let mut noise = Noise::new(7);
        let mut numbers = |shape: [usize; 2]| {
            Tensor::<2>::from_data(noise.tensor(&shape), (&device, DType::F32)).require_grad()
        };
        // For each way in which rows are cut by the width of the weight.
        [[520, 510], [800, 700], [1_030, 1_030], [40, 64]].map(|[inputs, outputs]| {
            let rows = 2_100;
            let x = numbers([rows, inputs]);
            let w = numbers([inputs, outputs]);
            let y = linear_activation(x.clone(), w.clone(), None, LinearActivation::Silu);
            let grads = y.clone().powi_scalar(2).sum().backward();
            [Some(y), x.grad(&grads), w.grad(&grads)].map(|found| found.unwrap().into_data())
        })
    };
    let with = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads);
        pool.build().unwrap().install(run)
    };
    let one = with(1);
    for threads in [2, 5] {
        assert!(one == with(threads), "{threads} threads");
    }
}
