//! Statistics of one numeric column and what they do to a value.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::quantile_map::{quantiles, to_normal};
use super::report::DropReason;
use super::{FarOut, Impute, NumericTransform, PreprocessConfig};
use crate::{ColumnValues, DataError};

/// A fitted numeric column.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct NumericColumn {
    pub(super) name: String,
    /// The value is a feature. False for a column that is constant where present.
    pub(super) value: bool,
    /// The 0/1 missing indicator is a feature.
    pub(super) indicator: bool,
    /// What replaces a missing value, in the column's units.
    pub(super) impute: f64,
    /// Subtracted by standardisation.
    pub(super) center: f64,
    /// Divided by in standardisation; above 0.
    pub(super) scale: f64,
    /// Non-decreasing; empty unless the transform is [`NumericTransform::Quantile`].
    pub(super) quantiles: Vec<f64>,
}

/// What fitting a numeric column came to.
pub(super) struct NumericFit {
    pub(super) column: Option<NumericColumn>,
    pub(super) dropped: Option<DropReason>,
    pub(super) missing: u64,
    /// Of a standardised column.
    pub(super) far_out: Option<FarOut>,
}

impl NumericColumn {
    /// Learns from `values[train_rows]`; `stream` tells the noise of columns apart.
    ///
    /// # Errors
    /// A value error naming row and column of an infinite value.
    pub(super) fn fit(
        name: &str,
        values: &[f64],
        train_rows: &[usize],
        config: &PreprocessConfig,
        stream: u64,
    ) -> Result<NumericFit, DataError> {
        let mut present = Vec::with_capacity(train_rows.len());
        for &row in train_rows {
            let value = values[row];
            if value.is_finite() {
                // Negative zero is zero: one value, one quantile.
                present.push(value + 0.0);
            } else if value.is_infinite() {
                return Err(infinite(value, row, name));
            }
        }
        let missing = (train_rows.len() - present.len()) as u64;
        let Some(moments) = Moments::of(&present) else {
            return Ok(NumericFit {
                column: None,
                dropped: Some(DropReason::AllMissing),
                missing,
                far_out: None,
            });
        };
        let indicator = config.missing_indicator && missing > 0;
        let value = !moments.constant;
        let dropped = match (value, indicator) {
            (true, _) => None,
            (false, true) => Some(DropReason::ConstantButMissing),
            (false, false) => Some(DropReason::Constant),
        };
        if !value && !indicator {
            return Ok(NumericFit {
                column: None,
                dropped,
                missing,
                far_out: None,
            });
        }
        let standardised = value && config.numeric == NumericTransform::Standardize;
        let far_out = standardised
            .then(|| FarOut::of(name, values, train_rows, moments.mean, moments.std))
            .flatten();
        let impute = match config.impute {
            Impute::Mean => moments.mean,
            Impute::Median => median(&mut present),
        };
        let quantiles = if config.numeric == NumericTransform::Quantile {
            if config.quantile_noise > 0.0 {
                let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
                rng.set_stream(stream);
                for v in &mut present {
                    let z: f64 = StandardNormal.sample(&mut rng);
                    let noisy = *v + config.quantile_noise * moments.std * z;
                    *v = noisy.clamp(-f64::MAX, f64::MAX);
                }
            }
            present.sort_unstable_by(f64::total_cmp);
            quantiles(&present, config.quantile_count(train_rows.len()))
        } else {
            Vec::new()
        };
        Ok(NumericFit {
            column: Some(Self {
                name: name.into(),
                value,
                indicator,
                impute,
                center: moments.mean,
                scale: if value { moments.std } else { 1.0 },
                quantiles,
            }),
            dropped,
            missing,
            far_out,
        })
    }

    /// The feature for a finite value.
    pub(super) fn apply(&self, x: f64, transform: NumericTransform) -> f32 {
        let y = match transform {
            NumericTransform::None => x,
            NumericTransform::Standardize => (x - self.center) / self.scale,
            NumericTransform::Quantile => to_normal(x, &self.quantiles),
        };
        y as f32
    }
}

pub(super) fn infinite(value: f64, row: usize, name: &str) -> DataError {
    DataError::value(format!(
        "{value} is not a usable number: finite values and missing cells are allowed"
    ))
    .at_index(row)
    .at_column(name)
}

/// Mean and population standard deviation of finite values, safe against overflow.
pub(crate) struct Moments {
    pub(crate) mean: f64,
    pub(crate) std: f64,
    /// All values are equal, or differ by less than a standard deviation can express.
    pub(crate) constant: bool,
}

impl Moments {
    /// `None` if there is no value.
    pub(crate) fn of(values: &[f64]) -> Option<Self> {
        let first = *values.first()?;
        let (mut low, mut high) = (first, first);
        for &v in values {
            low = low.min(v);
            high = high.max(v);
        }
        if low == high {
            return Some(Self {
                mean: first,
                std: 0.0,
                constant: true,
            });
        }
        // Squares of values beyond 1e±150 leave the range of f64: scale them by a power of two,
        // which is exact.
        let largest = low.abs().max(high.abs());
        let unit = if (1e-150..=1e150).contains(&largest) {
            1.0
        } else {
            2f64.powi(largest.log2().floor().clamp(-1000.0, 1000.0) as i32)
        };
        let n = values.len() as f64;
        let rough = values.iter().map(|v| v / unit).sum::<f64>() / n;
        // A second pass takes out the rounding of the first sum.
        let mean = rough + values.iter().map(|v| v / unit - rough).sum::<f64>() / n;
        let variance = values
            .iter()
            .map(|v| (v / unit - mean).powi(2))
            .sum::<f64>()
            / n;
        let std = variance.sqrt() * unit;
        let mean = (mean * unit).clamp(low, high);
        Some(Self {
            mean,
            std,
            constant: !(std.is_normal()),
        })
    }
}

/// The middle value, or the mean of the two middle ones. Reorders `values`, which is not empty.
fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let odd = values.len() % 2 == 1;
    let (lower, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if odd {
        return upper;
    }
    let below = lower.iter().copied().fold(f64::MIN, f64::max);
    below / 2.0 + upper / 2.0
}

/// Where the numbers of a fitted column come from in the table at hand.
pub(super) enum NumericSource<'t> {
    Numbers(&'t [f64]),
    /// A column read as labels: each label's number, if it is one.
    Labels(&'t [u32], Vec<Option<f64>>, &'t [String]),
    /// No cell has a value, whatever the column's kind.
    Missing,
}

impl<'t> NumericSource<'t> {
    /// # Errors
    /// A schema error if the column holds dates.
    pub(super) fn of(name: &str, values: &'t ColumnValues) -> Result<Self, DataError> {
        Ok(match values {
            ColumnValues::Numeric(v) => Self::Numbers(v),
            ColumnValues::Categorical(c) => {
                let parsed = c
                    .categories
                    .iter()
                    .map(|label| label.trim().parse().ok().filter(|v: &f64| !v.is_nan()))
                    .collect();
                Self::Labels(&c.codes, parsed, &c.categories)
            }
            ColumnValues::DateTime(v) if v.iter().all(|t| *t == i64::MIN) => Self::Missing,
            ColumnValues::DateTime(_) => {
                return Err(DataError::schema(
                    "holds dates, but was numeric when the preprocessing was fitted",
                )
                .at_column(name));
            }
        })
    }

    /// The value of `row`, NaN if missing.
    ///
    /// # Errors
    /// A value error for an infinite number or a label that is no number.
    pub(super) fn get(&self, row: usize, name: &str) -> Result<f64, DataError> {
        let value = match self {
            Self::Numbers(values) => values[row],
            Self::Missing => f64::NAN,
            Self::Labels(codes, _, _) if codes[row] == crate::Categorical::MISSING => f64::NAN,
            Self::Labels(codes, parsed, labels) => {
                let code = codes[row] as usize;
                match parsed.get(code) {
                    Some(Some(value)) => *value,
                    Some(None) => {
                        return Err(DataError::value(format!(
                            "'{}' is not a number, but the column was numeric when the \
                             preprocessing was fitted",
                            labels[code]
                        ))
                        .at_index(row)
                        .at_column(name));
                    }
                    None => {
                        return Err(super::categorical::bad_code(code, labels.len(), row, name));
                    }
                }
            }
        };
        if value.is_infinite() {
            return Err(infinite(value, row, name));
        }
        Ok(value)
    }
}
