//! Texts that stand for a missing value.

use crate::read::ReadOptions;

/// Read as missing in every column unless switched off, whatever their case. The empty cell
/// always is.
const SPELLINGS: [&str; 12] = [
    "-", ".", "?", "nan", "-nan", "na", "n/a", "#n/a", "<na>", "null", "none", "nat",
];

/// Which texts and numbers stand for a missing value.
#[derive(Debug, Clone)]
pub(crate) struct Missing {
    spellings: bool,
    texts: Vec<String>,
    numbers: Vec<f64>,
}

impl Missing {
    pub(crate) fn new(options: &ReadOptions) -> Self {
        let texts: Vec<String> = options
            .missing_values
            .iter()
            .map(|text| text.trim().to_owned())
            .collect();
        Self {
            spellings: options.default_missing_values,
            numbers: texts.iter().filter_map(|text| text.parse().ok()).collect(),
            texts,
        }
    }

    /// Whether a text without spaces at its edges stands for a missing value.
    pub(crate) fn is_missing(&self, text: &str) -> bool {
        text.is_empty()
            || self.is_declared(text)
            || (self.spellings
                && text.len() <= 4
                && SPELLINGS.iter().any(|s| s.eq_ignore_ascii_case(text)))
    }

    /// Whether the caller declared this text. Asked before anything else is made of a cell.
    pub(crate) fn is_declared(&self, text: &str) -> bool {
        !self.texts.is_empty() && self.texts.iter().any(|t| t == text)
    }

    /// Whether a number is one of the declared values, such as -999.
    pub(crate) fn is_missing_number(&self, value: f64) -> bool {
        !self.numbers.is_empty() && self.numbers.contains(&value)
    }
}
