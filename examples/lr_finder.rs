//! Finds a learning rate for a model on a synthetic option chain, and writes the plot:
//! `cargo run --release --example lr_finder [-- FILE.svg]`

#[macro_use]
mod output;

use std::process::ExitCode;

use volatilityforge::burn::tensor::Device;
use volatilityforge::data::{SplitConfig, SyntheticMarketConfig};
use volatilityforge::report::learning_rates;
use volatilityforge::train::LrFinderConfig;
use volatilityforge::{Error, EstimatorConfig, Strategy, TabularRegressor, chain};

fn main() -> ExitCode {
    match run() {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

fn run() -> Result<(), Error> {
    let market = SyntheticMarketConfig {
        days: 20,
        ..SyntheticMarketConfig::default()
    };
    let table = market.generate()?;
    let split = SplitConfig::Random {
        fraction: 0.2,
        seed: 0,
        stratify: None,
    };
    let split = split.split(&table, 0.15)?;
    let config = EstimatorConfig::named("tabular_mlp", Strategy::Fast)?;
    let estimator = TabularRegressor::new(chain::TARGET)
        .with_config(config)?
        .ignore(chain::NOT_FEATURES);
    let finder = LrFinderConfig::default();
    let curve = estimator.find_learning_rate(&table, &split, &Device::flex(), finder)?;

    let shown =
        |lr: Option<f64>| lr.map_or("none: the loss never fell".into(), |lr| format!("{lr:.2e}"));
    println!("valley       {}", shown(curve.valley()));
    println!("steepest     {}", shown(curve.steepest()));
    println!("minimum / 10 {}", shown(curve.minimum_tenth()));
    let file = std::env::args().nth(1).unwrap_or("lr_finder.svg".into());
    learning_rates(&curve).write_svg(&file)?;
    println!(
        "suggested learning rate: {}; plot: {file}",
        shown(curve.suggestion())
    );
    Ok(())
}
