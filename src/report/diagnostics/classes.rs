//! Confusion, ranking and reliability.

use forge_nn::ForgeError;
use forge_train::metric::{ConfusionMatrix, ReliabilityCurve, RocCurve};
use forge_train::objective::Predictions;

use super::Diagnostics;
use crate::Error;
use crate::report::{ConfusionTable, Figure, Plot, Section};

/// Most classes with a ROC curve of their own.
const CURVES: usize = 6;
/// Bins of the reliability curve.
const BINS: usize = 10;

pub(super) fn section(of: &Diagnostics<'_>) -> Result<Section, Error> {
    let (
        Predictions::Probabilities {
            n_classes,
            values,
            threshold,
        },
        Some(predicted),
    ) = (of.predictions, of.predictions.classes())
    else {
        return Err(ForgeError::unsupported("classes of predictions without them").into());
    };
    let n = *n_classes;
    let labels = of.targets.labels(n)?;
    let names: Vec<String> = match of.classes {
        Some(names) if names.len() == n => names.to_vec(),
        _ => (0..n).map(|class| class.to_string()).collect(),
    };
    let matrix = ConfusionMatrix::compute(&predicted, &labels, n, None)?;
    let cells = (0..n).flat_map(|t| (0..n).map(move |p| (t, p)));
    let table = ConfusionTable {
        classes: names.clone(),
        counts: cells.map(|(t, p)| matrix.count(t, p)).collect(),
    };
    let mut notes = vec![format!("Best model, {} hold-out rows.", labels.len())];
    if let (Some(threshold), 2) = (threshold, n) {
        notes.push(format!(
            "Rows with a probability of {} of at least {threshold:.4} are taken for it.",
            names[1]
        ));
    }
    Ok(Section {
        title: format!("Classes of {}", of.name(0)),
        notes,
        figures: vec![
            Figure::ConfusionTable(table),
            Figure::Plot(roc(values, &labels, &names, &matrix)?),
            Figure::Plot(reliability(values, &labels, &names)?),
        ],
    })
}

/// Of two classes the positive one's curve, else one per class against the rest.
fn roc(
    values: &[f64],
    labels: &[usize],
    names: &[String],
    matrix: &ConfusionMatrix,
) -> Result<Plot, Error> {
    let n = names.len();
    let mut plot = Plot::new(
        "receiver operating characteristic",
        "false positive rate",
        "true positive rate",
    )
    .with_diagonal();
    let mut shown: Vec<usize> = if n == 2 { vec![1] } else { (0..n).collect() };
    let rows = labels.len() as f64;
    shown.retain(|class| (1.0..rows).contains(&matrix.of_class(*class)));
    if shown.is_empty() {
        return Ok(plot.note("The hold-out rows are of one class, so there is nothing to rank."));
    }
    if shown.len() > CURVES {
        shown.sort_by(|a, b| matrix.of_class(*b).total_cmp(&matrix.of_class(*a)));
        shown.truncate(CURVES);
        shown.sort_unstable();
        plot = plot.note(format!(
            "The {CURVES} most frequent of {n} classes are shown."
        ));
    }
    for class in shown {
        let scores: Vec<f64> = values.chunks_exact(n).map(|p| p[class]).collect();
        let positive: Vec<bool> = labels.iter().map(|label| *label == class).collect();
        let curve = RocCurve::compute(&scores, &positive, None)?;
        let points = curve.false_positive_rate.iter().copied();
        let points = points.zip(curve.true_positive_rate.iter().copied());
        let name = format!("{} (area {:.4})", names[class], curve.area());
        plot = plot.line(name, points.collect());
    }
    // A single curve has no legend.
    if let [only] = plot.series.as_slice() {
        let note = only.name.clone();
        plot = plot.note(note);
    }
    Ok(plot)
}

/// Of two classes the positive one's probability, else that of the class that is taken.
fn reliability(values: &[f64], labels: &[usize], names: &[String]) -> Result<Plot, Error> {
    let n = names.len();
    let rows = values.chunks_exact(n).zip(labels);
    let (what, probabilities, positive): (_, Vec<f64>, Vec<bool>) = if n == 2 {
        let (p, yes) = rows.map(|(p, label)| (p[1], *label == 1)).unzip();
        (format!("of {}", names[1]), p, yes)
    } else {
        let largest = |p: &[f64]| (0..n).fold(0, |best, i| if p[i] > p[best] { i } else { best });
        let taken = rows.map(|(p, label)| (p[largest(p)], largest(p) == *label));
        let (p, right) = taken.unzip();
        ("of the most probable class".to_string(), p, right)
    };
    // A softmax may round to a hair above 1.
    let probabilities: Vec<f64> = probabilities.iter().map(|p| p.clamp(0.0, 1.0)).collect();
    let curve = ReliabilityCurve::compute(&probabilities, &positive, BINS, None)?;
    let points = curve.bins.iter().map(|bin| (bin.predicted, bin.observed));
    let points: Vec<_> = points.collect();
    Ok(Plot::new(
        "reliability",
        format!("predicted probability {what}"),
        "observed share",
    )
    .with_diagonal()
    .line("share per bin", points.clone())
    .points("bins", points)
    .note(format!(
        "Expected calibration error {:.4}, {BINS} bins of equal width.",
        curve.expected_calibration_error()
    )))
}
