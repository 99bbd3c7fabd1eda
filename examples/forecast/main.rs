//! Forecasts series several steps ahead, with quantiles, and compares models with baselines.
//!
//! Without arguments: the realised variance of made-up stocks, split by date.
//! `cargo run --release --example forecast -- --help` lists what it can do with your data.

#[macro_use]
#[path = "../output/mod.rs"]
mod output;
mod arguments;
#[path = "../logging/mod.rs"]
mod logging;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use clap::Parser;
use volatilityforge::Error;
use volatilityforge::forecast::run::{ForecastRun, ForecastRunOptions, ForecastSummary};
use volatilityforge::report::LeaderboardRow;
use volatilityforge::train::metric::Score;

use arguments::Arguments;

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
                eprintln!(
                    "settings: --set read.NAME=VALUE for how the file is read, --set forecaster.series.NAME=VALUE for the series"
                );
            }
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let (config, out) = arguments.config()?;
    let synthetic = config.data.is_none();
    let device = arguments.device.open()?;
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
    let options = ForecastRunOptions {
        out: out.clone(),
        resume: arguments.resume,
        stop,
        hear: Box::new(|note| println!("{note}")),
    };
    let Some(summary) = ForecastRun::new(config)?.run(&device, options)? else {
        println!("stopped; go on with: --resume --out {}", out.display());
        return Ok(ExitCode::from(130));
    };
    print_leaderboard(&summary, synthetic);
    println!("\nrun folder: {}", out.display());
    println!("  report:     {}", out.join("report.html").display());
    println!("  forecasts:  {}", out.join("forecasts.csv").display());
    println!(
        "  best model: {} ({}, by validation)",
        out.join("model.safetensors").display(),
        summary.best
    );
    if let (false, Some(data)) = (synthetic, &arguments.data) {
        println!(
            "what comes next: cargo run --release --example predict -- --model {} --data {} --out next.csv",
            out.join("model.safetensors").display(),
            data.display()
        );
    }
    Ok(ExitCode::SUCCESS)
}

fn print_leaderboard(summary: &ForecastSummary, synthetic: bool) {
    let data = if synthetic { " of SYNTHETIC data" } else { "" };
    println!("\n{} test windows{data}:", summary.windows);
    let rows = &summary.leaderboard;
    let names = LeaderboardRow::score_names(rows);
    print!("{:<18}", "");
    for name in &names {
        print!("{:>width$}", name.replace('_', " "), width = width(name));
    }
    println!("{:>10}{:>12}", "seconds", "parameters");
    for row in rows {
        let name = if row.baseline {
            format!("({})", row.name)
        } else {
            row.name.clone()
        };
        print!("{name:<18}");
        for name in &names {
            let shown = row.scores.find(name).map_or("–".into(), Score::shown);
            print!("{shown:>width$}", width = width(name));
        }
        let parameters = row.parameters.map_or(String::new(), |p| p.to_string());
        println!("{:>10.1}{parameters:>12}", row.seconds);
    }
}

fn width(name: &str) -> usize {
    name.chars().count().max(12) + 2
}
