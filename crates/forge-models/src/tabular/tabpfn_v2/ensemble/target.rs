//! Targets that a member sees through a power transform.

use forge_nn::{BarDistribution, ForgeError};

use crate::tabular::in_context::YeoJohnson;

/// Borders beyond this, in deviations of the target, are none.
const FAR: f64 = 1e3;
/// The least width of an outer bucket.
const NARROW: f64 = 1e-6;

/// The network's buckets as a member's targets have them, and on the standardised scale.
#[derive(Debug, Clone)]
pub(super) struct PowerTarget {
    power: YeoJohnson,
    /// The buckets on the standardised scale.
    bars: BarDistribution,
    /// Which buckets are there at all.
    there: Vec<bool>,
}

impl PowerTarget {
    /// For standardised labels.
    ///
    /// # Errors
    /// A config error if the transform leaves no buckets.
    pub(super) fn new(labels: &[f64], bars: &BarDistribution) -> Result<Self, ForgeError> {
        let power = YeoJohnson::fit(labels);
        let moved = bars.borders().iter().map(|border| power.invert(*border));
        let mut borders: Vec<f64> = moved.collect();
        let good = |x: &f64| x.is_finite() && x.abs() <= FAR;
        let found = (
            borders.iter().position(good),
            borders.iter().rposition(good),
        );
        let (Some(first), Some(last)) = found else {
            let allowed = "such that some lie within 1000 deviations of the target";
            return Err(ForgeError::config(
                "borders",
                "those of the checkpoint",
                allowed,
            ));
        };
        let there = (0..bars.len()).map(|i| i >= first && i < last).collect();
        let end = borders.len() - 1;
        let (low, high) = (borders[first], borders[last]);
        borders[..first].fill(low);
        borders[last..].fill(high);
        // Buckets that are not there have no width, but the outermost must.
        if first > 0 {
            borders[0] = low - 1.0;
        }
        if last < end {
            borders[end] = high + 1.0;
        }
        if borders[1] - borders[0] < NARROW {
            borders[0] = borders[1] - NARROW;
        }
        if borders[end] - borders[end - 1] < NARROW {
            borders[end] = borders[end - 1] + NARROW;
        }
        Ok(Self {
            power,
            bars: BarDistribution::new(borders)?,
            there,
        })
    }

    /// Standardised labels as the member sees them.
    pub(super) fn labels(&self, labels: &[f64]) -> Vec<f64> {
        labels
            .iter()
            .map(|label| self.power.apply(*label))
            .collect()
    }

    /// A member's probabilities as those of the buckets `onto` on the standardised scale.
    pub(super) fn probabilities(&self, mut p: Vec<f64>, onto: &BarDistribution) -> Vec<f64> {
        let inside = p.iter().zip(&self.there).filter(|(_, there)| **there);
        let sum: f64 = inside.map(|(p, _)| p).sum();
        if sum > 0.0 {
            for (p, there) in p.iter_mut().zip(&self.there) {
                *p = if *there { *p / sum } else { 0.0 };
            }
        }
        self.bars.onto(&p, onto)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A skewed target: what a member says of it with its own buckets lies where the labels are.
    #[test]
    fn probabilities_come_back_to_the_labels_scale() -> Result<(), ForgeError> {
        let raw: Vec<f64> = (0..40).map(|i| (f64::from(i) / 8.0).exp()).collect();
        let mean = raw.iter().sum::<f64>() / 40.0;
        let scale = (raw.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 40.0).sqrt();
        let labels: Vec<f64> = raw.iter().map(|y| (y - mean) / scale).collect();
        let borders: Vec<f64> = (0..=200).map(|i| f64::from(i - 100) / 20.0).collect();
        let bars = BarDistribution::new(borders)?;
        let target = PowerTarget::new(&labels, &bars)?;
        for (label, seen) in labels.iter().zip(target.labels(&labels)) {
            let at = bars
                .borders()
                .iter()
                .filter(|border| **border < seen)
                .count()
                - 1;
            let mut p = vec![0.0; bars.len()];
            p[at] = 1.0;
            let back = target.probabilities(p, &bars);
            assert!((back.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let found = bars.mean(&back);
            assert!((found - label).abs() < 0.3, "{label} came back as {found}");
        }
        Ok(())
    }

    #[test]
    fn borders_out_of_reach_are_cut() -> Result<(), ForgeError> {
        let labels: Vec<f64> = (0..30).map(|i| f64::from(i % 10) / 3.0 - 1.5).collect();
        let bars = BarDistribution::new(vec![-1e9, -1e5, -1.0, 0.0, 1.0, 1e5, 1e9])?;
        let target = PowerTarget::new(&labels, &bars)?;
        assert!(!target.there[0] && !target.there[5] && target.there[2]);
        let back = target.probabilities(vec![0.4, 0.0, 0.1, 0.1, 0.0, 0.4], &bars);
        assert!((back.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{back:?}");
        Ok(())
    }
}
