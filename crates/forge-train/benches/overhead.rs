//! What the trainer costs beside a bare loop of the same module, data, optimiser and schedule:
//! `cargo bench -p forge-train --bench overhead`
//!
//! Both sides train the same steps in turn, in the other order every second round; `ROUNDS` (default
//! 9) and `STEPS` (default 400) change their numbers. Prints the medians, and what making a batch out
//! of a table of 1,000,000 rows of 40 numbers takes of a step.

// A benchmark talks to people.
#![allow(clippy::print_stdout)]

use std::time::Instant;

use forge_nn::ForgeError;
use forge_nn::burn;
use forge_nn::burn::module::Module;
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{Device, Distribution, Int, Tensor, TensorData, activation::relu};
use forge_testkit::bench::where_trained;
use forge_train::optimizer::OptimizerConfig;
use forge_train::sampler::{Sampler, Shuffle};
use forge_train::schedule::ScheduleConfig;
use forge_train::{StepContext, TrainTask, Trainer, TrainerConfig};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const FEATURES: usize = 40;
const BATCH: usize = 256;
/// So wide that a step takes about 5 ms on two cores.
const WIDTH: usize = 512;
const SEED: u64 = 7;

#[derive(Module, Debug)]
struct Mlp {
    layers: Vec<Linear>,
    last: Linear,
}

impl Mlp {
    fn new(device: &Device) -> Self {
        device.seed(SEED);
        let layer = |inputs| LinearConfig::new(inputs, WIDTH).init(device);
        Self {
            layers: [FEATURES, WIDTH, WIDTH].map(layer).into(),
            last: LinearConfig::new(WIDTH, 1).init(device),
        }
        .materialize()
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let hidden = self.layers.iter();
        self.last
            .forward(hidden.fold(x, |x, layer| relu(layer.forward(x))))
    }
}

/// Rows that stay on the device: a batch is a selection of them, and nothing is copied to it.
struct Rows {
    x: Tensor<2>,
    y: Tensor<2>,
}

impl Rows {
    fn new(n: usize, device: &Device) -> Self {
        device.seed(SEED);
        let x = Tensor::random([n, FEATURES], Distribution::Default, device);
        let y = x.clone().sum_dim(1).sin();
        Self { x, y }
    }

    fn batch(&self, rows: &[usize]) -> (Tensor<2>, Tensor<2>) {
        let rows: Vec<i64> = rows.iter().map(|row| *row as i64).collect();
        let rows = TensorData::new(rows.clone(), [rows.len()]);
        let rows = Tensor::<1, Int>::from_data(rows, &self.x.device());
        (
            self.x.clone().select(0, rows.clone()),
            self.y.clone().select(0, rows),
        )
    }

    fn loss_of(&self, mlp: &Mlp, rows: &[usize]) -> Tensor<1> {
        let (x, y) = self.batch(rows);
        (mlp.forward(x) - y).square().mean()
    }
}

impl TrainTask for Rows {
    type Module = Mlp;

    fn n_rows(&self) -> usize {
        self.x.dims()[0]
    }

    fn loss(
        &mut self,
        mlp: &Mlp,
        rows: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        Ok(self.loss_of(mlp, rows))
    }
}

/// Seconds of an epoch by the trainer, and the sum of the last layer's weights.
fn trainer(rows: &mut Rows, device: &Device) -> Result<(f64, f32), ForgeError> {
    let mlp = Mlp::new(device);
    let config = TrainerConfig {
        epochs: 1,
        batch_size: BATCH,
        seed: SEED,
        ..TrainerConfig::default()
    };
    let start = Instant::now();
    let outcome = Trainer::new(config)?.fit(rows, mlp)?;
    let seconds = start.elapsed().as_secs_f64();
    Ok((
        seconds,
        outcome.module.last.weight.val().sum().into_scalar(),
    ))
}

/// The same by hand.
fn bare(rows: &Rows, device: &Device) -> Result<(f64, f32), ForgeError> {
    let mlp = Mlp::new(device);
    let start = Instant::now();
    let mut mlp = mlp.train();
    let mut sampler = Shuffle::new(rows.n_rows(), BATCH, SEED);
    let steps = sampler.batches();
    let rates = ScheduleConfig::default().build(steps as u64)?;
    let mut optimizer = OptimizerConfig::default().build()?;
    let mut last_loss = 0_f32;
    for step in 0..steps {
        let batch = sampler.rows(0, step)?;
        let loss = rows.loss_of(&mlp, &batch);
        // A loop of one's own looks at its loss, too.
        last_loss = loss.clone().into_scalar();
        let gradients = GradientsParams::from_grads(loss.backward(), &mlp);
        mlp = optimizer.step(rates.lr(step as u64), mlp, gradients);
    }
    std::hint::black_box(last_loss);
    let seconds = start.elapsed().as_secs_f64();
    Ok((seconds, mlp.valid().last.weight.val().sum().into_scalar()))
}

fn number(name: &str, default: usize) -> usize {
    let asked = std::env::var(name).ok().and_then(|text| text.parse().ok());
    asked.unwrap_or(default).max(1)
}

fn median(mut values: Vec<f64>) -> f64 {
    values.sort_by(f64::total_cmp);
    values[values.len() / 2]
}

fn main() -> Result<(), ForgeError> {
    // Both sides, as the trainer would be by itself.
    where_trained(both)
}

fn both() -> Result<(), ForgeError> {
    let device = forge_testkit::bench::device();
    let (rounds, steps) = (number("ROUNDS", 9), number("STEPS", 400));
    let training = device.clone().autodiff();
    let mut rows = Rows::new(steps * BATCH, &training);
    // Both warm, and the same steps: else nothing is compared.
    let (_, one) = trainer(&mut rows, &device)?;
    let (_, other) = bare(&rows, &device)?;
    assert!(
        (one - other).abs() <= 1e-3 * one.abs().max(1.0),
        "the sides end at other weights: {one}, {other}"
    );
    let (mut ours, mut theirs, mut ratios) = (vec![], vec![], vec![]);
    for round in 0..rounds {
        let (a, b);
        if round % 2 == 0 {
            a = trainer(&mut rows, &device)?.0;
            b = bare(&rows, &device)?.0;
        } else {
            b = bare(&rows, &device)?.0;
            a = trainer(&mut rows, &device)?.0;
        }
        let step = 1e3 / steps as f64;
        ours.push(a * step);
        theirs.push(b * step);
        ratios.push(a / b);
    }
    let (ours, theirs) = (median(ours), median(theirs));
    println!("trainer {ours:.3} ms a step, bare loop {theirs:.3} ms");
    println!(
        "median ratio of {rounds} rounds of {steps} steps: {:.4}",
        median(ratios)
    );

    let table = Rows::new(1_000_000, &training);
    let mut sampler = Shuffle::new(table.n_rows(), BATCH, SEED);
    let order = Instant::now();
    sampler.rows(0, 0)?;
    let order = order.elapsed().as_secs_f64() * 1e3;
    let mut times = vec![];
    for batch in 0..500 {
        let start = Instant::now();
        let rows = sampler.rows(0, batch)?;
        std::hint::black_box(table.batch(&rows));
        if let Err(error) = device.sync() {
            return Err(ForgeError::training(format!(
                "the device failed: {error:?}"
            )));
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    let batch = median(times);
    println!(
        "a batch of {BATCH} out of 1,000,000 x {FEATURES}: {batch:.4} ms, {:.2} % of a step; the order \
         of an epoch: {order:.0} ms, {:.2} % of its {} steps",
        100.0 * batch / ours,
        100.0 * order / (ours * sampler.batches() as f64),
        sampler.batches()
    );
    Ok(())
}
