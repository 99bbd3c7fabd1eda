//! Distributions of one number as probabilities of buckets.

mod loss;
mod reading;

use serde::{Deserialize, Serialize};

use crate::{ForgeError, StateDict};

/// Buckets that a border list may have.
const MOST: usize = 65_536;

/// The buckets of a piecewise constant distribution with half-normal tails: within a bucket the
/// density is even, in the first and last it is that half of a normal distribution of which one half
/// lies within the bucket and the other beyond.
///
/// A network gives one logit per bucket. "Full-support bar distribution" of Müller et al. 2022,
/// "Transformers Can Do Bayesian Inference" (arXiv 2112.10510, appendix), as
/// `FullSupportBarDistribution` in `tabpfn` 2.0.9. As there, [`quantile`](Self::quantile),
/// [`cumulative`](Self::cumulative) and [`mode`](Self::mode) take the outer buckets for even ones,
/// so that they stay within the borders; [`mean`](Self::mean), [`variance`](Self::variance) and the
/// density do not.
///
/// ```
/// use forge_nn::BarDistribution;
///
/// let bars = BarDistribution::new(vec![-2.0, 0.0, 1.0, 4.0])?;
/// let p = bars.probabilities(&[0.0, 2.0, 0.0])?;
/// assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
/// assert_eq!(bars.mode(&p), 0.5);
/// assert!((0.0..1.0).contains(&bars.quantile(&p, 0.5)));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Vec<f64>", into = "Vec<f64>")]
pub struct BarDistribution {
    borders: Vec<f64>,
}

impl TryFrom<Vec<f64>> for BarDistribution {
    type Error = ForgeError;

    fn try_from(borders: Vec<f64>) -> Result<Self, ForgeError> {
        Self::new(borders)
    }
}

impl From<BarDistribution> for Vec<f64> {
    fn from(bars: BarDistribution) -> Self {
        bars.borders
    }
}

impl BarDistribution {
    /// Buckets between `borders`, one less than those.
    ///
    /// # Errors
    /// A config error for fewer than 3 borders or more than 65537, one that is not finite, one below
    /// the one before it, or an outer bucket without width.
    pub fn new(borders: Vec<f64>) -> Result<Self, ForgeError> {
        if !(3..=MOST + 1).contains(&borders.len()) {
            let found = format!("{} borders", borders.len());
            let allowed = format!("3 to {}: two buckets or more", MOST + 1);
            return Err(ForgeError::config("borders", found, allowed));
        }
        if let Some(i) = borders.iter().position(|border| !border.is_finite()) {
            return Err(ForgeError::config(
                &format!("borders[{i}]"),
                borders[i],
                "finite",
            ));
        }
        let last = borders.len() - 1;
        for i in 1..=last {
            let outer = i == 1 || i == last;
            let (left, right) = (borders[i - 1], borders[i]);
            if right < left || (outer && right == left) {
                let than = if outer { "above" } else { "at least" };
                let allowed = format!("{than} the border before it, {left}");
                return Err(ForgeError::config(&format!("borders[{i}]"), right, allowed));
            }
        }
        Ok(Self { borders })
    }

    /// Buckets that each hold about as many of `values`, from the smallest to the largest of them; as
    /// many as `buckets`, or fewer where there are not two values for each. As `get_bucket_limits` of
    /// the reference.
    ///
    /// # Errors
    /// A config error for fewer than 2 buckets or more than 65536, a shape error for values that are
    /// not finite or fewer than 3 different ones.
    pub fn of_values(values: &[f64], buckets: usize) -> Result<Self, ForgeError> {
        crate::check::in_range("buckets", buckets, 2..=MOST)?;
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        if sorted.iter().any(|value| !value.is_finite()) {
            return Err(ForgeError::shape(
                "values",
                "NaN or infinity",
                "finite numbers",
            ));
        }
        let count = sorted.len();
        let buckets = buckets.min(count / 2).max(2);
        let between = (1..buckets).map(|i| i * count / buckets).filter(|i| *i > 0);
        let inner = between.map(|i| sorted[i - 1].midpoint(sorted[i]));
        let mut borders: Vec<f64> = sorted.first().copied().into_iter().collect();
        borders.extend(inner);
        borders.extend(sorted.last());
        borders.dedup();
        if borders.len() < 3 {
            let expected = "at least 3 different values to make buckets of";
            return Err(ForgeError::shape(
                "values",
                format!("{count} values"),
                expected,
            ));
        }
        Self::new(borders)
    }

    /// The borders of an authors' checkpoint of a regressor, `criterion.borders`.
    ///
    /// # Errors
    /// A weights error if it has none; as [`new`](Self::new) for what is in it.
    pub fn of_checkpoint(checkpoint: &StateDict) -> Result<Self, ForgeError> {
        let borders = checkpoint.tensors.get("criterion.borders");
        let borders = borders.filter(|borders| borders.dtype().is_float());
        let borders = borders.ok_or_else(|| {
            ForgeError::weights("criterion.borders is missing or holds no floats: no regressor")
        })?;
        Self::new(borders.iter::<f64>().collect())
    }

    /// Number of buckets, at least 2.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "it is never empty")]
    pub fn len(&self) -> usize {
        self.borders.len() - 1
    }

    /// The borders, rising.
    #[must_use]
    pub fn borders(&self) -> &[f64] {
        &self.borders
    }

    /// The same buckets in another unit: `y · scale + shift`.
    ///
    /// # Errors
    /// A config error for a scale that is not above 0 or borders that would not be finite.
    pub fn moved(&self, scale: f64, shift: f64) -> Result<Self, ForgeError> {
        crate::check::positive("scale", scale)?;
        let moved = self.borders.iter().map(|y| y.mul_add(scale, shift));
        Self::new(moved.collect())
    }

    /// Width of bucket `i`.
    fn width(&self, i: usize) -> f64 {
        self.borders[i + 1] - self.borders[i]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(result: Result<BarDistribution, ForgeError>) -> String {
        result
            .err()
            .map(|error| error.to_string())
            .unwrap_or_default()
    }

    #[test]
    fn borders_that_are_none_are_refused() {
        for (borders, what) in [
            (vec![0.0, 1.0], "2 borders"),
            (vec![0.0, f64::NAN, 1.0], "borders[1]"),
            (vec![0.0, 0.0, 1.0], "borders[1]"),
            (vec![0.0, 2.0, 1.0, 3.0], "borders[2]"),
            (vec![0.0, 1.0, 1.0], "borders[2]"),
        ] {
            let error = message(BarDistribution::new(borders));
            assert!(error.contains(what), "{error}");
        }
        // Buckets without width are no harm within.
        assert_eq!(message(BarDistribution::new(vec![0.0, 1.0, 1.0, 2.0])), "");
    }

    #[test]
    fn buckets_hold_as_many_values_each() {
        let values: Vec<f64> = (0..12).map(|i| f64::from(i * 7 % 12)).collect();
        let borders = |buckets| {
            let bars = BarDistribution::of_values(&values, buckets);
            bars.map(Vec::from).unwrap_or_default()
        };
        assert_eq!(borders(3), [0.0, 3.5, 7.5, 11.0]);
        // No more than half as many as there are values.
        assert_eq!(borders(100), [0.0, 1.5, 3.5, 5.5, 7.5, 9.5, 11.0]);
        let error = message(BarDistribution::of_values(&[1.0; 9], 4));
        assert!(error.contains("different"), "{error}");
        let error = message(BarDistribution::of_values(&values, 1));
        assert!(error.contains("buckets"), "{error}");
    }

    #[test]
    fn files_hold_the_borders() {
        let bars = BarDistribution::new(vec![0.0, 1.0, 3.0]);
        let text = bars.ok().and_then(|bars| serde_json::to_string(&bars).ok());
        assert_eq!(text.as_deref(), Some("[0.0,1.0,3.0]"));
        assert!(serde_json::from_str::<BarDistribution>("[0.0, 1.0, 0.5]").is_err());
    }
}
