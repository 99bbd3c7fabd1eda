//! Where values lie and how far apart.

use serde::{Deserialize, Serialize};

use super::SeriesScale;
use crate::DataError;

/// Where values lie and how far apart: they are scaled to `(v - centre) / spread`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Centre {
    /// The mean or median.
    pub centre: f64,
    /// The standard deviation, or what stands for it; above 0.
    pub spread: f64,
}

impl Default for Centre {
    fn default() -> Self {
        Self {
            centre: 0.0,
            spread: 1.0,
        }
    }
}

impl Centre {
    /// Of some values; `None` where there is none.
    pub(super) fn of(mut values: Vec<f64>, scale: SeriesScale) -> Option<Self> {
        if values.is_empty() {
            return None;
        }
        if scale == SeriesScale::None {
            return Some(Self::default());
        }
        let n = values.len() as f64;
        // Of parts, so that sums of values near the largest f64 stay finite.
        let mean = values.iter().map(|v| v / n).sum::<f64>();
        let largest = values
            .iter()
            .fold(0.0_f64, |most, v| most.max((v - mean).abs()));
        let deviation = if largest > 0.0 && largest.is_finite() {
            let squares = values.iter().map(|v| ((v - mean) / largest).powi(2));
            largest * (squares.sum::<f64>() / n).sqrt()
        } else {
            largest
        };
        // Rounding of a constant column is no spread.
        let rounding = mean.abs() * 1e-12;
        let usable = |spread: f64| spread.is_finite() && spread > rounding && spread >= 1e-300;
        let (centre, spread) = match scale {
            SeriesScale::Robust => {
                values.sort_unstable_by(f64::total_cmp);
                let range = quantile(&values, 0.75) - quantile(&values, 0.25);
                let spread = range / 1.349;
                let spread = if usable(spread) { spread } else { deviation };
                (quantile(&values, 0.5), spread)
            }
            _ => (mean, deviation),
        };
        let spread = if usable(spread) { spread } else { 1.0 };
        Some(Self { centre, spread })
    }

    pub(in crate::series) fn scale(self, value: f64) -> f64 {
        (value - self.centre) / self.spread
    }

    /// # Errors
    /// A value error for statistics, as of a damaged file, that scale nothing.
    pub(super) fn check(self) -> Result<(), DataError> {
        if self.centre.is_finite() && self.spread.is_finite() && self.spread > 0.0 {
            return Ok(());
        }
        Err(DataError::value(format!(
            "the scaler has centre {} and spread {}: allowed are finite ones, the spread above 0",
            self.centre, self.spread
        )))
    }
}

/// Of ascending values, linear between them.
fn quantile(values: &[f64], part: f64) -> f64 {
    let place = part * (values.len() - 1) as f64;
    let (below, above) = (place.floor() as usize, place.ceil() as usize);
    values[below] + (values[above] - values[below]) * (place - below as f64)
}

#[cfg(test)]
mod tests {
    use super::{Centre, SeriesScale};

    #[test]
    fn constant_and_huge_values_have_a_usable_spread() {
        let of = |values: &[f64], scale| Centre::of(values.to_vec(), scale);
        let constant = of(&[0.1; 7], SeriesScale::Standard);
        assert_eq!(constant.map(|c| c.spread), Some(1.0));
        assert_eq!(of(&[], SeriesScale::Standard), None);
        let huge = of(&[1e300, -1e300], SeriesScale::Standard);
        assert!(huge.is_some_and(|c| c.centre == 0.0 && (c.spread / 1e300 - 1.0).abs() < 1e-12));
        // Four of five equal: no interquartile range, but a deviation.
        let robust = of(&[1.0, 1.0, 1.0, 1.0, 6.0], SeriesScale::Robust);
        assert_eq!(
            robust,
            Some(Centre {
                centre: 1.0,
                spread: 2.0
            })
        );
        let robust = of(&[1.0, 2.0, 3.0, 4.0, 100.0], SeriesScale::Robust);
        assert_eq!(
            robust,
            Some(Centre {
                centre: 3.0,
                spread: 2.0 / 1.349
            })
        );
    }
}
