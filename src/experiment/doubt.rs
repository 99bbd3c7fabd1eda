//! How sure the best model is of the hold-out rows, for the report.

use forge_meta::bayesian::Predictive;
use forge_train::objective::{Predictions, SpreadPredictions};

use super::ExperimentData;
use crate::report::{RowDoubt, Section};
use crate::{DropoutPasses, Error, FittedModel, Inference};

/// Rows that are asked about at most, evenly spread, so that no model makes a report long by this.
const ROWS: usize = 1000;
/// Passes with dropout.
const PASSES: usize = 20;
/// Most target columns that are shown.
const TARGETS: usize = 6;

/// A section per target, where the model can tell: by members, by dropout, or by the distribution that
/// it predicts; none for any other.
///
/// # Errors
/// What makes predictions impossible.
pub(super) fn sections(data: &ExperimentData, model: &FittedModel) -> Result<Vec<Section>, Error> {
    let test = &data.split.test;
    let rows: Vec<usize> = test
        .iter()
        .copied()
        .step_by(test.len().div_ceil(ROWS).max(1))
        .collect();
    if rows.is_empty() {
        return Ok(Vec::new());
    }
    let (answers, asked) = answers(data, model, &rows)?;
    let said = SpreadPredictions::of(&answers)?;
    let asked = format!("Best model, {} hold-out rows. {asked}", rows.len());
    let targets = model.targets_of(&data.table, Some(&rows))?;
    if let (Some(classes), Some(doubt)) = (model.classes(), &said.doubt) {
        if answers.len() < 2 {
            return Ok(Vec::new());
        }
        let labels = targets.labels(classes.len())?;
        let taken = said.mean.classes().unwrap_or_default();
        let wrong = taken
            .iter()
            .zip(&labels)
            .map(|(a, b)| f64::from(u8::from(a != b)));
        let names = model.target_names();
        let rows = RowDoubt {
            name: names.first().copied().unwrap_or("target"),
            asked,
            measure: "entropy, nats",
            doubt: doubt.total(),
            error_name: "share of wrong classes",
            error: wrong.collect(),
            squared: false,
            notes: vec![format!(
                "Mean entropy in two parts: {:.6} nats of the data (aleatoric), {:.6} of the model \
                 (epistemic).",
                mean(&doubt.aleatoric),
                mean(&doubt.epistemic)
            )],
        };
        return Ok(vec![rows.section()]);
    }
    if matches!(said.mean, Predictions::Quantiles { .. }) {
        return Ok(Vec::new());
    }
    let predictive = Predictive::of_predictions(&answers)?;
    if answers.len() < 2 && !predictive.has_noise() {
        return Ok(Vec::new());
    }
    let names = model.target_names();
    let slots = names.len();
    let of = |values: &[f64], slot: usize| -> Vec<f64> {
        values.iter().skip(slot).step_by(slots).copied().collect()
    };
    let deviations = |variances: &[f64]| variances.iter().map(|v| v.sqrt()).collect::<Vec<_>>();
    let (center, variance) = (predictive.mean(), predictive.variance());
    let (noise, own) = (predictive.aleatoric(), predictive.epistemic());
    let section = |(slot, name): (usize, &&str)| {
        let truth = targets.column(slot);
        let said = of(&center, slot);
        let error = truth.iter().zip(&said).map(|(y, m)| (y - m).abs());
        let part = |all: &[f64]| mean(&deviations(&of(all, slot)));
        RowDoubt {
            name,
            asked: asked.clone(),
            measure: "standard deviation",
            doubt: deviations(&of(&variance, slot)),
            error_name: "root mean squared error",
            error: error.collect(),
            squared: true,
            notes: vec![format!(
                "Mean standard deviations: {:.6} noise of the target (aleatoric), {:.6} doubt of the \
                 model (epistemic).",
                part(&noise),
                part(&own)
            )],
        }
        .section()
    };
    Ok(names
        .iter()
        .enumerate()
        .take(TARGETS)
        .map(section)
        .collect())
}

/// What the model says in each of its ways, and which they are.
fn answers(
    data: &ExperimentData,
    model: &FittedModel,
    rows: &[usize],
) -> Result<(Vec<Predictions>, String), Error> {
    let dropout = Inference::Dropout(DropoutPasses {
        passes: PASSES,
        seed: 0,
    });
    for how in [Inference::Members, dropout] {
        match model.answers_with_report(&data.table, Some(rows), &how) {
            Ok((answers, _)) => {
                let what = match how {
                    Inference::Members => "Answers of its members",
                    _ => "Passes with dropout",
                };
                let asked = format!("{what}: {}.", answers.len());
                return Ok((answers, asked));
            }
            Err(error) if error.is_unsupported() => {}
            Err(error) => return Err(error),
        }
    }
    let (said, _) = model.predictions_with_report(&data.table, Some(rows))?;
    Ok((vec![said], "Asked once.".into()))
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}
