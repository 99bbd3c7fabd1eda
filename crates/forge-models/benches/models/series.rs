//! Forecasting models on windows of ETTh1's shape.

use burn::optim::GradientsParams;
use burn::tensor::{Distribution, Tensor};
use forge_models::{SeriesInput, SeriesModelConfig, SeriesSpec, Strategy, TftConfig};
use forge_nn::{ModuleConfig, Network};
use forge_testkit::bench::{Work, device, median_ms};
use forge_train::optimizer::OptimizerConfig;

const WINDOWS: usize = 128;

/// Prints `NAME_series ms` for an optimiser step of the forecasting models called `names` (none: all)
/// at their fast presets: 128 windows of 336 steps of 7 targets, 96 steps ahead. `tft_168` is TFT 64 wide
/// with 4 heads: 168 steps of one target, 24 ahead, 4 covariates known ahead.
pub(crate) fn report(names: &[String]) {
    let wanted = |name: &str| names.is_empty() || names.iter().any(|wanted| wanted == name);
    let print = |name: &str, step| println!("{name}_series {:.3}", median_ms(step));
    for name in SeriesModelConfig::NAMES.iter().filter(|name| wanted(name)) {
        print(name, step(preset(name)));
    }
    if wanted("tft_168") {
        print("tft_168", step(tft()));
    }
}

fn preset(name: &str) -> SeriesModelConfig {
    let spec = SeriesSpec {
        n_targets: 7,
        ..SeriesSpec::default()
    };
    let preset = SeriesModelConfig::preset(name, Strategy::Fast).unwrap();
    preset.config.sized_for(&spec).unwrap()
}

fn tft() -> SeriesModelConfig {
    SeriesModelConfig::from(TftConfig {
        windows: SeriesSpec {
            lookback: 168,
            horizon: 24,
            n_known: 4,
            ..SeriesSpec::default()
        },
        hidden_size: 64,
        n_head: 4,
        dropout: 0.1,
        ..TftConfig::default()
    })
}

fn step(config: SeriesModelConfig) -> Work {
    let spec = config.spec();
    let device = device().autodiff();
    let random = |steps, variables| {
        let shape = [WINDOWS, steps, variables];
        Tensor::<3>::random(shape, Distribution::Normal(0.0, 1.0), &device)
    };
    let input = SeriesInput {
        known: (spec.n_known > 0).then(|| random(spec.lookback + spec.horizon, spec.n_known)),
        ..random(spec.lookback, spec.n_targets).into()
    };
    let target = random(1, spec.d_out()).squeeze_dim::<2>(1);
    let mut optimizer = OptimizerConfig::default().build().unwrap();
    let mut model = Some(config.try_init(&device).unwrap());
    Box::new(move || {
        let current = model.take().unwrap();
        let error = current.forward(input.clone()) - target.clone();
        let gradients = error.square().mean().backward();
        let gradients = GradientsParams::from_grads(gradients, &current);
        model = Some(optimizer.step(1e-4, current, gradients));
    })
}
