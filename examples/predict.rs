//! Applies a saved model to a table:
//! `cargo run --release --example predict -- --model FILE --data FILE --out FILE.csv`
//!
//! Writes the table with one column more, `predicted_TARGET`. Where the table has the target too,
//! the error is printed.

// An example talks to people.
#![allow(clippy::print_stdout, clippy::print_stderr)]

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use volatilityforge::data::TargetTransform;
use volatilityforge::train::metric::RegressionMetrics;
use volatilityforge::{Column, DeviceName, Error, FittedRegressor, ReadOptions, read_table};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Applies a saved model to a table.
#[derive(Debug, Parser)]
struct Arguments {
    /// Model file, as `train` writes it.
    #[arg(long)]
    model: PathBuf,
    /// CSV, Parquet or Excel file with the model's columns, in any order.
    #[arg(long)]
    data: PathBuf,
    /// CSV file to write.
    #[arg(long)]
    out: PathBuf,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    device: DeviceName,
    /// Sheet of an Excel file [default: the first].
    #[arg(long)]
    sheet: Option<String>,
}

fn main() -> ExitCode {
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    let model = FittedRegressor::load(&arguments.model, &arguments.device.open()?)?;
    let options = ReadOptions {
        sheet: arguments.sheet.clone(),
        ..model.read_options()
    };
    let (table, report) = read_table(&arguments.data, &options)?;
    println!("{report}");
    let predicted = model.predict(&table)?;
    println!(
        "{} predictions of {} by {}",
        predicted.len(),
        model.target(),
        model.model().name()
    );
    if let Ok(actual) = TargetTransform::read(&table, model.target(), None) {
        let metrics = RegressionMetrics::compute(&predicted, &actual)?;
        println!(
            "RMSE {:.6}, MAE {:.6}, R² {:.4}",
            metrics.rmse, metrics.mae, metrics.r2
        );
    }
    let name = format!("predicted_{}", model.target());
    table
        .with_column(Column::numeric(name, predicted))?
        .write_csv(&arguments.out)?;
    println!("written: {}", arguments.out.display());
    Ok(())
}
