//! Training techniques on and off: one result per table, technique and seed, and a table of what each
//! changes.
//!
//! ```sh
//! cargo bench --bench ablation -- --data FOLDER --out docs/results/ablation.json --jobs 2
//! ```
//!
//! `FOLDER` has the tables as `--bench tables` takes them, in folders of its own or under `tables/`,
//! and `spx_options.csv`. What the results file already has is not run again, and a run that was
//! stopped goes on from its checkpoint. `--print` prints the table as Markdown and runs nothing.

// A benchmark talks to people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod compared;
// Settings that are asked for are none of this benchmark's.
#[allow(dead_code)]
#[path = "../results/mod.rs"]
mod file;
#[path = "../tables/set.rs"]
mod set;
mod source;
mod technique;

use std::process::ExitCode;
use std::sync::Mutex;

use clap::Parser;
use volatilityforge::{Error, EstimatorConfig, FitOptions, Strategy, TabularEstimator};

use compared::{Entry, Key};
use file::{Common, ResultsFile, ended, lock, remove, several_at_a_time};
use source::Source;
use technique::Technique;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Trains a model on tables with one technique changed at a time.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(flatten)]
    common: Common,
    /// Which model.
    #[arg(long, default_value = "tabular_mlp")]
    model: String,
    /// fast, balanced or accurate.
    #[arg(long, default_value = "fast")]
    strategy: Strategy,
    /// Which techniques [default: all].
    #[arg(long, num_args = 1.., value_name = "NAME")]
    techniques: Vec<String>,
    /// Seeds: of weights and batches, of the rows that are taken, of the split where there are several.
    #[arg(long, num_args = 1.., default_values_t = [0, 1, 2, 3, 4])]
    seeds: Vec<u64>,
    /// Most training rows; as many again are taken to test, half as many to validate.
    #[arg(long, default_value_t = 4_000)]
    rows: usize,
    /// Print what the results file has, and train nothing.
    #[arg(long)]
    print: bool,
}

fn main() -> ExitCode {
    ended(run(&Arguments::parse()))
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let common = &arguments.common;
    let results = Mutex::new(ResultsFile::<Entry>::open(&common.out)?);
    let sets = common.chosen(source::ALL, Source::name, |set| set.is_in(&common.data))?;
    let techniques = technique::all();
    let mut runs = vec![];
    for &seed in &arguments.seeds {
        for set in &sets {
            for technique in &techniques {
                let asked = &arguments.techniques;
                let is_asked = asked.is_empty() || asked.iter().any(|name| name == technique.name);
                if !is_asked || !technique.is_for(set.task()) || arguments.print {
                    continue;
                }
                let key = Key {
                    set: set.name().into(),
                    technique: technique.name.into(),
                    model: arguments.model.clone(),
                    strategy: arguments.strategy,
                    rows: arguments.rows,
                    seed,
                };
                if !lock(&results)
                    .entries()
                    .iter()
                    .any(|entry| entry.key == key)
                {
                    runs.push((*set, technique, key));
                }
            }
        }
    }
    several_at_a_time(common.jobs, &runs, |(set, technique, key)| {
        one(common, set, technique, key, &results)
    })?;
    compared::print(lock(&results).entries());
    Ok(())
}

/// Trains once and adds what was reached.
fn one(
    common: &Common,
    set: &Source,
    technique: &Technique,
    key: &Key,
    results: &Mutex<ResultsFile<Entry>>,
) -> Result<(), Error> {
    let device = common.device.open()?;
    let (table, split) = set.load(&common.data, key.seed, key.rows)?;
    let mut config = EstimatorConfig::named(&key.model, key.strategy)?;
    config.training.seed = key.seed;
    technique.apply(&mut config, split.train.len(), set.classes(&table)?)?;
    let checkpoints = common.checkpoints(&key.to_string());
    let options = FitOptions {
        checkpoints: Some(checkpoints.clone()),
        resume: true,
        ..FitOptions::default()
    };
    let (fitted, report) = TabularEstimator::new(set.target())
        .with_config(config)?
        .task(Some(set.task()))
        .ignore(set.ignore().iter().copied())
        .fit_split(&table, &split, &device, options)?;
    let scores = fitted.scores(&table, Some(&split.test))?;
    let entry = Entry {
        key: key.clone(),
        score: set.score().into(),
        value: scores.get(set.score()).unwrap_or(f64::NAN),
        epochs: report.history.len(),
        seconds: report.seconds,
    };
    println!(
        "{key}: {} {:.5}, {:.1} s",
        entry.score, entry.value, entry.seconds
    );
    lock(results).add(entry)?;
    remove(&checkpoints);
    Ok(())
}
