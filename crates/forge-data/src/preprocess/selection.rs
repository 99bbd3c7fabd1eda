//! Which columns become features.

use serde::{Deserialize, Serialize};

use crate::{Column, DataError, Table};

/// Which columns of the table become features.
///
/// A name that the table lacks, or that is given twice, is an error rather than a silent nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeatureSelection {
    /// Every column.
    #[default]
    All,
    /// Every column but these: the target and what must not be seen.
    Except(Vec<String>),
    /// These columns, in the table's order.
    Only(Vec<String>),
}

impl FeatureSelection {
    /// The chosen columns in the table's order.
    ///
    /// # Errors
    /// A schema error naming a column that is not in the table or is listed twice.
    pub fn columns<'t>(&self, table: &'t Table) -> Result<Vec<&'t Column>, DataError> {
        let (names, keep): (&[String], bool) = match self {
            Self::All => (&[], false),
            Self::Except(names) => (names, false),
            Self::Only(names) => (names, true),
        };
        for (i, name) in names.iter().enumerate() {
            table.column(name)?;
            if names[..i].contains(name) {
                return Err(DataError::schema("is listed twice").at_column(name));
            }
        }
        Ok(table
            .columns()
            .iter()
            .filter(|column| names.contains(&column.name) == keep)
            .collect())
    }
}
