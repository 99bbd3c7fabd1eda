//! Class labels: how each is written, and which class a written label means.

use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

use crate::schema::{Decimal, number};

/// The classes of a target in order: class `k` is the `k`-th label.
///
/// The order is scikit-learn's: integers by value, `false` before `true`, text by code point (so
/// `"10"` before `"2"`, and capitals before small letters). Of two classes, the second is the
/// positive one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
pub enum ClassLabels {
    /// Whole numbers in a column of numbers, ascending.
    Integers(Vec<i64>),
    /// `false`, `true`.
    Booleans,
    /// Text, ascending by code point. A text that is a number stands in its shortest form: `1.0`
    /// is the label `1`.
    Text(Vec<String>),
}

impl ClassLabels {
    /// Number of classes.
    #[must_use]
    pub fn len(&self) -> usize {
        match self {
            Self::Integers(labels) => labels.len(),
            Self::Booleans => 2,
            Self::Text(labels) => labels.len(),
        }
    }

    /// Whether there is no class.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Every label as it is written, in the order of the classes.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        match self {
            Self::Integers(labels) => labels.iter().map(ToString::to_string).collect(),
            Self::Booleans => ["false", "true"].map(String::from).to_vec(),
            Self::Text(labels) => labels.clone(),
        }
    }
}

/// `'a', 'b'`, at most eight labels and how many more there are.
impl Display for ClassLabels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 8;
        let names = self.names();
        let shown: Vec<String> = names.iter().take(SHOWN).map(|n| format!("'{n}'")).collect();
        f.write_str(&shown.join(", "))?;
        match names.len().saturating_sub(SHOWN) {
            0 => Ok(()),
            more => write!(f, " and {more} more"),
        }
    }
}

/// The one spelling of a label: a plain number in its shortest form, any other text as it is.
/// Numbers with leading zeros, thousands separators or more digits than f64 holds are text.
pub(super) fn canonical(text: &str) -> String {
    let Some((value, shape)) = number::parse(text, Decimal::Point) else {
        return text.into();
    };
    let inexact = shape.integer && value != 0.0 && number::is_rounded(text, value);
    if value.is_infinite() || inexact || shape.leading_zero || shape.thousands {
        text.into()
    } else {
        number::format(value + 0.0)
    }
}

/// `true` or `false` in any case.
pub(super) fn boolean(text: &str) -> Option<bool> {
    match text {
        _ if text.eq_ignore_ascii_case("true") => Some(true),
        _ if text.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

/// How an unknown label differs from a known one that it may stand for.
pub(super) enum Near<'a> {
    /// Only in case or in blanks.
    Spelling(&'a str),
    /// In type: a number for a text with leading zeros, 0 and 1 for booleans or the reverse.
    Type(&'a str),
}

/// The label among `known` that `label` was perhaps meant to be.
pub(super) fn near<'a>(label: &str, known: &'a [String]) -> Option<Near<'a>> {
    let folded = fold(label);
    if let Some(same) = known.iter().find(|k| fold(k) == folded) {
        return Some(Near::Spelling(same));
    }
    let value = as_number(label)?;
    known
        .iter()
        .find(|k| as_number(k) == Some(value))
        .map(|k| Near::Type(k))
}

/// Without case, and blanks only where they part words.
pub(super) fn fold(label: &str) -> String {
    let words: Vec<&str> = label.split_whitespace().collect();
    canonical(&words.join(" ").to_lowercase())
}

/// A number, or a boolean as 0 and 1.
fn as_number(label: &str) -> Option<f64> {
    match boolean(label) {
        Some(value) => Some(f64::from(u8::from(value))),
        None => number::parse(label, Decimal::Point).map(|(value, _)| value),
    }
}
