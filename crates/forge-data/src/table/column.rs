//! One column and its values.

/// A named column.
#[derive(Debug, Clone, PartialEq)]
pub struct Column {
    /// The header.
    pub name: String,
    /// The cells.
    pub values: ColumnValues,
}

/// The cells of a column, by kind.
#[derive(Debug, Clone, PartialEq)]
pub enum ColumnValues {
    /// Numbers; NaN marks a missing value. f64, so that prices and 2^53 integers survive.
    Numeric(Vec<f64>),
    /// Labels.
    Categorical(Categorical),
    /// Milliseconds since 1970-01-01 UTC; `i64::MIN` marks a missing value. For splitting and
    /// calendar features; not a feature by itself.
    DateTime(Vec<i64>),
}

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
}

impl Column {
    /// A numeric column; NaN marks a missing value.
    #[must_use]
    pub fn numeric(name: impl Into<String>, values: Vec<f64>) -> Self {
        Self {
            name: name.into(),
            values: ColumnValues::Numeric(values),
        }
    }

    /// Number of cells.
    #[must_use]
    pub fn len(&self) -> usize {
        match &self.values {
            ColumnValues::Numeric(v) => v.len(),
            ColumnValues::Categorical(c) => c.codes.len(),
            ColumnValues::DateTime(v) => v.len(),
        }
    }

    /// Whether there is no cell.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}
