//! Applies a saved model to a table:
//! `cargo run --release --example predict -- --model FILE --data FILE --out FILE.csv`
//!
//! Writes the table with the predictions beside it: `predicted_TARGET`, and probabilities, quantiles
//! or spread where the model has them. Where the table has the target too, scores are printed.

#[macro_use]
mod output;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use volatilityforge::{DeviceName, Error, FittedModel, ReadOptions, read_table};

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
    /// Sheet of an Excel file [default: as in training].
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
    let model = FittedModel::load(&arguments.model, &arguments.device.open()?)?;
    let as_trained = model.read_options();
    let options = ReadOptions {
        sheet: arguments.sheet.clone().or(as_trained.sheet.clone()),
        ..as_trained
    };
    let (mut table, report) = read_table(&arguments.data, &options)?;
    println!("{report}");
    let target = model.target_names().join(", ");
    let architecture = model.model().name();
    println!(
        "{} predictions of {target} by {architecture}",
        table.n_rows()
    );
    if (model.target_names().iter()).all(|target| table.column(target).is_ok()) {
        for score in model.scores(&table, None)?.iter() {
            println!("{}: {:.6}", score.name.replace('_', " "), score.value);
        }
    }
    for column in model.prediction_columns(&table)? {
        table = table.with_column(column)?;
    }
    table.write_csv(&arguments.out)?;
    println!("written: {}", arguments.out.display());
    Ok(())
}
