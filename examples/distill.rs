//! A large model into a small one: `cargo run --release --example distill -- --data chain.csv
//! --target implied_vol --ignore bid ask mid`; prints R² and rows per second of both on held-out rows.

use std::time::Instant;

use clap::Parser;
use volatilityforge::data::SplitConfig;
use volatilityforge::{DeviceName, Error, EstimatorConfig, FitOptions, FittedModel, Strategy};
use volatilityforge::{TabularEstimator, Teacher, read_table};

#[derive(Debug, Parser)]
struct Arguments {
    /// CSV, Parquet or Excel file.
    #[arg(long)]
    data: std::path::PathBuf,
    #[arg(long)]
    target: String,
    #[arg(long, num_args = 1..)]
    ignore: Vec<String>,
    /// The teacher's size: fast, balanced or accurate (the paper's).
    #[arg(long, default_value = "accurate")]
    strategy: Strategy,
    /// Factor on the student's widths and depths.
    #[arg(long, default_value_t = 0.3)]
    factor: f64,
    /// Most epochs [default: as the table's length asks for].
    #[arg(long)]
    epochs: Option<usize>,
}

#[allow(clippy::print_stdout, reason = "what it is for")]
fn main() -> Result<(), Error> {
    let args = Arguments::parse();
    let device = DeviceName::Flex.open()?;
    let (table, _) = read_table(&args.data, &Default::default())?;
    let split = SplitConfig::default().split(&table, 0.15)?;
    let fit = |mut config: EstimatorConfig, teacher| -> Result<FittedModel, Error> {
        config.training.epochs = args.epochs;
        let estimator = TabularEstimator::new(&args.target).ignore(&args.ignore);
        let (mut options, estimator) = (FitOptions::default(), estimator.with_config(config)?);
        options.teacher = teacher;
        Ok(estimator.fit_split(&table, &split, &device, options)?.0)
    };
    let large = EstimatorConfig::named("ft_transformer", args.strategy)?;
    let teacher = fit(large, None)?;
    let student = fit(teacher.student(args.factor)?, Some(Teacher::from(&teacher)))?;
    for (name, model) in [("teacher", &teacher), ("student", &student)] {
        let scores = model.scores(&table, Some(&split.test))?;
        let r2 = scores.get("r2").unwrap_or(f64::NAN);
        let start = Instant::now();
        model.predictions(&table)?;
        let speed = table.n_rows() as f64 / start.elapsed().as_secs_f64();
        let n = model.model().parameter_count()?;
        println!("{name}: {n} parameters, R² {r2:.5}, {speed:.0} rows per second");
    }
    Ok(())
}
