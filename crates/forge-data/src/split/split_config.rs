//! The rules by which rows are held out.

use std::fmt::{self, Display};
use std::str::FromStr;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::DateResolution;
use super::row_keys::groups;
use super::stratified::hold_out_of_each;
use crate::{ColumnValues, DataError, Table};

/// Rows of a table for each purpose: ascending, disjoint, together every row.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows to learn from.
    pub train: Vec<usize>,
    /// Rows for early stopping and choosing between models; held out of training by the same
    /// rule as the test rows, so that the test rows decide nothing.
    pub validation: Vec<usize>,
    /// Rows to measure with, once.
    pub test: Vec<usize>,
}

/// How rows are held out. `fraction` is the part of the rows that goes to the test, in [0, 1);
/// 0 holds out none.
///
/// As text: `random`, `stratified:COLUMN`, `date:COLUMN`, `date/hour:COLUMN` (any
/// [`DateResolution`]) or `group:COLUMN`, with fraction 0.2 and seed 0.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum SplitConfig {
    /// Single rows at random. Neighbours of test rows are in training: easy where rows are alike.
    Random {
        /// Part of the rows held out.
        #[serde(default = "default_fraction")]
        fraction: f64,
        /// Which rows.
        #[serde(default)]
        seed: u64,
        /// A column of classes, or any other that repeats its values: each value has the same
        /// part of its rows held out, at least one where it has two, and all in training where it
        /// has one. Default: none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stratify: Option<String>,
    },
    /// The latest dates: every test date is after every training date.
    Date {
        /// A column of dates, or of numbers that grow with time.
        column: String,
        /// Part of the rows held out; whole dates, as near to it as they allow.
        #[serde(default = "default_fraction")]
        fraction: f64,
        /// Which times of a column of dates are kept together. Default: those of one day, so that
        /// no day is torn between training and test.
        #[serde(default)]
        resolution: DateResolution,
    },
    /// Whole groups at random: rows with the same value of a column stay on one side.
    Group {
        /// A column of any kind.
        column: String,
        /// Part of the rows held out; whole groups, as near to it as they allow in drawn order.
        #[serde(default = "default_fraction")]
        fraction: f64,
        /// Which groups.
        #[serde(default)]
        seed: u64,
    },
}

fn is_date(word: &str) -> bool {
    word == "date" || word.starts_with("date/")
}

fn default_fraction() -> f64 {
    0.2
}

impl Default for SplitConfig {
    /// `random`, 20 %, seed 0.
    fn default() -> Self {
        Self::Random {
            fraction: default_fraction(),
            seed: 0,
            stratify: None,
        }
    }
}

impl Display for SplitConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Random { stratify: None, .. } => f.write_str("random"),
            Self::Random {
                stratify: Some(column),
                ..
            } => write!(f, "stratified:{column}"),
            Self::Date {
                column,
                resolution: DateResolution::Day,
                ..
            } => write!(f, "date:{column}"),
            Self::Date {
                column, resolution, ..
            } => write!(f, "date/{resolution}:{column}"),
            Self::Group { column, .. } => write!(f, "group:{column}"),
        }
    }
}

impl FromStr for SplitConfig {
    type Err = DataError;

    fn from_str(text: &str) -> Result<Self, DataError> {
        let fraction = default_fraction();
        match text.split_once(':') {
            None if text == "random" => Ok(Self::default()),
            Some(("stratified", column)) if !column.is_empty() => Ok(Self::Random {
                fraction,
                seed: 0,
                stratify: Some(column.into()),
            }),
            Some((date, column)) if is_date(date) && !column.is_empty() => Ok(Self::Date {
                column: column.into(),
                fraction,
                resolution: match date.split_once('/') {
                    Some((_, resolution)) => resolution.parse()?,
                    None => DateResolution::Day,
                },
            }),
            Some(("group", column)) if !column.is_empty() => Ok(Self::Group {
                column: column.into(),
                fraction,
                seed: 0,
            }),
            _ => Err(DataError::config(format!(
                "split '{text}' is not known: allowed are random, stratified:COLUMN, date:COLUMN, \
                 date/hour:COLUMN, group:COLUMN"
            ))),
        }
    }
}

impl SplitConfig {
    /// The same rule with another fraction.
    #[must_use]
    pub fn with_fraction(mut self, value: f64) -> Self {
        match &mut self {
            Self::Random { fraction, .. }
            | Self::Date { fraction, .. }
            | Self::Group { fraction, .. } => *fraction = value,
        }
        self
    }

    /// The same rule with another seed; splits by date have none.
    #[must_use]
    pub fn with_seed(mut self, value: u64) -> Self {
        match &mut self {
            Self::Random { seed, .. } | Self::Group { seed, .. } => *seed = value,
            Self::Date { .. } => {}
        }
        self
    }

    /// The column whose rows of one value are kept together in one part: that of a split by date or
    /// by group.
    #[must_use]
    pub fn keeps_together(&self) -> Option<&str> {
        match self {
            Self::Date { column, .. } | Self::Group { column, .. } => Some(column),
            Self::Random { .. } => None,
        }
    }

    /// Part of the rows held out for the test.
    #[must_use]
    pub fn fraction(&self) -> f64 {
        match self {
            Self::Random { fraction, .. }
            | Self::Date { fraction, .. }
            | Self::Group { fraction, .. } => *fraction,
        }
    }

    /// Checks the fraction and the column's name.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        check_fraction("fraction", self.fraction())?;
        match self {
            Self::Random {
                stratify: Some(column),
                ..
            }
            | Self::Date { column, .. }
            | Self::Group { column, .. }
                if column.is_empty() =>
            {
                Err(DataError::config(
                    "column = '' is out of range: allowed are column names",
                ))
            }
            _ => Ok(()),
        }
    }

    /// Splits the rows of `table` into training, validation and test. `validation` is the part of
    /// the rows that are not test rows, in [0, 1); it is taken by the same rule, and does not
    /// change which rows are test rows.
    ///
    /// # Errors
    /// - config: a fraction is out of range
    /// - schema: the column is not in the table or of the wrong kind
    /// - value: the table has too few rows, dates or groups to give every side one; so few rows
    ///   share a class that a stratified split cannot hold out as many as asked; or the column
    ///   has a missing or infinite value (row and column are named)
    pub fn split(&self, table: &Table, validation: f64) -> Result<Split, DataError> {
        let all: Vec<usize> = (0..table.n_rows()).collect();
        self.split_rows(table, &all, validation)
    }

    /// Splits some rows (0-based) of `table`, such as those that have a target, as
    /// [`split`](Self::split) does all of them. The other rows are in no part.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn split_rows(
        &self,
        table: &Table,
        rows: &[usize],
        validation: f64,
    ) -> Result<Split, DataError> {
        self.validate()?;
        check_fraction("validation", validation)?;
        let parts = || {
            let (rest, test) = self.hold_out(table, rows, self.fraction(), 0)?;
            let (train, validation) =
                self.hold_out(table, &rest, validation, 1)
                    .map_err(|error| {
                        if matches!(self, Self::Random { .. }) {
                            return error;
                        }
                        let all = rows.len();
                        error.with_hint(format!(
                        "{} of {all} rows went to the test part, and {} are left: if what is kept \
                         together is of very different size, split by another column or at random",
                        test.len(),
                        rest.len()
                    ))
                    })?;
            Ok(Split {
                train,
                validation,
                test,
            })
        };
        parts().map_err(|error| {
            let wanted = 1 + usize::from(self.fraction() > 0.0) + usize::from(validation > 0.0);
            self.too_few_for(table, rows, wanted).unwrap_or(error)
        })
    }

    /// Why `rows` do not give every one of `parts` parts something, if that is so.
    fn too_few_for(&self, table: &Table, rows: &[usize], parts: usize) -> Option<DataError> {
        let (found, what, column) = match self {
            Self::Random { .. } => (rows.len(), "rows", None),
            Self::Date {
                column, resolution, ..
            } => {
                let units = groups(table, column, rows, *resolution).ok()?;
                let times = matches!(table.column(column).ok()?.values, ColumnValues::DateTime(_));
                let what = if times { resolution.units() } else { "dates" };
                (units.len(), what, Some(column))
            }
            Self::Group { column, .. } => {
                let units = groups(table, column, rows, DateResolution::Exact).ok()?;
                (units.len(), "groups", Some(column))
            }
        };
        if found >= parts || rows.is_empty() {
            return None;
        }
        let finer = match self {
            Self::Date { column, .. }
                if groups(table, column, rows, DateResolution::Exact)
                    .ok()?
                    .len()
                    >= parts =>
            {
                format!(", or split by a finer resolution such as `date/exact:{column}`")
            }
            _ => String::new(),
        };
        let (are, what) = if found == 1 {
            ("is", what.trim_end_matches('s'))
        } else {
            ("are", what)
        };
        let names = if parts == 3 {
            "training, validation and test need at least 3"
        } else {
            "training and the part held out need at least 2"
        };
        let error = DataError::value(format!(
            "there {are} only {found} {what}: {names}; take more data, set the fraction of a part \
             to 0{finer}"
        ));
        Some(match column {
            Some(column) => error.at_column(column),
            None => error,
        })
    }

    /// Splits `rows` (0-based) into `(kept, held out)` by this rule, `fraction` (in [0, 1)) of
    /// them held out. `round` tells successive draws with one seed apart.
    ///
    /// # Errors
    /// As [`split`](Self::split).
    pub fn hold_out(
        &self,
        table: &Table,
        rows: &[usize],
        fraction: f64,
        round: u64,
    ) -> Result<(Vec<usize>, Vec<usize>), DataError> {
        self.validate()?;
        check_fraction("fraction", fraction)?;
        if let Some(row) = rows.iter().find(|row| **row >= table.n_rows()) {
            return Err(DataError::config(format!(
                "row index {row} is not in the table: it has {} rows",
                table.n_rows()
            )));
        }
        if rows.is_empty() {
            return Err(DataError::value("there are no rows to split"));
        }
        let mut rows = rows.to_vec();
        rows.sort_unstable();
        rows.dedup();
        let target = fraction * rows.len() as f64;
        let (mut held, mut kept) = match self {
            Self::Random { seed, stratify, .. } => {
                if fraction == 0.0 {
                    return Ok((rows, Vec::new()));
                }
                let n = rows.len();
                too_few(n, "rows")?;
                if let Some(column) = stratify {
                    let classes = groups(table, column, &rows, DateResolution::Exact)?;
                    return hold_out_of_each(
                        classes,
                        fraction,
                        column,
                        &mut generator(*seed, round),
                    );
                }
                rows.shuffle(&mut generator(*seed, round));
                let kept = rows.split_off((target.round() as usize).clamp(1, n - 1));
                (rows, kept)
            }
            Self::Date { column, .. } | Self::Group { column, .. } => {
                let mut units = self.units(table, column, &rows, round)?;
                if fraction == 0.0 {
                    return Ok((rows, Vec::new()));
                }
                let what = match self {
                    Self::Date { resolution, .. } => resolution.units(),
                    _ => "groups",
                };
                too_few(units.len(), &format!("{what} in column '{column}'"))?;
                let kept = units.split_off(prefix_nearest(&units, target));
                (units.concat(), kept.concat())
            }
        };
        held.sort_unstable();
        kept.sort_unstable();
        Ok((kept, held))
    }

    /// The rows that may not be torn apart, those to hold out first in front.
    fn units(
        &self,
        table: &Table,
        column: &str,
        rows: &[usize],
        round: u64,
    ) -> Result<Vec<Vec<usize>>, DataError> {
        let resolution = match self {
            Self::Date { resolution, .. } => *resolution,
            _ => DateResolution::Exact,
        };
        let mut units = groups(table, column, rows, resolution)?;
        match self {
            Self::Date { .. } => {
                if let ColumnValues::Categorical(_) = table.column(column)?.values {
                    return Err(DataError::schema(
                        "holds labels; a split by date needs dates or numbers",
                    )
                    .at_column(column));
                }
                units.reverse();
            }
            Self::Group { seed, .. } => units.shuffle(&mut generator(*seed, round)),
            Self::Random { .. } => {}
        }
        Ok(units)
    }
}

fn generator(seed: u64, round: u64) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(round);
    rng
}

/// How many leading units have a number of rows nearest to `target`: at least one, not all.
fn prefix_nearest(units: &[Vec<usize>], target: f64) -> usize {
    let mut sum = 0;
    let mut best = (f64::INFINITY, 1);
    for (i, unit) in units[..units.len() - 1].iter().enumerate() {
        sum += unit.len();
        let distance = (sum as f64 - target).abs();
        if distance < best.0 {
            best = (distance, i + 1);
        }
    }
    best.1
}

fn too_few(units: usize, what: &str) -> Result<(), DataError> {
    if units >= 2 {
        return Ok(());
    }
    Err(DataError::value(format!(
        "only {units} {what}: holding some out needs at least 2, and 3 for a validation and a \
         test part"
    )))
}

fn check_fraction(field: &str, value: f64) -> Result<(), DataError> {
    if (0.0..1.0).contains(&value) {
        Ok(())
    } else {
        Err(DataError::config(format!(
            "{field} = {value} is out of range: allowed 0 to below 1"
        )))
    }
}
