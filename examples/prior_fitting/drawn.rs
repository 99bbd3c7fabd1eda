//! New tables from the prior, predicted by the fitted model and by baselines that are fitted to each.

use std::sync::atomic::AtomicBool;

use volatilityforge::Error;
use volatilityforge::baseline::{Baseline, DenseColumns};
use volatilityforge::burn::tensor::Device;
use volatilityforge::data::DrawnTable;
use volatilityforge::models::Model;
use volatilityforge::prior_fitting::{PriorFittingConfig, PriorTask};
use volatilityforge::train::objective::{Multiclass, Objective, ObjectiveConfig, Targets};

const TABLES: u64 = 200;
/// Apart from the tables of training and validation.
const STREAM: u64 = 0x0074_6573_7421;

/// Prints the mean accuracy on tables that nobody has seen.
pub(crate) fn print(
    config: &PriorFittingConfig,
    model: &Model,
    device: &Device,
) -> Result<(), Error> {
    let seed = config.trainer.seed ^ STREAM;
    let tables: Result<Vec<_>, _> = (0..TABLES).map(|i| config.prior.draw(seed, i)).collect();
    let tables = tables?;
    println!("\nmean accuracy on {TABLES} new tables of the prior:");
    let scores = PriorTask::new(config, device)?.scores(model, &tables)?;
    if let Some(accuracy) = scores.find("accuracy") {
        println!("{:<12}{}", "tabpfn_v1", accuracy.shown());
    }
    let objective = ObjectiveConfig::Multiclass(Multiclass::default());
    for baseline in Baseline::all(&objective) {
        let each = tables.iter().map(|table| accuracy(&baseline, table));
        let sum = each.sum::<Result<f64, Error>>()?;
        println!("{:<12}{:.4}", baseline.name(), sum / TABLES as f64);
    }
    Ok(())
}

fn accuracy(baseline: &Baseline, table: &DrawnTable) -> Result<f64, Error> {
    let (known, asked) = table.target.split_at(table.labelled);
    let (x, x_asked) = table.features.split_at(table.labelled * table.n_features);
    let dense = |values: &[f32]| DenseColumns::from_row_major(values, table.n_features);
    let targets = |values: &[f32]| Targets::new(1, values.iter().map(|y| f64::from(*y)).collect());
    let (known, asked) = (targets(known)?, targets(asked)?);
    let mut objective = ObjectiveConfig::Multiclass(Multiclass::default());
    objective.fit(&known)?;
    let never = AtomicBool::new(false);
    let predicted =
        baseline.fit_predict(&objective, &dense(x), &known, None, &dense(x_asked), &never)?;
    let scores = objective.scores(&predicted, &asked)?;
    Ok(scores.find("accuracy").map_or(0.0, |score| score.value))
}
