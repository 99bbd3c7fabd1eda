//! Which columns count, for the run's figures and its report.

use forge_models::RowContext;

use super::{ExperimentData, Summary};
use crate::report::{Bar, Bars, Figure, Section};
use crate::{ColumnImportance, Error, FittedModel, PermutationConfig};

/// Rows to predict at most, so that no table and no model makes a run long by this.
const ROWS: usize = 20_000;
/// Fewer rows than these tell nothing.
const FEWEST: usize = 50;
/// How often a column is shuffled.
const REPEATS: usize = 3;

/// The rows that columns are judged on: the validation rows, or without any the hold-out rows.
fn rows(data: &ExperimentData) -> &[usize] {
    match data.split.validation.is_empty() {
        true => &data.split.test,
        false => &data.split.validation,
    }
}

/// How much each column counts by the model's own account, if it gives any.
///
/// # Errors
/// What makes predictions impossible.
pub(super) fn own(
    data: &ExperimentData,
    model: &FittedModel,
) -> Result<Option<Vec<ColumnImportance>>, Error> {
    match rows(data) {
        [] => Ok(None),
        rows => model.importance(&data.table, Some(rows)),
    }
}

/// What the model loses by each column, where it can be found in a short time.
///
/// # Errors
/// What makes predictions impossible.
pub(super) fn by_permutation(
    data: &ExperimentData,
    model: &FittedModel,
) -> Result<Option<Vec<ColumnImportance>>, Error> {
    // Every pass over labelled context costs as much as very many rows.
    if model.model().capabilities().rows == RowContext::Labelled {
        return Ok(None);
    }
    let columns = model.preprocessor().source_columns().count();
    let all = rows(data);
    let most = ROWS / (columns * REPEATS).max(1);
    if all.len().min(most) < FEWEST {
        return Ok(None);
    }
    let step = all.len().div_ceil(most);
    let some: Vec<usize> = all.iter().copied().step_by(step).collect();
    let config = PermutationConfig {
        repeats: REPEATS,
        ..PermutationConfig::default()
    };
    match model.permutation_importance(&data.table, Some(&some), &config) {
        Ok(columns) => Ok(Some(columns)),
        // The score of a single class is undefined; the run is none the worse.
        Err(error) if error.is_training() => Ok(None),
        Err(error) => Err(error),
    }
}

/// What is known of the columns, if anything is.
pub(super) fn section(summary: &Summary) -> Option<Section> {
    let bars = |columns: &[ColumnImportance]| {
        let bar = |c: &ColumnImportance| Bar {
            name: c.column.clone(),
            value: c.value,
            spread: c.std,
        };
        columns.iter().map(bar).collect()
    };
    let mut figures = vec![];
    if let Some(columns) = &summary.permutation_importance {
        let best = summary.models.iter().find(|m| m.name == summary.best);
        let score = best.and_then(|m| m.scores.deciding());
        let score = score.map_or("score".into(), |s| s.name.replace('_', " "));
        figures.push(Figure::Bars(Bars {
            title: format!("{}, a column's cells shuffled", summary.best),
            unit: format!("{score} worse by"),
            bars: bars(columns),
            notes: vec![format!(
                "Mean and standard deviation of {REPEATS} shuffles."
            )],
        }));
    }
    for model in &summary.models {
        if let Some(columns) = &model.importance {
            figures.push(Figure::Bars(Bars {
                title: format!("{}, by its own account", model.name),
                unit: "share".into(),
                bars: bars(columns),
                notes: vec![],
            }));
        }
    }
    let judged = match summary.validation_rows {
        0 => "hold-out",
        _ => "validation",
    };
    (!figures.is_empty()).then(|| Section {
        title: "Which columns count".into(),
        notes: vec![format!("On the {judged} rows.")],
        figures,
    })
}
