//! What averaging the weights is worth on one noisy table: hold-out error of each kind, over seeds.

#![allow(clippy::print_stdout, reason = "examples talk")]

use volatilityforge::data::SplitConfig;
use volatilityforge::{
    Column, DeviceName, Error, EstimatorConfig, FitOptions, Strategy, Table, TabularRegressor,
    TrainingSettings,
};

const ROWS: usize = 2_000;
const SEEDS: u64 = 3;

/// A wave over two columns under as much noise.
fn table() -> Result<Table, Error> {
    let unit = |i: usize, k: f64| ((i as f64 * k).sin() * 43_758.545).fract();
    let column = |k: f64| (0..ROWS).map(|i| unit(i, k)).collect::<Vec<f64>>();
    let (a, b) = (column(12.9898), column(78.233));
    let y = (0..ROWS).map(|i| (3.0 * a[i]).sin() * b[i] + 0.5 * unit(i, 39.425));
    let y = Column::numeric("y", y.collect());
    let [a, b] = [("a", a), ("b", b)].map(|(name, values)| Column::numeric(name, values));
    Ok(Table::new(vec![a, b, y])?)
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let (table, device) = (table()?, DeviceName::Flex.open()?);
    let split = SplitConfig::default().split(&table, 0.2)?;
    println!("{:<10} {:>10} {:>10}   kept", "average", "RMSE", "spread");
    for (name, fields) in [
        ("none", r#"{"ema": false}"#),
        ("ema", r#"{"ema": true}"#),
        ("swa", r#"{"ema": false, "swa": {"start": 0.5}}"#),
        ("polyak", r#"{"ema": false, "polyak": {"name": "tail"}}"#),
        ("snapshots", r#"{"ema": false, "snapshots": {"cycles": 4}}"#),
        ("soup", r#"{"ema": false, "soup": {"keep": 8}}"#),
    ] {
        let (mut errors, mut kept) = (Vec::new(), String::new());
        for seed in 0..SEEDS {
            let mut training: TrainingSettings = serde_json::from_str(fields)?;
            (training.seed, training.epochs) = (seed, Some(24));
            let config = EstimatorConfig {
                training,
                ..EstimatorConfig::named("tabular_mlp", Strategy::Fast)?
            };
            let model = TabularRegressor::new("y").with_config(config)?;
            let (fitted, report) =
                model.fit_split(&table, &split, &device, FitOptions::default())?;
            let scores = fitted.scores(&table, Some(&split.test))?;
            errors.push(scores.get("rmse").unwrap_or(f64::NAN));
            kept = report.candidate;
        }
        let mean = errors.iter().sum::<f64>() / errors.len() as f64;
        let squares = errors.iter().map(|e| (e - mean).powi(2)).sum::<f64>();
        let spread = (squares / (errors.len() - 1) as f64).sqrt();
        println!("{name:<10} {mean:>10.5} {spread:>10.5}   {kept}");
    }
    Ok(())
}
