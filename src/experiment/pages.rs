//! The report of a run.

use forge_data::ColumnValues;
use forge_train::EpochRecord;

use super::{ExperimentData, ModelResult, SectionMaker, Summary, doubt, importance};
use crate::report::{Diagnostics, Figure, Plot, Point, Report, Section};
use crate::{Error, FittedModel};

/// Leaderboard, training curves, the best model's hold-out predictions, and what the caller adds.
///
/// # Errors
/// What makes predictions impossible.
pub(super) fn report(
    data: &ExperimentData,
    summary: &Summary,
    model: &FittedModel,
    extra: &[SectionMaker<'_>],
) -> Result<Report, Error> {
    let test = data.split.test.as_slice();
    let mut sections = vec![training(summary)];
    if !test.is_empty() {
        let names = model.target_names();
        let (predictions, _) = model.predictions_with_report(&data.table, Some(test))?;
        let calibrated = model.calibrated(&predictions)?;
        let diagnostics = Diagnostics {
            predictions: &predictions,
            intervals: calibrated.as_ref(),
            targets: &model.targets_of(&data.table, Some(test))?,
            names: &names,
            classes: model.classes(),
            features: &features(data, model),
        };
        sections.extend(diagnostics.sections()?);
        sections.extend(doubt::sections(data, model)?);
    }
    sections.extend(importance::section(summary));
    for make in extra {
        sections.extend(make(model, data)?);
    }
    let target = summary.target.join(", ");
    let from = if summary.synthetic {
        "SYNTHETIC data"
    } else {
        "data"
    };
    Ok(Report {
        title: format!("{target} from {from}"),
        notes: notes(data, summary),
        leaderboard: summary.leaderboard(),
        sections,
    })
}

/// What is to be known of the data, and of all models each line once.
fn notes(data: &ExperimentData, summary: &Summary) -> Vec<String> {
    let mut notes = data.notes.clone();
    notes.extend(
        summary
            .failed
            .iter()
            .map(|m| format!("{} is not among the models: {}", m.name, m.error)),
    );
    for note in summary.models.iter().flat_map(|model| &model.notes) {
        if !notes.contains(note) {
            notes.push(note.clone());
        }
    }
    notes
}

/// What the networks of a model went through, each from its first epoch on.
fn by_network(history: &[EpochRecord]) -> impl Iterator<Item = &[EpochRecord]> {
    history.chunk_by(|before, after| before.epoch < after.epoch)
}

/// Training losses and the deciding score of the validation rows.
fn training(summary: &Summary) -> Section {
    let curves = |of: &dyn Fn(&EpochRecord) -> Option<f64>| -> Vec<(String, Vec<Point>)> {
        let models = summary.models.iter();
        let curve = |epochs: &[EpochRecord]| {
            let points = epochs
                .iter()
                .filter_map(|e| Some((e.epoch as f64 + 1.0, of(e)?)));
            points.collect::<Vec<Point>>()
        };
        let first = |m: &ModelResult| by_network(&m.history).next().map(curve);
        models
            .map(|m| (m.name.clone(), first(m).unwrap_or_default()))
            .collect()
    };
    let networks = summary
        .models
        .iter()
        .map(|m| by_network(&m.history).count());
    let notes = match networks.max() {
        Some(2..) => vec!["Curves are those of the first network of each ensemble.".into()],
        _ => Vec::new(),
    };
    let first = summary.models.first();
    let deciding = first.and_then(|m| m.validation.as_ref()?.deciding());
    let name = deciding
        .map_or("score", |score| score.name.as_str())
        .replace('_', " ");
    let figures = [
        (
            "loss".to_string(),
            "training",
            curves(&|e| Some(e.train_loss)),
        ),
        (name, "validation", curves(&EpochRecord::score)),
    ]
    .map(|(what, rows, curves)| {
        let positive = curves.iter().flat_map(|(_, p)| p).all(|p| p.1 > 0.0);
        let axis = if positive {
            format!("log10 of the {what}")
        } else {
            what.clone()
        };
        let mut plot = Plot::new(format!("{rows} {what}"), "epoch", axis);
        for (name, points) in curves {
            let scaled = points
                .iter()
                .map(|p| (p.0, if positive { p.1.log10() } else { p.1 }));
            plot = plot.line(name, scaled.collect());
        }
        Figure::Plot(plot)
    });
    Section {
        title: "Training".into(),
        notes,
        figures: figures.into(),
    }
}

/// The hold-out rows of the numeric columns that the model looks at.
fn features(data: &ExperimentData, model: &FittedModel) -> Vec<(String, Vec<f64>)> {
    let (manifest, _) = model.preprocessor().to_parts();
    let names = manifest.numeric.into_iter().map(|column| column.name);
    let values = |name: String| {
        let column = data.table.column(&name).ok()?;
        let ColumnValues::Numeric(all) = &column.values else {
            return None;
        };
        let rows = data.split.test.iter();
        Some((name, rows.map(|row| all[*row]).collect()))
    };
    names.filter_map(values).collect()
}
