//! What attention costs MIGT-TVDT in memory.

use std::time::Instant;

use burn::tensor::{Distribution, Tensor};
use forge_models::{MigtTvdtConfig, SeriesInput, SeriesSpec};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::bench::{device, peak_mib};

const VARIABLES: usize = 24;
const STEPS: usize = 288;

/// Prints time of a forward and a backward pass and the peak memory of the process for `windows` windows
/// of 288 steps of 24 variables, 256 wide, five horizons, seven quantiles. `fused` has the attention of
/// the library; `stored` asks for its weights, which keeps them for the backward pass, as attention made
/// of single operations does.
///
/// # Panics
/// If `attention` is none of the two.
pub(crate) fn report(attention: &str, windows: usize) {
    let want = Want {
        attention: match attention {
            "fused" => false,
            "stored" => true,
            _ => panic!("{attention} is none of fused, stored"),
        },
        ..Want::PREDICTIONS
    };
    let spec = SeriesSpec {
        lookback: STEPS,
        horizon: 5,
        n_targets: 1,
        n_past: VARIABLES - 1,
        n_outputs: 7,
        ..SeriesSpec::default()
    };
    let config = MigtTvdtConfig {
        windows: spec,
        ..MigtTvdtConfig::default()
    };
    let device = device().autodiff();
    let model = config.try_init(&device).unwrap();
    let random = |variables| {
        let shape = [windows, STEPS, variables];
        Tensor::random(shape, Distribution::Normal(0.0, 1.0), &device)
    };
    let mut best = f64::INFINITY;
    for _ in 0..2 {
        let input = SeriesInput {
            past_covariates: Some(random(VARIABLES - 1)),
            ..random(1).into()
        };
        let start = Instant::now();
        let forward = model.run(input, want);
        drop(forward.y.square().mean().backward());
        device.sync().unwrap();
        best = best.min(start.elapsed().as_secs_f64() * 1e3);
    }
    let peak = peak_mib();
    println!("migt_tvdt_{attention}_{windows} {best:.0} ms, peak {peak} MiB");
}
