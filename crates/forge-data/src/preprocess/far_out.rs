//! Columns that a few values far out leave with nothing to tell apart.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::seen_row;

/// Values that are looked at, evenly spread: quantiles of a million are not needed to a digit.
const LOOKED_AT: usize = 10_000;
/// The part on either side of the middle.
const TAIL: f64 = 0.05;
/// The middle is flat if it is narrower than this many standard deviations.
const FLAT: f64 = 1e-3;

/// A column of which the middle nine tenths of the values hardly differ once it is standardised, since
/// a few others are very far out: a wrong unit, a code for a missing value, an overflow.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FarOut {
    /// The column.
    pub name: String,
    /// The value furthest from the mean, in the column's units.
    pub value: f64,
    /// Its row, as a file shows it: the header is row 1.
    pub row: u64,
    /// How far apart the middle nine tenths are, in standard deviations.
    pub width: f64,
}

/// How far apart the middle nine tenths of `values` are, in deviations of `std`, if that is so little that
/// they cannot be told apart; `None` as well where they are one value: then no difference is lost there.
/// Of more than 10,000, as many evenly spread are looked at.
pub(crate) fn flat_middle(values: impl ExactSizeIterator<Item = f64>, std: f64) -> Option<f64> {
    let every = values.len().div_ceil(LOOKED_AT).max(1);
    let mut some: Vec<f64> = values.step_by(every).filter(|v| v.is_finite()).collect();
    some.sort_unstable_by(f64::total_cmp);
    // At least one on either side is in a tail.
    let tail = ((some.len() as f64 * TAIL) as usize).max(1);
    let middle = some.get(tail..some.len().checked_sub(tail)?)?;
    let (low, high) = (middle.first()?, middle.last()?);
    let width = high / std - low / std;
    (width != 0.0 && width < FLAT).then_some(width)
}

impl FarOut {
    /// `values` of the column with mean and standard deviation over `rows` (0-based); `None` if its middle
    /// is not flat, or is one value: then no difference is lost there.
    #[must_use]
    pub fn of(name: &str, values: &[f64], rows: &[usize], mean: f64, std: f64) -> Option<Self> {
        let width = flat_middle(rows.iter().map(|row| values[*row]), std)?;
        let distance = |row: usize| (values[row] / std - mean / std).abs();
        let finite = rows.iter().copied().filter(|row| values[*row].is_finite());
        let row = finite.max_by(|a, b| distance(*a).total_cmp(&distance(*b)))?;
        Some(Self {
            name: name.into(),
            value: values[row],
            row: seen_row(row),
            width,
        })
    }
}

impl fmt::Display for FarOut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            value,
            row,
            width,
        } = self;
        write!(
            f,
            "'{name}': {value:e} in row {row} is so far out that nine tenths of the values lie within \
             {width:.0e} standard deviations and cannot be told apart"
        )
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::super::numeric::Moments;
    use super::*;

    fn found(values: &[f64]) -> Option<FarOut> {
        let rows: Vec<usize> = (0..values.len()).collect();
        let moments = Moments::of(values).unwrap();
        FarOut::of("x", values, &rows, moments.mean, moments.std)
    }

    fn ordinary(n: usize) -> Vec<f64> {
        (0..n).map(|i| (i as f64 * 0.7).sin()).collect()
    }

    #[test]
    fn a_value_in_a_wrong_unit_is_found_with_its_row() {
        let mut values = ordinary(200);
        values[17] = -1e7;
        let found = found(&values).unwrap();
        assert_eq!((found.value, found.row), (-1e7, 19));
        assert!(found.width < 1e-5, "{found:?}");
    }

    #[test]
    fn so_is_one_at_the_end_of_the_range_of_numbers() {
        let mut values = ordinary(200);
        values[3] = 1e39;
        values[7] = -1e300;
        assert_eq!(found(&values).unwrap().value, -1e300);
    }

    #[test]
    fn ordinary_heavy_tails_are_left_alone() {
        assert_eq!(found(&ordinary(200)), None);
        // Log-normal, deviation 2: a part in a hundred beyond a hundred medians.
        let wide: Vec<f64> = ordinary(500).iter().map(|x| (4.0 * x).exp()).collect();
        assert_eq!(found(&wide), None);
        // Mostly zero, as gains are: nothing in the middle to be lost.
        let mut gains = vec![0.0; 200];
        gains[4] = 99_999.0;
        assert_eq!(found(&gains), None);
        assert_eq!(found(&[1.0, 2.0]), None);
    }
}
