//! Whether as many targets lie below a quantile as it says.

use forge_train::metric::IntervalMetrics;
use forge_train::objective::Predictions;

use super::Diagnostics;
use crate::Error;
use crate::report::{Figure, Plot, Section};

/// The quantiles looked at where a model gives any.
const LEVELS: [f64; 11] = [0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.8, 0.9, 0.95, 0.99];

/// The section of one target; none for predictions without quantiles.
pub(super) fn section(of: &Diagnostics<'_>, slot: usize) -> Result<Option<Section>, Error> {
    let said = of.intervals.unwrap_or(of.predictions);
    let levels: Vec<f64> = match said {
        Predictions::Quantiles { quantiles, .. } => quantiles.clone(),
        Predictions::Distribution { .. } | Predictions::Bars { .. } => LEVELS.to_vec(),
        _ => return Ok(None),
    };
    let slots = of.targets.slots();
    let actual = of.targets.column(slot);
    let quantile = |q: f64| -> Result<Vec<f64>, Error> {
        let all = said.quantile(q)?;
        Ok(all.into_iter().skip(slot).step_by(slots).collect())
    };
    let mut observed = Vec::new();
    for q in &levels {
        let ends = quantile(*q)?;
        let below = actual.iter().zip(&ends).filter(|(y, end)| y <= end).count();
        observed.push((*q, below as f64 / actual.len() as f64));
    }
    let name = of.name(slot);
    let mut notes = Vec::new();
    if let (Some(noise), Some(doubt)) = (of.predictions.aleatoric(), of.predictions.epistemic()) {
        let mean = |all: &[f64]| {
            let own = all.iter().skip(slot).step_by(slots);
            own.sum::<f64>() / actual.len() as f64
        };
        notes.push(format!(
            "The spread in two parts, mean standard deviations: {:.6} noise of the target \
             (aleatoric), {:.6} doubt of the model (epistemic).",
            mean(&noise),
            mean(doubt)
        ));
    }
    let mut figures = Vec::new();
    if let Some((low, high)) = central(&levels) {
        let (lower, upper) = (quantile(low)?, quantile(high)?);
        let held = IntervalMetrics::compute(&lower, &upper, &actual, None)?;
        notes.push(format!(
            "Between the quantiles {low} and {high} lie {:.1} % of the targets, {:.1} % were asked \
             for; mean width {:.6}.",
            100.0 * held.coverage,
            100.0 * (high - low),
            held.width
        ));
        let point = of.predictions.point_of(slot);
        let over = |y: Vec<f64>| point.iter().copied().zip(y).collect();
        figures.push(
            Plot::new(
                "targets and interval over predicted",
                format!("predicted {name}"),
                name,
            )
            .points("actual", over(actual))
            .points(format!("quantile {low}"), over(lower))
            .points(format!("quantile {high}"), over(upper)),
        );
    }
    figures.push(
        Plot::new("coverage", "quantile", "share of targets at or below")
            .with_diagonal()
            .line("observed", observed.clone())
            .points("quantiles", observed),
    );
    Ok(Some(Section {
        title: format!("Intervals of {name}"),
        notes,
        figures: figures.into_iter().map(Figure::Plot).collect(),
    }))
}

/// The levels nearest to 0.1 and 0.9 that lie on either side of ½.
fn central(levels: &[f64]) -> Option<(f64, f64)> {
    let near = |aim: f64, side: &dyn Fn(f64) -> bool| {
        let of_side = levels.iter().copied().filter(|q| side(*q));
        of_side.min_by(|a, b| (a - aim).abs().total_cmp(&(b - aim).abs()))
    };
    Some((near(0.1, &|q| q < 0.5)?, near(0.9, &|q| q > 0.5)?))
}
