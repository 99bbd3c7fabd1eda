//! Trains a small in-context model on drawn tables, so that it predicts tables that it has never seen
//! without any training on them:
//! `cargo run --release --example prior_fitting`
//!
//! Writes the weights to a file that every estimator takes:
//! `cargo run --release --example train -- --data FILE --target COLUMN --models tabpfn_v1
//! --pretrained FILE.safetensors`. With `--data` and `--target` it does this at once, beside logistic
//! regression and boosting.

#[macro_use]
#[path = "../output/mod.rs"]
mod output;
mod drawn;
#[path = "../train/leaderboard.rs"]
mod leaderboard;
#[path = "../logging/mod.rs"]
mod logging;
#[path = "../train/progress.rs"]
mod progress;
mod real;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use volatilityforge::data::TablePriorConfig;
use volatilityforge::models::TabPfnV1Config;
use volatilityforge::prior_fitting::PriorFittingConfig;
use volatilityforge::{DeviceName, Error, FitOptions};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains a small in-context model on drawn tables.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Epochs of 2,000 tables.
    #[arg(long, default_value_t = 5)]
    epochs: usize,
    /// Rows of a drawn table.
    #[arg(long, default_value_t = 128)]
    rows: usize,
    /// Most features.
    #[arg(long, default_value_t = 10)]
    features: usize,
    /// Most classes.
    #[arg(long, default_value_t = 4)]
    classes: usize,
    /// Width of a token.
    #[arg(long, default_value_t = 64)]
    width: usize,
    /// Layers.
    #[arg(long, default_value_t = 4)]
    layers: usize,
    /// Seed of weights and tables.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Folder for checkpoints; what is in it is gone on with.
    #[arg(long)]
    checkpoints: Option<PathBuf>,
    /// File for the weights.
    #[arg(long, default_value = "tabpfn_small.safetensors")]
    out: PathBuf,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    device: DeviceName,
    /// Tables to try the weights on: a CSV, Parquet or Excel file each.
    #[arg(long, num_args = 1.., requires = "target")]
    data: Vec<PathBuf>,
    /// The column to predict in each of them.
    #[arg(long, num_args = 1.., value_name = "COLUMN")]
    target: Vec<String>,
}

fn main() -> ExitCode {
    logging::install();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let prior = TablePriorConfig {
        rows: arguments.rows,
        max_features: arguments.features,
        max_classes: arguments.classes,
        ..TablePriorConfig::default()
    };
    let model = TabPfnV1Config {
        emsize: arguments.width,
        nhid: 2 * arguments.width,
        nlayers: arguments.layers,
        ..TabPfnV1Config::default()
    };
    let mut config = PriorFittingConfig::new(model.into(), prior);
    config.trainer.epochs = arguments.epochs;
    config.trainer.seed = arguments.seed;
    let device = arguments.device.open()?;
    let options = FitOptions {
        observers: vec![Box::new(progress::Progress::new("tabpfn_v1"))],
        checkpoints: arguments.checkpoints.clone(),
        resume: true,
        ..FitOptions::default()
    };
    let outcome = config.fit(&device, options)?;
    drawn::print(&config, &outcome.module, &device)?;
    let weights = config.pretrained(outcome.module)?;
    weights.save(&arguments.out)?;
    println!("weights: {}", arguments.out.display());
    let tables = arguments.data.iter().zip(&arguments.target);
    for (i, (data, target)) in tables.enumerate() {
        let folder = arguments.out.with_extension(format!("table_{i}"));
        real::print(data, target, &arguments.out, &folder)?;
    }
    Ok(())
}
