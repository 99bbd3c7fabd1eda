//! Learns to learn volatility smiles: a new expiry's from ten quotes in five gradient steps.
//!
//! Run with `cargo run --release --example maml_smiles`, of a synthetic market unless `--data FILE`
//! names an option chain with the columns `log_moneyness`, `time_to_maturity` and `implied_vol`. It
//! trains by MAML on some smiles, and prints the error on the held-out ones, in volatility points, after
//! 0 to 5 steps, beside networks that are trained from scratch on the same ten quotes.

#![allow(clippy::print_stdout, reason = "examples talk")]

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::{Linear, LinearConfig};
use volatilityforge::burn::optim::{AdamConfig, GradientsParams};
use volatilityforge::burn::tensor::activation::tanh;
use volatilityforge::burn::tensor::{Device, Tensor};
use volatilityforge::chain::{SmileTasks, SmileTasksConfig, experiment};
use volatilityforge::meta::adaptation::{Maml, MamlConfig, MamlModule, MetaTraining};
use volatilityforge::meta::functional::{Functional, Params};
use volatilityforge::nn::{ForgeError, on_worker};
use volatilityforge::train::optimizer::OptimizerConfig;
use volatilityforge::train::schedule::{CosineWarmup, ScheduleConfig};
use volatilityforge::train::{CheckpointConfig, ParameterGroup, Start, Trainer, TrainerConfig};
use volatilityforge::{Error, read_table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Gradient steps on a new smile.
const ADAPT: usize = 5;
/// Steps from scratch, and what Adam's rate is in them.
const SCRATCH: usize = 100;
const SCRATCH_RATES: [f64; 2] = [0.01, 0.03];
/// Tasks per meta-step.
const TASKS: usize = 4;
/// Ways in which the quotes of each held-out smile are parted.
const DRAWS: u64 = 3;
/// Most smiles that are tested on, evenly spread.
const TESTS: usize = 60;

/// Learns to learn volatility smiles.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// CSV, Parquet or Excel file of an option chain [default: a synthetic market].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Meta-steps.
    #[arg(long, default_value_t = 1000)]
    steps: usize,
    /// Folder of checkpoints: a run that was killed goes on from there.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
    /// Learning rate of the outer Adam, which falls to 0.
    #[arg(long, default_value_t = 2e-3)]
    rate: f64,
    /// The same of the step sizes.
    #[arg(long, default_value_t = 2e-3)]
    step_rate: f64,
    /// Step size within a task to begin with.
    #[arg(long, default_value_t = 0.05)]
    inner_rate: f64,
    /// Of everything that is drawn.
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

#[derive(Module, Debug)]
struct Net {
    first: Linear,
    second: Linear,
    last: Linear,
}

impl Net {
    fn new(device: &Device) -> Self {
        Self {
            first: LinearConfig::new(2, 32).init(device),
            second: LinearConfig::new(32, 32).init(device),
            last: LinearConfig::new(32, 1).init(device),
        }
    }

    fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = tanh(self.first.forward(x));
        self.last.forward(tanh(self.second.forward(x)))
    }
}

type Batch = (Tensor<2>, Tensor<2>);

fn loss(net: &Net, (x, y): Batch) -> Tensor<1> {
    (net.forward(x) - y).square().mean()
}

/// The tasks that are tested on.
fn tests(smiles: &SmileTasks, device: &Device) -> Result<Vec<(Batch, Batch)>, Error> {
    let every = smiles.smiles().len().div_ceil(TESTS);
    let mut tasks = Vec::new();
    for at in (0..smiles.smiles().len()).step_by(every) {
        for seed in 0..DRAWS {
            let task = smiles.task_of(at, seed, device)?;
            tasks.push((task.support, task.query));
        }
    }
    Ok(tasks)
}

/// The root of the mean squared error over all tasks after each number of steps.
fn adapted(
    maml: &Maml<Batch>,
    params: &Params,
    rates: &Params,
    tasks: &[(Batch, Batch)],
) -> Result<Vec<f64>, Error> {
    let mut sums = vec![0.0; ADAPT + 1];
    for (support, query) in tasks {
        let mut adapted = params.clone();
        for (step, sum) in sums.iter_mut().enumerate() {
            if step > 0 {
                adapted = maml.adapt_by(&adapted, rates, support.clone(), 1)?;
            }
            let error = maml.loss().call(&adapted, query.clone())?;
            *sum += error.into_scalar::<f64>() / tasks.len() as f64;
        }
    }
    Ok(sums.into_iter().map(f64::sqrt).collect())
}

/// The same of new networks, by Adam.
fn from_scratch(rate: f64, tasks: &[(Batch, Batch)], device: &Device) -> f64 {
    let mut sum = 0.0;
    for ((x, y), query) in tasks {
        let training = device.clone().autodiff();
        let (mut net, mut adam) = (Net::new(&training), AdamConfig::new().init());
        let support = (
            x.clone().to_device(&training),
            y.clone().to_device(&training),
        );
        for _ in 0..SCRATCH {
            let gradients = loss(&net, support.clone()).backward();
            let gradients = GradientsParams::from_grads(gradients, &net);
            net = adam.step(rate, net, gradients);
        }
        sum += loss(&net.valid(), query.clone()).into_scalar::<f64>() / tasks.len() as f64;
    }
    sum.sqrt()
}

/// Half a cosine down to 0 over the run.
fn falling(rate: f64) -> ScheduleConfig {
    ScheduleConfig::CosineWarmup(CosineWarmup {
        base_lr: rate,
        ..CosineWarmup::default()
    })
}

/// The parameters, and the step sizes that are learned with them.
fn groups(arguments: &Arguments) -> Vec<ParameterGroup> {
    let rates = falling(arguments.step_rate);
    vec![
        ParameterGroup::under("net", ["net"]),
        ParameterGroup::under("rates", ["rates"]).with_schedule(rates),
    ]
}

fn trainer(arguments: &Arguments) -> Result<Trainer<'static, MamlModule<Net>>, ForgeError> {
    let config = TrainerConfig {
        epochs: 1,
        batch_size: TASKS,
        seed: arguments.seed,
        optimizer: OptimizerConfig::Adam(Default::default()),
        schedule: falling(arguments.rate),
        checkpoint: CheckpointConfig {
            every_steps: Some(200),
            ..CheckpointConfig::default()
        },
        ..TrainerConfig::default()
    };
    let trainer = Trainer::new(config)?;
    Ok(match &arguments.checkpoints {
        Some(folder) => trainer.with_checkpoints(folder, Start::ResumeOrFresh),
        None => trainer,
    })
}

fn main() -> Result<(), Error> {
    on_worker(&Device::flex(), run)
}

fn run() -> Result<(), Error> {
    let arguments = Arguments::parse();
    let table = match &arguments.data {
        Some(file) => read_table(file, &Default::default())?.0,
        None => experiment().market.unwrap_or_default().generate()?,
    };
    let config = SmileTasksConfig {
        n_query: 5,
        ..SmileTasksConfig::default()
    };
    let smiles = SmileTasks::of(&table, config)?;
    let (learned, held_out) = smiles.parted()?;
    println!(
        "{} smiles to learn from, {} held out, {} left out with too few quotes",
        learned.smiles().len(),
        held_out.smiles().len(),
        learned.left_out()
    );
    let device = Device::flex();
    device.seed(arguments.seed);
    let net = Net::new(&device).materialize();
    let config = MamlConfig {
        inner_rate: arguments.inner_rate,
        inner_steps: ADAPT,
        learn_rates: true,
        ..MamlConfig::default()
    };
    let maml = Maml::new(config, Functional::capture(&net, loss))?;
    let start = MamlModule::new(&maml, net)?;
    let trainer = trainer(&arguments)?;
    let began = Instant::now();
    let first = arguments.seed << 32;
    let mut training = MetaTraining::new(learned, maml, arguments.steps * TASKS)?
        .starting_at(first)?
        .with_groups(groups(&arguments));
    let outcome = trainer.fit(&mut training, start)?;
    let maml = training.learner();
    println!(
        "MAML: {} steps in {:.0} s, last loss {:.4}",
        outcome.steps,
        began.elapsed().as_secs_f64(),
        outcome
            .history
            .last()
            .map_or(f64::NAN, |epoch| epoch.train_loss),
    );

    let tasks = tests(&held_out, &device)?;
    let points = |error: f64| 100.0 * held_out.unit() * error;
    let params = Params::of(&outcome.module.net);
    let rates = outcome.module.rates()?.unwrap_or(maml.rates(&params)?);
    let ours = adapted(maml, &params, &rates, &tasks)?;
    println!(
        "RMSE on {} held-out tasks of ten quotes, volatility points",
        tasks.len()
    );
    let mut best = f64::INFINITY;
    for (step, error) in ours.iter().enumerate() {
        println!("MAML, {step} steps: {:.3}", points(*error));
    }
    for rate in SCRATCH_RATES {
        let error = from_scratch(rate, &tasks, &device);
        println!(
            "from scratch, {SCRATCH} steps of Adam at {rate}: {:.3}",
            points(error)
        );
        best = best.min(error);
    }
    let verdict = if ours[ADAPT] <= best {
        "at or below"
    } else {
        "above"
    };
    println!("{ADAPT} steps after MAML are {verdict} {SCRATCH} steps from scratch");
    Ok(())
}
