//! The cells of a table at hand under the codes of a fitted categorical column.

use std::borrow::Cow;
use std::collections::HashMap;

use super::categorical::{CategoricalColumn, UNKNOWN, bad_code};
use crate::schema::{Decimal, number};
use crate::{Categorical, ColumnValues, DataError};

/// What a cell is to the fitted column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// No label.
    Missing,
    /// A label with a code of its own.
    Known(i32),
    /// A label of another spelling than the one that has this code, with the same value.
    Matched(i32),
    /// A label without a code.
    Unknown,
}

/// Where the codes of a fitted column come from in the table at hand.
pub(super) struct CategoricalSource<'t> {
    /// Row by row an index into `seen`, or [`Categorical::MISSING`].
    codes: Cow<'t, [u32]>,
    /// What each of the table's labels is to us.
    seen: Vec<Seen>,
    labels: Cow<'t, [String]>,
}

impl<'t> CategoricalSource<'t> {
    /// # Errors
    /// A schema error if the column holds dates.
    pub(super) fn of(
        column: &CategoricalColumn,
        values: &'t ColumnValues,
    ) -> Result<Self, DataError> {
        let (codes, labels) = match values {
            ColumnValues::Categorical(c) => (
                Cow::Borrowed(&c.codes[..]),
                Cow::Borrowed(&c.categories[..]),
            ),
            // A label that looks like a number may come back as one, in a file with nothing else in
            // the column: the label is then the number's shortest text, 3 rather than 3.0.
            ColumnValues::Numeric(values) => {
                let (codes, labels) = as_labels(values);
                (Cow::Owned(codes), Cow::Owned(labels))
            }
            ColumnValues::DateTime(times) if times.iter().all(|t| *t == i64::MIN) => {
                let codes = vec![Categorical::MISSING; times.len()];
                (Cow::Owned(codes), Cow::Owned(Vec::new()))
            }
            ColumnValues::DateTime(_) => {
                return Err(DataError::schema(
                    "holds dates, but held labels when the preprocessing was fitted",
                )
                .at_column(&column.name));
            }
        };
        let lookup = Lookup::of(column);
        let seen = labels.iter().map(|label| lookup.find(label)).collect();
        Ok(Self {
            codes,
            seen,
            labels,
        })
    }

    /// What the cell of `row` is.
    ///
    /// # Errors
    /// A value error for a code that has no label.
    pub(super) fn get(&self, row: usize, name: &str) -> Result<Seen, DataError> {
        let code = self.codes[row];
        if code == Categorical::MISSING {
            return Ok(Seen::Missing);
        }
        let code = code as usize;
        let seen = self.seen.get(code).copied();
        seen.ok_or_else(|| bad_code(code, self.seen.len(), row, name))
    }

    /// The label of `row`; empty where it has none.
    pub(super) fn label(&self, row: usize) -> &str {
        let code = usize::try_from(self.codes[row]).unwrap_or(usize::MAX);
        self.labels.get(code).map_or("", String::as_str)
    }

    /// The first `most` different labels of these rows that are so.
    pub(super) fn first_labels(
        &self,
        rows: impl Iterator<Item = usize>,
        is: fn(Seen) -> bool,
        most: usize,
    ) -> Vec<String> {
        let mut found: Vec<u32> = Vec::new();
        for row in rows {
            let code = self.codes[row];
            let seen = self.seen.get(code as usize).copied();
            if seen.is_some_and(is) && !found.contains(&code) {
                found.push(code);
                if found.len() == most {
                    break;
                }
            }
        }
        let labels = found.iter().map(|code| self.labels[*code as usize].clone());
        labels.collect()
    }
}

impl Seen {
    /// The code of a label, the unknown bucket's for one without.
    pub(super) fn code(self, missing: i32) -> i32 {
        match self {
            Self::Missing => missing,
            Self::Known(code) | Self::Matched(code) => code,
            Self::Unknown => UNKNOWN,
        }
    }
}

/// Numbers as labels in order of first appearance.
fn as_labels(values: &[f64]) -> (Vec<u32>, Vec<String>) {
    let mut known: HashMap<u64, u32> = HashMap::new();
    let mut labels = Vec::new();
    let code = |value: &f64| {
        if value.is_nan() {
            return Categorical::MISSING;
        }
        *known.entry(value.to_bits()).or_insert_with(|| {
            labels.push(value.to_string());
            labels.len() as u32 - 1
        })
    };
    let codes = values.iter().map(code).collect();
    (codes, labels)
}

/// Codes by label and, where only one label has it, by value.
struct Lookup<'c> {
    by_label: HashMap<&'c str, i32>,
    /// None where several labels have the value.
    by_value: HashMap<u64, Option<i32>>,
}

impl<'c> Lookup<'c> {
    fn of(column: &'c CategoricalColumn) -> Self {
        let mut by_value: HashMap<u64, Option<i32>> = HashMap::new();
        for (label, code) in column.codes() {
            if let Some(value) = value_of(label) {
                let several = |other: &mut Option<i32>| *other = None;
                by_value
                    .entry(value)
                    .and_modify(several)
                    .or_insert(Some(code));
            }
        }
        Self {
            by_label: column.codes().collect(),
            by_value,
        }
    }

    fn find(&self, label: &str) -> Seen {
        if let Some(code) = self.by_label.get(label) {
            return Seen::Known(*code);
        }
        let matched = value_of(label).and_then(|value| *self.by_value.get(&value)?);
        matched.map_or(Seen::Unknown, Seen::Matched)
    }
}

/// What a label is worth, as the bits of a number: `7`, `007` and `7.0` are one, and so are `true`
/// and `1`, which programs write for one another. An exponent makes no number of a label: `1E1` is
/// more likely a name.
fn value_of(label: &str) -> Option<u64> {
    let value = if label.eq_ignore_ascii_case("true") {
        1.0
    } else if label.eq_ignore_ascii_case("false") {
        0.0
    } else if label.contains(['e', 'E']) {
        return None;
    } else {
        let (value, shape) = number::parse(label, Decimal::Point)?;
        if shape.integer && number::is_rounded(label, value) && value != 0.0 {
            return None;
        }
        value
    };
    Some((value + 0.0).to_bits())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(labels: &[&str]) -> CategoricalColumn {
        CategoricalColumn {
            name: "code".into(),
            labels: labels.iter().map(ToString::to_string).collect(),
            missing: false,
        }
    }

    /// `labels` of a table, each as `=` (known), `~` (matched) with its code, or `?`.
    fn found(known: &[&str], labels: &[&str]) -> Vec<String> {
        let column = column(known);
        let lookup = Lookup::of(&column);
        let one = |label: &&str| match lookup.find(label) {
            Seen::Known(code) => format!("={code}"),
            Seen::Matched(code) => format!("~{code}"),
            Seen::Unknown | Seen::Missing => "?".into(),
        };
        labels.iter().map(one).collect()
    }

    #[test]
    fn labels_of_one_value_are_one_label() {
        assert_eq!(
            found(&["001", "010"], &["1", "10", "001", "11"]),
            ["~1", "~2", "=1", "?"]
        );
        assert_eq!(
            found(&["1", "2", "x"], &["1.0", "2.0", "X"]),
            ["~1", "~2", "?"]
        );
        assert_eq!(
            found(&["false", "true"], &["0", "1", "2"]),
            ["~1", "~2", "?"]
        );
        assert_eq!(found(&["0", "1"], &["false", "TRUE"]), ["~1", "~2"]);
    }

    #[test]
    fn what_could_be_two_labels_is_neither() {
        assert_eq!(found(&["01", "1"], &["1.0", "1"]), ["?", "=2"]);
        assert_eq!(found(&["10"], &["1E1", "ten"]), ["?", "?"]);
        // Beyond 2^53 two identifiers may be one number.
        assert_eq!(found(&["9007199254740992"], &["9007199254740993"]), ["?"]);
    }
}
