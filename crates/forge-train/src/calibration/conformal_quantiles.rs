//! Quantiles that hold what they say.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::conformal_rank::{bound, least_rows};
use super::keep_rising;
use crate::loss::check_quantiles;

/// What is added to each quantile of each target, so that at most the share `q` of new rows lies below the
/// quantile `q < ½`, and at most `1 - q` above one of `q > ½`, whatever the model and the distribution, where
/// calibration rows and new ones could be exchanged for each other. The median stays.
///
/// Of `n` calibration rows it is the `⌈(1 - q)(n + 1)⌉`-th smallest of `said - y`, taken off, or the
/// `⌈q (n + 1)⌉`-th smallest of `y - said`, added: Romano, Patterson and Candès 2019, theorem 2, each end by
/// itself, so that a target with one long tail has a long and a short end. The interval between `q` and
/// `1 - q` then holds at least `1 - 2q`. Where a model says one number, that is what it says of all
/// quantiles, and the ends are as far away from it in every row.
///
/// ```
/// use forge_train::calibration::ConformalQuantiles;
///
/// // One number, 0, is said of nine rows: both ends.
/// let said = [0.0; 18];
/// let true_ones = [-1.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0];
/// let fitted = ConformalQuantiles::fit(&[0.1, 0.9], &said, &true_ones, 1)?;
/// let mut new = [10.0, 10.0];
/// fitted.apply(&mut new);
/// assert_eq!(new, [9.0, 18.0]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ConformalQuantiles {
    levels: Vec<f64>,
    /// `[S x Q]`.
    offsets: Vec<f64>,
    rows: usize,
}

impl ConformalQuantiles {
    /// From `N` calibration rows of `slots` targets: quantiles `said` at `levels`, `[N x S x Q]`, and the
    /// true numbers, `[N x S]`.
    ///
    /// # Errors
    /// A config error for levels outside (0, 1) or not rising, no targets, or too few rows for a level;
    /// a shape error for lists that do not fit; a training error for a row that is not finite.
    pub fn fit(
        levels: &[f64],
        said: &[f64],
        target: &[f64],
        slots: usize,
    ) -> Result<Self, ForgeError> {
        check_quantiles("quantiles", levels)?;
        check::at_least_one("slots", slots)?;
        let (q, n) = (levels.len(), target.len() / slots);
        if target.len() != n * slots || said.len() != target.len() * q {
            let found = format!("{} quantiles, {} targets", said.len(), target.len());
            let expected = format!("{q} quantiles for each of {slots} targets of every row");
            return Err(ForgeError::shape("calibration rows", found, expected));
        }
        let offset = |slot: usize, k: usize| {
            let places = (slot..target.len()).step_by(slots);
            let below = |place: usize| said[place * q + k] - target[place];
            Ok(match Side::of(levels[k]) {
                Side::Median => 0.0,
                Side::Lower(alpha) => -bound(places.map(below).collect(), alpha)?,
                Side::Upper(alpha) => bound(places.map(|place| -below(place)).collect(), alpha)?,
            })
        };
        let cells = (0..slots).flat_map(|slot| (0..q).map(move |k| (slot, k)));
        let offsets = cells.map(|(slot, k)| offset(slot, k));
        Ok(Self {
            levels: levels.to_vec(),
            offsets: offsets.collect::<Result<_, ForgeError>>()?,
            rows: n,
        })
    }

    /// The fewest calibration rows that these levels can be fitted on.
    #[must_use]
    pub fn least_rows(levels: &[f64]) -> usize {
        let rows = levels.iter().map(|level| match Side::of(*level) {
            Side::Median => 1,
            Side::Lower(alpha) | Side::Upper(alpha) => least_rows(alpha),
        });
        rows.max().unwrap_or(1)
    }

    /// Moves quantiles `[N x S x Q]`; those that would cross become equal.
    ///
    /// # Panics
    /// If they are not whole rows.
    pub fn apply(&self, quantiles: &mut [f64]) {
        assert!(
            quantiles.len().is_multiple_of(self.offsets.len()),
            "{} quantiles, expected whole rows of {}",
            quantiles.len(),
            self.offsets.len()
        );
        for row in quantiles.chunks_exact_mut(self.offsets.len()) {
            row.iter_mut().zip(&self.offsets).for_each(|(x, o)| *x += o);
            for target in row.chunks_exact_mut(self.levels.len()) {
                keep_rising(target, &self.levels);
            }
        }
    }

    /// Checks what was read from a file: whether it fits `slots` targets.
    ///
    /// # Errors
    /// A config error for levels; a shape or training error for offsets.
    pub fn check(&self, slots: usize) -> Result<(), ForgeError> {
        check_quantiles("quantiles", &self.levels)?;
        let (found, expected) = (self.offsets.len(), slots * self.levels.len());
        if found != expected {
            return Err(ForgeError::shape("offsets of quantiles", found, expected));
        }
        match self.offsets.iter().find(|offset| !offset.is_finite()) {
            None => Ok(()),
            Some(offset) => Err(ForgeError::training(format!(
                "an offset of quantiles is {offset}; it must be finite"
            ))),
        }
    }

    /// Which quantiles, rising.
    #[must_use]
    pub fn levels(&self) -> &[f64] {
        &self.levels
    }

    /// What is added, `[S x Q]`.
    #[must_use]
    pub fn offsets(&self) -> &[f64] {
        &self.offsets
    }

    /// How many rows they were fitted on.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }
}

/// On which side of the median a level is, and what share lies beyond it.
enum Side {
    Lower(f64),
    Median,
    Upper(f64),
}

impl Side {
    fn of(level: f64) -> Self {
        match level - 0.5 {
            distance if distance.abs() < 1e-9 => Self::Median,
            distance if distance < 0.0 => Self::Lower(level),
            _ => Self::Upper(1.0 - level),
        }
    }
}
