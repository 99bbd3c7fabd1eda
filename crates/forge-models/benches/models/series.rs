//! Forecasting models on windows of ETTh1's shape.

use burn::optim::GradientsParams;
use burn::tensor::{Distribution, Tensor};
use forge_models::{SeriesModelConfig, SeriesSpec, Strategy};
use forge_nn::{ModuleConfig, Network};
use forge_testkit::bench::{device, median_ms};
use forge_train::optimizer::OptimizerConfig;

/// Prints `NAME_series ms` for an optimiser step of the forecasting models called `names` (none: all)
/// at their fast presets: 128 windows of 336 steps of 7 targets, 96 steps ahead.
pub(crate) fn report(names: &[String]) {
    for name in SeriesModelConfig::NAMES {
        if names.is_empty() || names.iter().any(|wanted| wanted == name) {
            println!("{name}_series {:.3}", median_ms(step(name)));
        }
    }
}

fn step(name: &str) -> Box<dyn FnMut()> {
    const WINDOWS: usize = 128;
    let spec = SeriesSpec {
        n_targets: 7,
        ..SeriesSpec::default()
    };
    let preset = SeriesModelConfig::preset(name, Strategy::Fast).unwrap();
    let config = preset.config.sized_for(&spec).unwrap();
    let device = device().autodiff();
    let normal = Distribution::Normal(0.0, 1.0);
    let past = Tensor::<3>::random([WINDOWS, spec.lookback, 7], normal, &device);
    let target = Tensor::<2>::random([WINDOWS, spec.d_out()], normal, &device);
    let mut optimizer = OptimizerConfig::default().build().unwrap();
    let mut model = Some(config.try_init(&device).unwrap());
    Box::new(move || {
        let current = model.take().unwrap();
        let error = current.forward(past.clone().into()) - target.clone();
        let gradients = error.square().mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &current);
        model = Some(optimizer.step(1e-4, current, gradients));
    })
}
