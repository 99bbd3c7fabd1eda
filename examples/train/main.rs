//! Trains models on a table and compares them with baselines.
//!
//! Without arguments: a synthetic option chain, split by date.
//! `cargo run --release --example train -- --help` lists what it can do with your data.

// An example talks to people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod arguments;
mod progress;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use volatilityforge::Error;
use volatilityforge::experiment::{Experiment, RunEvent, RunOptions, Summary};
use volatilityforge::train::StopReason;

use arguments::Arguments;
use progress::Progress;

/// Training allocates and frees large buffers at every step; the system's allocator gives such
/// pages back to the kernel each time and faults them in again.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
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
        observer: Box::new(|model| Box::new(Progress::new(model))),
    })?;
    let Some(summary) = summary else {
        println!("stopped; go on with: --resume --out {}", out.display());
        return Ok(ExitCode::from(130));
    };
    print(&summary);
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
        RunEvent::Data(data) => data.notes.iter().for_each(|note| println!("{note}")),
        RunEvent::ModelStarted(_) => {}
        RunEvent::ModelFinished(model, true) => {
            println!("{}: done in an earlier run", model.name);
        }
        RunEvent::ModelFinished(model, false) => println!(
            "{}: {} after {} epochs, {:.1} s",
            model.name,
            how(&model.stopped),
            model.epochs,
            model.seconds
        ),
        RunEvent::BaselineStarted(name) => println!("baseline: {name}"),
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

fn print(summary: &Summary) {
    let data = if summary.synthetic {
        " of SYNTHETIC data"
    } else {
        ""
    };
    println!(
        "\n{} on {} hold-out rows{data}, split {}:",
        summary.target, summary.test_rows, summary.split
    );
    // What is called implied_vol is a fraction; people speak of volatility points.
    let points = summary.target == "implied_vol";
    let mae = if points { "MAE (vol points)" } else { "MAE" };
    if summary.baseline_rows < summary.train_rows {
        println!(
            "(baselines on {} evenly spread training rows)",
            summary.baseline_rows
        );
    }
    println!(
        "{:<18}{:>12}{mae:>18}{:>10}{:>10}{:>12}",
        "", "RMSE", "R²", "seconds", "parameters"
    );
    for row in summary.leaderboard() {
        let name = if row.baseline {
            format!("({})", row.name)
        } else {
            row.name
        };
        let mae = if points { row.mae * 100.0 } else { row.mae };
        let parameters = row.parameters.map_or(String::new(), |p| p.to_string());
        println!(
            "{name:<18}{:>12.6}{mae:>18.4}{:>10.4}{:>10.1}{parameters:>12}",
            row.rmse, row.r2, row.seconds
        );
    }
}
