//! Searches for a cell by DARTS of second order, of first order and at random, each with the same time, and
//! trains what they found from scratch.
//!
//! Run with `cargo run --release --example architecture_search`. The table is made up: a product, a wave, a
//! fold and noise. Beside the three stands a cell that was drawn without any search. `SEARCH_SECONDS` sets the
//! time of one search, `SEARCH_SEEDS` the number of seeds.

#![allow(clippy::print_stdout, reason = "examples talk")]

use std::time::Instant;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use volatilityforge::burn::optim::{AdamConfig, GradientsParams};
use volatilityforge::burn::tensor::{Device, Int, Tensor, TensorData};
use volatilityforge::meta::search::{
    Search, SearchConfig, SearchData, SearchLoss, SearchMethod, SearchSpace, SearchTask,
};
use volatilityforge::models::{SearchedNetConfig, TabularInput};
use volatilityforge::nn::cell::Genotype;
use volatilityforge::nn::{ForgeError, ModuleConfig, Network, on_worker};

const FEATURES: usize = 6;
/// Steps of the training that tests a cell, and rows of its batches.
const STEPS: usize = 600;
const BATCH: usize = 64;

fn setting(name: &str, usual: f64) -> f64 {
    let set = std::env::var(name).ok();
    set.and_then(|set| set.parse().ok()).unwrap_or(usual)
}

/// `y = x₀ x₁ + sin 2x₂ + |x₃| + 0.1 ε`; the last two features say nothing.
fn rows(n: usize, seed: u64, device: &Device) -> SearchData {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut uniform = |half: f64| random.random_range(-half..half);
    let (mut x, mut y) = (vec![], vec![]);
    for _ in 0..n {
        let row: Vec<f64> = (0..FEATURES).map(|_| uniform(1.7)).collect();
        let noise = 0.1 * uniform(1.7);
        y.push(row[0] * row[1] + (2.0 * row[2]).sin() + row[3].abs() + noise);
        x.extend(row);
    }
    SearchData::rows(
        Tensor::from_data(TensorData::new(x, [n, FEATURES]), device),
        Tensor::from_data(TensorData::new(y, [n, 1]), device),
    )
}

/// Two nodes: a step of exact second order has every operation on every edge in it several times.
fn space() -> SearchSpace {
    SearchSpace {
        n_nodes: 2,
        ..SearchSpace::rows()
    }
}

/// What a method found in `seconds`, and the steps that it took.
fn found(
    method: &str,
    seed: u64,
    seconds: f64,
    task: &SearchTask,
) -> Result<(Genotype, usize), ForgeError> {
    if method == "no search" {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let space = space();
        return Ok((space.genotype_of_arc(&space.random_arc(&mut random))?, 0));
    }
    let config = SearchConfig {
        space: space(),
        method: SearchMethod::named(method)?,
        seed,
        ..SearchConfig::default()
    };
    let mut search = Search::new(config, task.clone())?;
    let began = Instant::now();
    // The end is set by time here, not by the number of steps.
    while began.elapsed().as_secs_f64() < seconds {
        search.step()?;
    }
    Ok((search.genotype()?, search.steps()))
}

/// The squared error on new rows of a cell that is trained from scratch.
fn test(genotype: Genotype, seed: u64, task: &SearchTask) -> Result<f64, ForgeError> {
    let device = Device::flex();
    device.seed(seed);
    let config = SearchedNetConfig {
        d_in: FEATURES,
        d_model: 16,
        ..SearchedNetConfig::of(genotype)
    };
    let learning = device.clone().autodiff();
    let mut model = config.try_init(&learning)?;
    let mut optimizer = AdamConfig::new().init();
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let n = task.train.len();
    for step in 0..STEPS {
        let places: Vec<i64> = (0..BATCH)
            .map(|_| random.random_range(0..n) as i64)
            .collect();
        let places = Tensor::<1, Int>::from_data(places.as_slice(), &device);
        let x = task.train.x.clone().select(0, places.clone());
        let y = task.train.y.clone().select(0, places).to_device(&learning);
        let x = x.squeeze_dim(1).to_device(&learning);
        let loss = (model.forward(TabularInput::numeric(x)) - y)
            .square()
            .mean();
        let gradients = GradientsParams::from_grads(loss.backward(), &model);
        let rate = 3e-3 * (1.0 - step as f64 / STEPS as f64);
        model = optimizer.step(rate, model, gradients);
    }
    let unseen = rows(2000, 999, &device)
        .x
        .squeeze_dim(1)
        .to_device(&learning);
    let y = rows(2000, 999, &device).y.to_device(&learning);
    let error = model.forward(TabularInput::numeric(unseen)) - y;
    Ok(error.square().mean().into_scalar())
}

fn main() -> Result<(), ForgeError> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), ForgeError> {
    let seconds = setting("SEARCH_SECONDS", 6.0);
    let seeds = setting("SEARCH_SEEDS", 5.0).max(2.0) as u64;
    let device = Device::flex();
    let task = SearchTask {
        train: rows(512, 1, &device),
        validation: rows(512, 2, &device),
        loss: SearchLoss::SquaredError,
    };
    println!(
        "{seconds} s for each search, {seeds} seeds, {STEPS} steps of training for each cell found"
    );
    println!("squared error on 2000 new rows (noise alone: 0.0096)");
    println!(
        "{:>18} {:>8} {:>8} {:>7}  each seed",
        "", "mean", "± s.d.", "steps"
    );
    let mut best: Option<(f64, &str, f64)> = None;
    for method in ["darts", "darts_first_order", "random", "no search"] {
        let (mut errors, mut steps) = (vec![], 0);
        for seed in 0..seeds {
            let (genotype, taken) = found(method, seed, seconds, &task)?;
            errors.push(test(genotype, 100 + seed, &task)?);
            steps += taken;
        }
        let n = errors.len() as f64;
        let mean = errors.iter().sum::<f64>() / n;
        let spread = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>() / (n - 1.0);
        let spread = spread.sqrt();
        let shown: Vec<String> = errors.iter().map(|e| format!("{e:.4}")).collect();
        let per_search = steps / errors.len();
        println!(
            "{method:>18} {mean:>8.4} {spread:>8.4} {per_search:>7}  {}",
            shown.join(" ")
        );
        if best.is_none_or(|(least, ..)| mean < least) {
            best = Some((mean, method, spread));
        }
    }
    if let Some((mean, method, spread)) = best {
        println!(
            "lowest mean: {method} ({mean:.4}); its spread over seeds is {spread:.4}: means that are nearer than"
        );
        println!("about that are no difference.");
    }
    Ok(())
}
