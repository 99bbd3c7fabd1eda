//! Labels as codes.

use std::collections::HashMap;

/// Labels as codes into a list of categories.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Categorical {
    /// Index into `categories`, or [`Categorical::MISSING`].
    pub codes: Vec<u32>,
    /// Distinct labels in order of first appearance.
    pub categories: Vec<String>,
}

impl Categorical {
    /// The code of a missing label.
    pub const MISSING: u32 = u32::MAX;

    /// Codes in order of first appearance; `None` is a missing label.
    ///
    /// # Panics
    /// With 2^32 - 1 distinct labels or more.
    #[must_use]
    pub fn from_labels<S: AsRef<str>>(labels: impl IntoIterator<Item = Option<S>>) -> Self {
        let mut encoder = LabelEncoder::default();
        let codes = labels
            .into_iter()
            .map(|label| match label {
                Some(label) => encoder.code(label.as_ref()),
                None => Self::MISSING,
            })
            .collect();
        Self {
            codes,
            categories: encoder.into_categories(),
        }
    }

    /// The label at a row; `None` where it is missing, or where the code or row is out of range.
    #[must_use]
    pub fn label(&self, row: usize) -> Option<&str> {
        let code = usize::try_from(*self.codes.get(row)?).ok()?;
        self.categories.get(code).map(String::as_str)
    }
}

/// Gives each distinct label the next code.
#[derive(Debug, Default)]
pub(crate) struct LabelEncoder {
    codes: HashMap<Box<str>, u32>,
}

impl LabelEncoder {
    pub(crate) fn code(&mut self, label: &str) -> u32 {
        if let Some(&code) = self.codes.get(label) {
            return code;
        }
        let code = u32::try_from(self.codes.len())
            .ok()
            .filter(|&code| code != Categorical::MISSING);
        let Some(code) = code else {
            panic!("a column has 2^32 - 1 distinct labels or more");
        };
        self.codes.insert(label.into(), code);
        code
    }

    pub(crate) fn len(&self) -> usize {
        self.codes.len()
    }

    /// The labels by code.
    pub(crate) fn into_categories(self) -> Vec<String> {
        let mut pairs: Vec<(u32, Box<str>)> = self
            .codes
            .into_iter()
            .map(|(label, code)| (code, label))
            .collect();
        pairs.sort_unstable_by_key(|pair| pair.0);
        pairs.into_iter().map(|pair| pair.1.into()).collect()
    }
}
