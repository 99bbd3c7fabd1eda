//! Trains models on a table and compares them with baselines.
//!
//! Without arguments: a synthetic option chain, split by date.
//! `cargo run --release --example train -- --help` lists what it can do with your data.

#[macro_use]
#[path = "../output/mod.rs"]
mod output;
mod arguments;
mod leaderboard;
#[path = "../logging/mod.rs"]
mod logging;
mod progress;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use volatilityforge::experiment::{Experiment, RunEvent, RunOptions};
use volatilityforge::train::log::TensorBoard;
use volatilityforge::train::{Observer, StopReason};
use volatilityforge::{Error, chain};

use arguments::Arguments;
use progress::Progress;

/// Training allocates and frees large buffers at every step; the system's allocator gives such
/// pages back to the kernel each time and faults them in again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    logging::install();
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            if error.is_data() {
                eprintln!("settings: --set read.NAME=VALUE for how the file is read");
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let (config, out) = arguments.config()?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    // A second Ctrl-C ends the process at once.
    let handler = ctrlc::set_handler(move || {
        if flag.swap(true, Ordering::Relaxed) {
            std::process::exit(130);
        }
        eprintln!("\nstopping after this step; the checkpoint will be kept");
    });
    if let Err(error) = handler {
        eprintln!("Ctrl-C will not be caught: {error}");
    }
    let summary = Experiment::new(config)?.run(RunOptions {
        out: out.clone(),
        resume: arguments.resume,
        stop,
        on_event: Box::new(announce),
        observer: Box::new(|model| {
            let mut observers: Vec<Box<dyn Observer>> = vec![Box::new(Progress::new(model))];
            if let Some(folder) = &arguments.tensorboard {
                observers.push(Box::new(TensorBoard::new(folder.join(model))));
            }
            Box::new(observers)
        }),
        sections: vec![Box::new(chain::quotes_section), Box::new(chain::smiles)],
    })?;
    let Some(summary) = summary else {
        println!("stopped; go on with: --resume --out {}", out.display());
        return Ok(ExitCode::from(130));
    };
    leaderboard::print(&summary);
    println!("\nrun folder: {}", out.display());
    println!("  report:     {}", out.join("report.html").display());
    println!(
        "  best model: {} ({})",
        out.join("model.safetensors").display(),
        summary.best
    );
    Ok(ExitCode::SUCCESS)
}

fn announce(event: &RunEvent<'_>) {
    match event {
        RunEvent::Data(data) => {
            data.notes.iter().for_each(|note| println!("{note}"));
            let doubtful = chain::doubtful_quotes(&data.table);
            doubtful.iter().for_each(|found| println!("{found}"));
        }
        RunEvent::Note(note) => println!("{note}"),
        RunEvent::Damaged(name, error) => {
            println!("{name}: made again from its last checkpoint: {error}");
        }
        RunEvent::ModelStarted(_) => {}
        RunEvent::ModelFinished(model, true) => {
            println!("{}: done in an earlier run", model.name);
        }
        RunEvent::ModelFinished(model, false) => println!(
            "{}: {} after {} epochs, {:.1} s; best weights: {}",
            model.name,
            how(&model.stopped),
            model.epochs,
            model.seconds,
            model.candidate
        ),
        RunEvent::ModelFailed(name, error) => println!("left out: {name}: {error}"),
        RunEvent::BaselineStarted(name) => println!("baseline: {name}"),
        RunEvent::BaselineFailed(name, error) => println!("left out: baseline {name}: {error}"),
    }
}

fn how(stopped: &StopReason) -> &str {
    match stopped {
        StopReason::Completed => "trained to the end",
        StopReason::EarlyStopped => "stopped early",
        StopReason::Interrupted => "interrupted",
        StopReason::BudgetSpent => "stopped by its time budget",
        StopReason::Observer(reason) => reason,
    }
}
