//! Losses over learning rates.

use forge_train::LrCurve;

use super::{Plot, Point};

/// The plot of a rate finder: the smoothed loss and what the batches' losses were, over the logarithm
/// of the rate, with what it suggests.
#[must_use]
pub fn learning_rates(curve: &LrCurve) -> Plot {
    let points = |loss: &dyn Fn(usize) -> f64| -> Vec<Point> {
        let points = curve.points.iter().enumerate();
        points
            .map(|(i, point)| (point.lr.log10(), loss(i)))
            .collect()
    };
    let mut plot = Plot::new(
        "Learning rates",
        "log10 of the learning rate",
        "training loss",
    )
    .line("smoothed loss", points(&|i| curve.points[i].smoothed))
    .points("loss of a batch", points(&|i| curve.points[i].loss));
    let suggestions = [
        ("valley", curve.valley()),
        ("steepest", curve.steepest()),
        ("minimum / 10", curve.minimum_tenth()),
    ];
    for (name, lr) in suggestions {
        let Some(lr) = lr else { continue };
        let nearest = curve.points.iter().min_by(|a, b| {
            let far = |lr_of: f64| (lr_of / lr).ln().abs();
            far(a.lr).total_cmp(&far(b.lr))
        });
        if let Some(point) = nearest {
            plot = plot.points(
                format!("{name} {lr:.1e}"),
                vec![(lr.log10(), point.smoothed)],
            );
        }
    }
    if curve.diverged {
        plot = plot.note("The sweep ended where the loss went away.");
    }
    plot
}
