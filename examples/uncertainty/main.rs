//! Six ways of telling how sure a network is, side by side: Monte-Carlo dropout, SWAG, a deep ensemble,
//! Bayesian linear layers, evidential regression, Laplace's approximation of the last layer.
//!
//! `cargo run --release --example uncertainty` takes a made-up table. With `-- --data FOLDER --sets yacht
//! energy concrete --splits 20` it takes the UCI tables there (`SET/data.csv`, the target last,
//! `SET/splits.json`, and `published.json`) and prints the published figures of Monte-Carlo dropout
//! beside its own. `--out FILE` keeps what is measured: the same command goes on from there. All networks
//! have one hidden layer of 50; `--choose` tries epochs and rates on validation rows.

#![allow(clippy::print_stdout, reason = "examples talk")]

mod methods;
mod net;
mod results;
mod set;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use volatilityforge::Error;
use volatilityforge::burn::tensor::Device;
use volatilityforge::nn::{ForgeError, on_worker};

use methods::{METHODS, Run};
use net::Schedule;
use results::Results;
use set::Set;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Six ways of telling how sure a network is.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Folder of UCI tables [default: a made-up table].
    #[arg(long)]
    data: Option<PathBuf>,
    /// Which tables of it.
    #[arg(long, num_args = 1.., default_values = ["yacht", "energy", "concrete"])]
    sets: Vec<String>,
    /// Splits of each table.
    #[arg(long, default_value_t = 2)]
    splits: usize,
    /// Only methods whose name has this in it [default: all].
    #[arg(long, default_value = "")]
    only: String,
    /// Passes over the training rows [default: each method's own].
    #[arg(long)]
    epochs: Option<usize>,
    /// File of results, which are not measured again.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Trains on split 0 of each table with several epochs and rates, and scores the validation rows.
    #[arg(long)]
    choose: bool,
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance / n).sqrt())
}

/// Epochs and rates that were tried.
const EPOCHS: [usize; 3] = [200, 800, 2000];
const RATES: [f64; 2] = [3e-3, 1e-2];

fn line(name: &str, figures: [(f64, f64); 2]) {
    let shown = figures.map(|(mean, error)| format!("{mean:.3} ± {error:.3}"));
    println!("{name:>26} {:>18} {:>18}", shown[0], shown[1]);
}

fn run(set: &Set, arguments: &Arguments, results: &mut Results) -> Result<(), Error> {
    let began = Instant::now();
    let splits = arguments.splits.min(set.n_splits());
    println!("{}, {splits} splits", set.name);
    println!("{:>26} {:>18} {:>18}", "", "RMSE", "log likelihood");
    for method in METHODS.iter().filter(|m| m.name.contains(&arguments.only)) {
        let mut found = [Vec::new(), Vec::new()];
        let schedule = Schedule {
            epochs: arguments.epochs.unwrap_or(method.usual.epochs),
            ..method.usual
        };
        for at in 0..splits {
            let scores = results.of([&set.name, method.name, "test"], at, schedule, || {
                let split = set.split(at);
                method.scores(&Run {
                    split: &split,
                    judged: &split.test,
                    schedule,
                    seed: at as u64,
                })
            })?;
            let each = found.iter_mut().zip(scores);
            each.for_each(|(all, score)| all.push(score));
        }
        line(method.name, [mean(&found[0]), mean(&found[1])]);
    }
    if let Some(published) = set.published {
        line("MC dropout, published", published);
    }
    println!("{:.0} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn choose(set: &Set, arguments: &Arguments, results: &mut Results) -> Result<(), Error> {
    println!("{}, validation rows of split 0", set.name);
    let split = set.split(0);
    for method in METHODS.iter().filter(|m| m.name.contains(&arguments.only)) {
        for (epochs, rate) in EPOCHS.iter().flat_map(|e| RATES.map(|r| (*e, r))) {
            let schedule = Schedule { epochs, rate };
            let began = Instant::now();
            let names = [set.name.as_str(), method.name, "validation"];
            let [rmse, likely] = results.of(names, 0, schedule, || {
                method.scores(&Run {
                    split: &split,
                    judged: &split.validation,
                    schedule,
                    seed: 0,
                })
            })?;
            println!(
                "{:>26} {epochs:>6} epochs at {rate:<6} RMSE {rmse:.3}, log likelihood {likely:.3}, {:.1} s",
                method.name,
                began.elapsed().as_secs_f64()
            );
        }
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    on_worker(&Device::flex(), all)
}

fn all() -> Result<(), Error> {
    let arguments = Arguments::parse();
    let counts = [
        ("splits", Some(arguments.splits)),
        ("epochs", arguments.epochs),
    ];
    if let Some((name, _)) = counts.iter().find(|(_, value)| *value == Some(0)) {
        return Err(ForgeError::config(name, 0, "at least 1").into());
    }
    let sets = match &arguments.data {
        None => vec![Set::made_up()],
        Some(folder) => {
            let sets = arguments.sets.iter().map(|name| Set::read(folder, name));
            sets.collect::<Result<_, _>>()?
        }
    };
    let mut results = Results::open(arguments.out.as_deref())?;
    for set in &sets {
        match arguments.choose {
            true => choose(set, &arguments, &mut results)?,
            false => run(set, &arguments, &mut results)?,
        }
    }
    Ok(())
}
