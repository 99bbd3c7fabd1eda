//! Our trainer on Burn's terminal dashboard:
//! `cargo run --manifest-path examples/burn_learner/Cargo.toml --bin dashboard`

use volatilityforge::data::SplitConfig;
use volatilityforge::train::log::Dashboard;
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FitOptions, Strategy, Table, TabularRegressor,
};

const ROWS: usize = 8_192;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let column = |step: usize| (0..ROWS).map(move |row| (row * step % ROWS) as f64 / ROWS as f64);
    let y = column(37)
        .zip(column(101))
        .map(|(a, b)| (6.0 * a).sin() * b);
    let table = Table::new(vec![
        Column::numeric("a", column(37).collect::<Vec<f64>>()),
        Column::numeric("b", column(101).collect::<Vec<f64>>()),
        Column::numeric("y", y.collect::<Vec<f64>>()),
    ])?;
    let split = SplitConfig::default().split(&table, 0.2)?;
    let mut config = EstimatorConfig::named("tabular_resnet", Strategy::Fast)?;
    config.training.epochs = Some(12);
    let options = FitOptions {
        observers: vec![Box::new(Dashboard::new()?)],
        ..FitOptions::default()
    };
    let estimator = TabularRegressor::new("y").with_config(config)?;
    let (model, report) =
        estimator.fit_split(&table, &split, &DeviceName::Flex.open()?, options)?;
    let scores = model.scores(&table, Some(&split.test))?;
    println!(
        "{:?}: R² of held-out rows {:.4}",
        report.stopped,
        scores.get("r2").unwrap_or(f64::NAN)
    );
    Ok(())
}
