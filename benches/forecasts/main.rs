//! Published forecasting sets: models and baselines, one result per set, horizon, model and seed.
//!
//! ```sh
//! cargo bench --bench forecasts -- --data FOLDER --out results.json --sets ETTh1 ETTh2 \
//!     --models patch_tst dlinear nlinear naive ridge --seeds 0 1 2
//! ```
//!
//! A model is a network of the registry, or a baseline: naive, `seasonal_naive`, drift, ridge,
//! boosting, and for variances har, `log_har`, `log_har_inputs`, garch. Every test window is measured; figures of long
//! horizons stand beside those without the last incomplete batch of 32 windows, which is how most
//! published ones are. What the results file already has is not run again, and a run that was
//! stopped goes on from its checkpoint: the command can be given in pieces. The file says which
//! seeds are done, and the figures of others.

// A benchmark talks to people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

#[path = "../results/mod.rs"]
mod file;
mod listed;
mod measure;
mod recipe;
mod results;
mod round;
mod set;

use std::process::ExitCode;
use std::sync::Mutex;
use std::time::Instant;

use clap::Parser;
use volatilityforge::models::SeriesModelConfig;
use volatilityforge::{Error, Strategy};

use file::{Asked, Common, ended, lock, remove, several_at_a_time};
use results::{Entry, Key, Results};
use set::{Inputs, Set};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains forecasters on published sets.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Steps ahead [default: those of each set].
    #[arg(long, num_args = 1.., value_name = "STEPS")]
    horizons: Vec<usize>,
    /// Which networks and baselines.
    #[arg(long, num_args = 1.., value_name = "NAME", default_value = "nlinear")]
    models: Vec<String>,
    /// Seeds; of a baseline the first alone.
    #[arg(long, num_args = 1.., default_values_t = [0, 1, 2])]
    seeds: Vec<u64>,
    /// fast, balanced or accurate.
    #[arg(long, default_value = "balanced")]
    strategy: Strategy,
    /// Steps that models see [default: the set's].
    #[arg(long)]
    lookback: Option<usize>,
    /// What a forecast is [default: the set's].
    #[arg(long)]
    objective: Option<String>,
    /// What models see beside the variance of spx_realized [default: vix, all there is].
    #[arg(long)]
    inputs: Option<Inputs>,
    /// Networks of a run whose forecasts are averaged, with a seed each.
    #[arg(long)]
    ensemble: Option<usize>,
    /// Trains again with the validation steps, for as many epochs as were best.
    #[arg(long)]
    refit: bool,
    /// Optimiser and learning rate by epoch as the model's authors have them, not ours.
    #[arg(long)]
    authors: bool,
    #[command(flatten)]
    asked: Asked,
}

fn main() -> ExitCode {
    ended(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let common = &arguments.common;
    let results = Mutex::new(Results::open(&common.out)?);
    let sets = common.chosen(set::ALL, |set| set.name, |set| set.is_in(&common.data))?;
    let mut runs = vec![];
    for set in sets {
        let horizons = match arguments.horizons.as_slice() {
            [] => set.horizons,
            given => given,
        };
        for &horizon in horizons {
            for model in &arguments.models {
                let all = arguments.seeds.as_slice();
                let seeds = match round::is_baseline(model) {
                    true => &all[..1],
                    false => all,
                };
                for &seed in seeds {
                    let key = Key {
                        set: set.name.into(),
                        horizon,
                        model: model.clone(),
                        strategy: arguments.strategy,
                        lookback: arguments.lookback.unwrap_or(set.lookback),
                        seed,
                        objective: arguments.objective.clone(),
                        inputs: arguments.inputs,
                        ensemble: arguments.ensemble,
                        refit: arguments.refit && !round::is_baseline(model),
                        authors: arguments.authors && !round::is_baseline(model),
                        asked: arguments.asked.clone(),
                    };
                    if !lock(&results).has(&key) {
                        runs.push((set, key));
                    }
                }
            }
        }
    }
    several_at_a_time(common.jobs, &runs, |(set, key)| {
        one(arguments, set, key, &results)
    })?;
    lock(&results).print();
    Ok(())
}

/// Trains and measures one model and adds what it reached.
fn one(arguments: &Arguments, set: &Set, key: &Key, results: &Mutex<Results>) -> Result<(), Error> {
    let mut loaded = set.load(&arguments.common.data, key.horizon, key.inputs)?;
    loaded.config.lookback = Some(key.lookback);
    if let Some(objective) = &arguments.objective {
        loaded.config.objective = Some(objective.parse()?);
    }
    let start = Instant::now();
    let name = key.to_string();
    let (rounds, settings, checkpoints) = if round::is_baseline(&key.model) {
        let rounds = round::baseline(&key.model, &loaded, set.measure)?;
        (rounds, "a baseline".to_string(), None)
    } else {
        let recipe = recipe::of(set.name, &key.model, key.horizon, key.strategy)?;
        let mut training = recipe.training.clone();
        training.seed = key.seed;
        key.asked.apply(&mut training);
        if key.authors {
            training.config = Some(recipe.of_authors(&training)?);
        }
        if !SeriesModelConfig::capabilities_of(&key.model)?.several_targets {
            loaded.one_series_per_target()?;
        }
        loaded.config.model = recipe.model;
        loaded.config.strategy = key.strategy;
        loaded.config.training = training;
        loaded.config.refit = key.refit;
        loaded.config.ensemble = key.ensemble.unwrap_or(1);
        let folder = arguments.common.checkpoints(&name);
        let rounds = round::network(&loaded, &arguments.common.device.open()?, &folder)?;
        (rounds, recipe.source.to_string(), Some(folder))
    };
    let scores = measure::measure(set.measure, &loaded, &rounds)?;
    let score = set.measure.score();
    let entry = Entry {
        key: key.clone(),
        score: score.into(),
        value: scores.get(score).unwrap_or(f64::NAN),
        scores,
        listed: listed::of(set.name, key.horizon),
        windows: rounds.windows,
        epochs: rounds.epochs,
        parameters: rounds.parameters,
        training_seconds: rounds.training_seconds,
        seconds: start.elapsed().as_secs_f64(),
        device: arguments.common.device.to_string(),
        settings,
        past: loaded.config.series.past.clone(),
        validation: rounds.validation,
        notes: rounds.notes,
    };
    println!(
        "{name}: {score} {:.4} after {:?} epochs, {:.0} s",
        entry.value, entry.epochs, entry.seconds
    );
    lock(results).add(entry)?;
    if let Some(folder) = checkpoints {
        remove(&folder);
    }
    Ok(())
}
