//! Real tables: models on published splits, one result per table, model and seed.
//!
//! ```sh
//! cargo bench --bench tables -- --data FOLDER --out results.json --sets adult cpu_act \
//!     --models ft_transformer tabular_mlp --seeds 0 1 2 --strategy accurate
//! ```
//!
//! `FOLDER/<set>/` holds `data.csv` and `split.csv` (0 training, 1 validation, 2 test; one column per
//! split), or `train.csv`, `test.csv` and `split_train.csv`, or `data.csv` and `splits.json` (rows of
//! training and test per split; a tenth of the training rows validates). What the results file already
//! has is not run again, and a run that was stopped goes on from its checkpoint: the command can be
//! given in pieces. The file says which seeds are done.
//!
//! With `--splits` the file of `--out` is not of results but of the rows of each set and seed, for
//! `benches/tables_boosting.py`, which fits gradient boosting to the same rows.

// A benchmark talks to people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../results/mod.rs"]
mod file;
mod results;
mod set;
mod splits;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use volatilityforge::data::NumericTransform;
use volatilityforge::experiment::ExperimentConfig;
use volatilityforge::{Error, EstimatorConfig, FitOptions, Strategy, TabularEstimator};

use file::{Asked, Common, ended, lock, remove, several_at_a_time};
use results::{Entry, Key, Results};
use set::Set;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains models on tables with published splits.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Which models.
    #[arg(long, num_args = 1.., value_name = "NAME", default_value = "ft_transformer")]
    models: Vec<String>,
    /// Seeds; of a table with several splits, the split too.
    #[arg(long, num_args = 1.., default_values_t = [0, 1, 2])]
    seeds: Vec<u64>,
    /// fast, balanced or accurate.
    #[arg(long, default_value = "accurate")]
    strategy: Strategy,
    /// How columns of numbers are scaled: none, standardize or quantile [default: the library's].
    #[arg(long, value_parser = numeric)]
    numeric: Option<NumericTransform>,
    /// Any setting by its place, over the preset's, such as training.weight_decay=0.01, model.k=8 or
    /// model.num_embeddings={kind="periodic"}.
    #[arg(long, num_args = 1.., value_name = "PLACE=VALUE")]
    set: Vec<String>,
    /// Trains nothing: writes which rows of each set train, validate and test.
    #[arg(long)]
    splits: bool,
    #[command(flatten)]
    asked: Asked,
}

fn numeric(name: &str) -> Result<NumericTransform, String> {
    let value = serde_json::Value::from(name);
    serde_json::from_value(value).map_err(|e| e.to_string())
}

fn main() -> ExitCode {
    ended(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let common = &arguments.common;
    let sets = common.chosen(
        set::ALL,
        |set| set.name,
        |set| common.data.join(set.name).exists(),
    )?;
    if arguments.splits {
        return splits::write(&common.out, &common.data, &sets, &arguments.seeds);
    }
    let results = Mutex::new(Results::open(&common.out)?);
    let mut runs = vec![];
    for set in sets {
        for model in &arguments.models {
            for &seed in &arguments.seeds {
                let key = Key {
                    set: set.name.into(),
                    model: model.clone(),
                    strategy: arguments.strategy,
                    seed,
                    asked: arguments.asked.clone(),
                    numeric: arguments.numeric,
                    settings: arguments.set.clone(),
                };
                if !lock(&results).has(&key) {
                    runs.push((set, key));
                }
            }
        }
    }
    several_at_a_time(common.jobs, &runs, |(set, key)| {
        one(common, set, key, &results)
    })?;
    lock(&results).print();
    Ok(())
}

/// Single settings by their places in an estimator's.
fn with_settings(config: EstimatorConfig, settings: &[String]) -> Result<EstimatorConfig, Error> {
    let mut experiment = ExperimentConfig {
        estimator: config,
        ..ExperimentConfig::default()
    };
    for setting in settings {
        experiment.set(&format!("estimator.{setting}"))?;
    }
    Ok(experiment.estimator)
}

/// Trains one model on one split and adds what it reached.
fn one(common: &Common, set: &Set, key: &Key, results: &Mutex<Results>) -> Result<(), Error> {
    let device = common.device.open()?;
    let (table, split) = set.load(&common.data, key.seed)?;
    let mut config = EstimatorConfig::named(&key.model, key.strategy)?;
    config.training.seed = key.seed;
    key.asked.apply(&mut config.training);
    if let Some(numeric) = key.numeric {
        config.preprocess.numeric = numeric;
    }
    let config = with_settings(config, &key.settings)?;
    let name = key.to_string();
    let checkpoints = common.checkpoints(&name);
    let options = FitOptions {
        checkpoints: Some(checkpoints.clone()),
        resume: true,
        ..FitOptions::default()
    };
    let (fitted, report) = TabularEstimator::new(set.target)
        .with_config(config)?
        .task(Some(set.task))
        .ignore(set.ignore.iter().copied())
        .fit_split(&table, &split, &device, options)?;
    let scores = fitted.scores(&table, Some(&split.test))?;
    let entry = Entry {
        key: key.clone(),
        score: set.score.into(),
        value: scores.get(set.score).unwrap_or(f64::NAN),
        scores,
        epochs: report.history.len(),
        parameters: report.parameters,
        seconds: report.seconds,
    };
    println!(
        "{name}: {} {:.4} after {} epochs, {:.0} s",
        entry.score, entry.value, entry.epochs, entry.seconds
    );
    lock(results).add(entry)?;
    remove(&checkpoints);
    Ok(())
}
