//! Architecture search.

mod bad_input;
mod controller;
mod gates;
mod resume;
mod runs;

use burn::tensor::{Device, Tensor, TensorData};
use forge_meta::search::{
    SearchConfig, SearchData, SearchLoss, SearchMethod, SearchSpace, SearchTask,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Rows of three numbers whose first two are multiplied.
fn products(n: usize, seed: u64) -> SearchData {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let x: Vec<f32> = (0..3 * n).map(|_| random.random_range(-1.5..1.5)).collect();
    let y: Vec<f32> = x.chunks(3).map(|row| row[0] * row[1]).collect();
    let device = Device::flex();
    SearchData::rows(
        Tensor::from_data(TensorData::new(x, [n, 3]), &device),
        Tensor::from_data(TensorData::new(y, [n, 1]), &device),
    )
}

fn task() -> SearchTask {
    SearchTask {
        train: products(96, 1),
        validation: products(64, 2),
        loss: SearchLoss::SquaredError,
    }
}

/// A short search by `method`.
fn config(method: SearchMethod) -> SearchConfig {
    SearchConfig {
        space: SearchSpace {
            n_nodes: 2,
            ..SearchSpace::rows()
        },
        method,
        steps: 6,
        d_model: 4,
        batch_size: 16,
        weight_rate: 0.05,
        seed: 5,
        ..SearchConfig::default()
    }
}

/// Each method, and each form that has code of its own.
fn methods() -> Vec<SearchMethod> {
    use forge_meta::search::{GateMode, Unrolling};
    let mut methods: Vec<_> = SearchMethod::NAMES
        .iter()
        .map(|name| SearchMethod::named(name).unwrap())
        .collect();
    methods.extend([
        SearchMethod::named("darts_first_order").unwrap(),
        SearchMethod::Darts {
            unrolling: Unrolling::Difference { r: 0.01 },
        },
        SearchMethod::GumbelSoftmax {
            first_temperature: 2.0,
            last_temperature: 0.5,
            hard: true,
        },
        SearchMethod::ProxylessNas {
            gates: GateMode::Full,
            latency_weight: 0.1,
        },
    ]);
    methods
}
