//! Backbones over long sequences: time, peak memory, and a step's time.

use std::time::Instant;

use burn::module::Module;
use burn::tensor::{Device, Distribution, Tensor};
use forge_models::{
    Backbone, BackboneConfig, CarriesState, Mamba2BackboneConfig, MambaBackboneConfig, Strategy,
    TttLinearBackboneConfig, TttMlpBackboneConfig, XlstmBackboneConfig,
};
use forge_testkit::bench::{device, peak_mib};

/// Steps that are timed together.
const STEPS: usize = 64;

/// Prints the figures of the backbone `name` over one sequence of `tokens`.
pub(crate) fn report(name: &str, tokens: usize) {
    match name {
        "mamba" => run::<MambaBackboneConfig>(tokens),
        "mamba2" => run::<Mamba2BackboneConfig>(tokens),
        "xlstm" => run::<XlstmBackboneConfig>(tokens),
        "ttt_linear" => run::<TttLinearBackboneConfig>(tokens),
        "ttt_mlp" => run::<TttMlpBackboneConfig>(tokens),
        _ => panic!("{name} is none of mamba, mamba2, xlstm, ttt_linear, ttt_mlp"),
    }
}

fn random<const D: usize>(shape: [usize; D], device: &Device) -> Tensor<D> {
    Tensor::random(shape, Distribution::Normal(0.0, 1.0), device)
}

fn run<C: BackboneConfig<Module: CarriesState>>(tokens: usize) {
    let config = C::preset(Strategy::Balanced).config;
    let (width, device) = (config.d_token(), device());
    let learning = device.clone().autodiff();
    let backbone = config.try_init(&learning).unwrap();
    let x = random([1, tokens, width], &learning).require_grad();
    let cotangent = random([1, tokens, width], &learning);
    let mut best = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        let y = backbone.forward(x.clone(), None);
        let gradients = (y * cotangent.clone()).sum().backward();
        drop(x.grad(&gradients));
        device.sync().unwrap();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let peak = peak_mib();
    let backbone = backbone.valid();
    let mut state = backbone.start(1, &device);
    let mut step = 0.0;
    for first in (0..tokens).step_by(STEPS) {
        let start = Instant::now();
        for _ in first..(first + STEPS).min(tokens) {
            let (y, next) = backbone.step(random([1, width], &device), state);
            state = next;
            drop(y);
        }
        device.sync().unwrap();
        let steps = STEPS.min(tokens - first);
        step = start.elapsed().as_secs_f64() * 1e3 / steps as f64;
    }
    let name = C::NAME;
    println!("{name}_{tokens} {best:.1} ms, peak {peak} MiB, then {step:.3} ms per step");
}
