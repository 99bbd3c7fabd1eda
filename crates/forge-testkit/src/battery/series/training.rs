//! What training does.

use burn::tensor::Device;
use forge_models::SeriesModelConfig;

use crate::Noise;
use crate::battery::training::overfits;

/// Adam fits four windows of noise: see
/// [`overfits_sixteen_rows`](crate::battery::overfits_sixteen_rows). The targets of outputs that rise
/// rise.
///
/// # Panics
/// If it does not.
pub fn overfits_windows(config: &SeriesModelConfig, device: &Device) {
    const WINDOWS: usize = 4;
    let (spec, mut noise) = (config.spec(), Noise::new(2));
    let rising = spec.rising || config.capabilities().rising_outputs;
    let mut step = || {
        let mut outputs: Vec<f64> = (0..spec.n_outputs).map(|_| noise.uniform()).collect();
        if rising {
            outputs.sort_by(f64::total_cmp);
        }
        outputs
    };
    let steps = spec.horizon * spec.n_targets;
    let targets: Vec<Vec<f64>> = (0..WINDOWS)
        .map(|_| (0..steps).flat_map(|_| step()).collect())
        .collect();
    overfits(config, device, &targets, |given, _| given, |y| y);
}
