//! Applies a saved model to a table, of rows or of series:
//! `cargo run --release --example predict -- --model FILE --data FILE --out FILE.csv`
//!
//! Writes what the table's file holds, as it is written there, with the predictions beside it:
//! `predicted_TARGET`, and probabilities, quantiles or doubt where the model has them. Where the
//! table has the target too, scores are printed. A forecaster's file (`forecast` writes them) gives the
//! steps after the last row of each series instead, with quantiles.

#[macro_use]
mod output;

mod logging;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::Parser;
use volatilityforge::forecast::{FittedForecaster, ForecastFileConfig};
use volatilityforge::nn::ForgeError;
use volatilityforge::prediction::{OutputColumns, PredictionConfig};
use volatilityforge::{DeviceName, Error, FittedModel, Inference, SavedModel};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Applies a saved model to a table.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Model file, as `train` or `forecast` writes it.
    #[arg(long)]
    model: PathBuf,
    /// CSV, Parquet or Excel file with the model's columns, in any order; others may hold anything.
    #[arg(long)]
    data: PathBuf,
    /// File to write, CSV or Parquet by its ending; a link is followed, a pipe written to.
    #[arg(long)]
    out: PathBuf,
    /// all: what the input holds, and the predictions; or predictions alone [default: all].
    #[arg(long)]
    columns: Option<OutputColumns>,
    /// Predict several times and write how sure the model is: members (of an ensemble or tabm),
    /// dropout:30 or noise:0.05 [default: once].
    #[arg(long)]
    inference: Option<Inference>,
    /// Quantiles to write beside predicted distributions [default: 0.05 0.95].
    #[arg(long, num_args = 1.., value_name = "Q")]
    quantiles: Option<Vec<f64>>,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    device: DeviceName,
    /// Sheet of an Excel file [default: as in training].
    #[arg(long)]
    sheet: Option<String>,
    /// Other settings for reading than those of training: the [read] table of a TOML file.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The same one by one, such as read.skip_rows=1.
    #[arg(long, num_args = 1.., value_name = "PLACE=VALUE")]
    set: Vec<String>,
    /// Predict also where most labels of a column were not seen in training.
    #[arg(long)]
    allow_unknown_labels: bool,
}

fn main() -> ExitCode {
    logging::install();
    match run(&Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<(), Error> {
    match SavedModel::load(&arguments.model, &arguments.device.open()?)? {
        SavedModel::Rows(model) => predict(&model, arguments)?,
        SavedModel::Series(model) => forecast(&model, arguments)?,
    }
    println!("written: {}", arguments.out.display());
    Ok(())
}

/// Takes what the command line says of reading into either config.
macro_rules! read_as_asked {
    ($config:ident, $arguments:ident) => {
        if let Some(file) = &$arguments.config {
            $config.read_settings_file(file)?;
        }
        for assignment in &$arguments.set {
            $config.set(assignment)?;
        }
        if $arguments.sheet.is_some() {
            $config.read.sheet.clone_from(&$arguments.sheet);
        }
    };
}

fn predict(model: &FittedModel, arguments: &Arguments) -> Result<(), Error> {
    let mut config = PredictionConfig::of(model);
    read_as_asked!(config, arguments);
    if let Some(columns) = arguments.columns {
        config.columns = columns;
    }
    if let Some(quantiles) = &arguments.quantiles {
        config.quantiles.clone_from(quantiles);
    }
    config.inference = arguments.inference;
    config.allow_unknown_labels = arguments.allow_unknown_labels;
    let account = model.predict_file(&arguments.data, &arguments.out, &config)?;
    println!("{account}");
    Ok(())
}

fn forecast(model: &FittedForecaster, arguments: &Arguments) -> Result<(), Error> {
    let for_rows = [
        ("columns", arguments.columns.is_some()),
        ("inference", arguments.inference.is_some()),
        ("quantiles", arguments.quantiles.is_some()),
        ("allow_unknown_labels", arguments.allow_unknown_labels),
    ];
    if let Some((name, _)) = for_rows.iter().find(|(_, is_set)| *is_set) {
        let allowed = "absent: this model is a forecaster, and writes the steps to come with the \
                       quantiles that it has learned";
        return Err(ForgeError::config(name, "set", allowed).into());
    }
    let mut config = ForecastFileConfig::of(model);
    read_as_asked!(config, arguments);
    let account = model.predict_file(&arguments.data, &arguments.out, &config)?;
    println!("{account}");
    Ok(())
}
