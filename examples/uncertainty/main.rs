//! Five ways of telling how sure a network is, side by side: Monte-Carlo dropout, SWAG, a deep ensemble,
//! Bayesian linear layers, evidential regression.
//!
//! `cargo run --release --example uncertainty` takes a made-up table. With `-- --data FOLDER --sets yacht
//! energy concrete --splits 20` it takes the UCI tables there (`SET/data.csv`, the target last,
//! `SET/splits.json`, and `published.json`) and prints the published figures of Monte-Carlo dropout
//! beside its own. Nothing is tuned: one hidden layer of 50, the same epochs for all.

#![allow(clippy::print_stdout, reason = "examples talk")]

mod methods;
mod net;
mod set;

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use volatilityforge::Error;
use volatilityforge::nn::ForgeError;

use methods::NAMES;
use set::Set;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Five ways of telling how sure a network is.
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
    /// Passes over the training rows.
    #[arg(long, default_value_t = 200)]
    epochs: usize,
}

/// Mean and standard error.
fn mean(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
    (mean, (variance / n).sqrt())
}

fn run(set: &Set, splits: usize, epochs: usize) -> Result<(), Error> {
    let began = Instant::now();
    let splits = splits.min(set.n_splits());
    let mut found = vec![[Vec::new(), Vec::new()]; NAMES.len()];
    for at in 0..splits {
        let split = set.split(at);
        let said = methods::all(&split, epochs, at as u64)?;
        for (said, found) in said.iter().zip(&mut found) {
            let scores = methods::scores(said, &split.test, split.unit)?;
            found
                .iter_mut()
                .zip(scores)
                .for_each(|(all, score)| all.push(score));
        }
    }
    let seconds = began.elapsed().as_secs_f64();
    println!(
        "{}: {splits} splits, {epochs} epochs, {seconds:.0} s",
        set.name
    );
    println!("{:>26} {:>18} {:>18}", "", "RMSE", "log likelihood");
    let line = |name: &str, figures: [(f64, f64); 2]| {
        let shown = figures.map(|(mean, error)| format!("{mean:.3} ± {error:.3}"));
        println!("{name:>26} {:>18} {:>18}", shown[0], shown[1]);
    };
    for (name, [rmse, likely]) in NAMES.iter().zip(&found) {
        line(name, [mean(rmse), mean(likely)]);
    }
    if let Some(published) = set.published {
        line("MC dropout, published", published);
    }
    Ok(())
}

fn main() -> Result<(), Error> {
    let arguments = Arguments::parse();
    for (name, value) in [("splits", arguments.splits), ("epochs", arguments.epochs)] {
        if value == 0 {
            return Err(ForgeError::config(name, value, "at least 1").into());
        }
    }
    let sets = match &arguments.data {
        None => vec![Set::made_up()],
        Some(folder) => {
            let sets = arguments.sets.iter().map(|name| Set::read(folder, name));
            sets.collect::<Result<_, _>>()?
        }
    };
    for set in &sets {
        run(set, arguments.splits, arguments.epochs)?;
    }
    Ok(())
}
