//! Predicted against actual numbers, and what is left over.

use super::Diagnostics;
use super::correlation::strongest;
use crate::report::{Figure, Plot, Section};

pub(super) fn section(of: &Diagnostics<'_>, slot: usize) -> Section {
    let name = of.name(slot);
    let (predicted, actual) = (of.predictions.point_of(slot), of.targets.column(slot));
    let residuals: Vec<f64> = actual.iter().zip(&predicted).map(|(y, p)| y - p).collect();
    let over = |x: &[f64]| x.iter().copied().zip(residuals.iter().copied()).collect();
    let left = "actual − predicted";
    let mut figures = vec![
        Plot::new(
            "predicted over actual",
            format!("actual {name}"),
            format!("predicted {name}"),
        )
        .with_diagonal()
        .points(
            name,
            actual
                .iter()
                .copied()
                .zip(predicted.iter().copied())
                .collect(),
        ),
        Plot::new(
            "residuals over predicted",
            format!("predicted {name}"),
            left,
        )
        .points("residual", over(&predicted)),
    ];
    let by_residual = strongest(of.features, &residuals, None);
    let by_target = strongest(of.features, &actual, by_residual.map(|(at, _)| at));
    for (found, what) in [(by_residual, "the residual"), (by_target, "the target")] {
        if let Some((at, r)) = found {
            let (feature, values) = &of.features[at];
            let plot = Plot::new(format!("residuals over {feature}"), feature, left)
                .points("residual", over(values))
                .note(format!("chosen for its correlation {r:.3} with {what}"));
            figures.push(plot);
        }
    }
    Section {
        title: format!("Predictions of {name}"),
        notes: vec![format!("Best model, {} hold-out rows.", actual.len())],
        figures: figures.into_iter().map(Figure::Plot).collect(),
    }
}
