//! The package's linear layers: no biases, and first weights of its own.

use burn::nn::Initializer;
use burn::tensor::Device;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// `initialize_non_glu`: Xavier's normal distribution with a gain, which comes to
/// `std = D_in^(-1/4)`.
pub(super) fn plain(d_in: usize, d_out: usize, device: &Device) -> Linear {
    with_std(d_in, d_out, (d_in as f64).powf(-0.25), device)
}

/// `initialize_glu`, for what a gate follows: the same with `std = √2 · D_in^(-1/4)`.
pub(super) fn gated(d_in: usize, d_out: usize, device: &Device) -> Linear {
    let std = (2.0 / (d_in as f64).sqrt()).sqrt();
    with_std(d_in, d_out, std, device)
}

fn with_std(d_in: usize, d_out: usize, std: f64, device: &Device) -> Linear {
    LinearConfig::new(d_in, d_out)
        .with_bias(false)
        .with_initializer(Initializer::Normal { mean: 0.0, std })
        .build(device)
}
