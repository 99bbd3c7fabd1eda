//! Which series each row belongs to.

use std::collections::BTreeMap;

use crate::schema::Decimal;
use crate::table::cell_text;
use crate::{Column, DataError, Table};

/// The series of each row.
pub(super) struct RowSeries<'t> {
    column: Option<&'t Column>,
    /// Per row the place in `distinct`.
    places: Vec<usize>,
    /// Their names; one without a name if no column tells them apart.
    pub(super) distinct: Vec<String>,
}

impl<'t> RowSeries<'t> {
    pub(super) fn new(name: Option<&str>, table: &'t Table) -> Result<Self, DataError> {
        let Some(name) = name else {
            return Ok(Self {
                column: None,
                places: Vec::new(),
                distinct: vec![String::new()],
            });
        };
        let column = table.column(name)?;
        let mut known = BTreeMap::new();
        let mut distinct = Vec::new();
        let mut places = Vec::with_capacity(table.n_rows());
        for row in 0..table.n_rows() {
            let text = cell_text(column, row, Decimal::Point)?;
            let place = *known.entry(text).or_insert_with_key(|text: &String| {
                distinct.push(text.clone());
                distinct.len() - 1
            });
            places.push(place);
        }
        Ok(Self {
            column: Some(column),
            places,
            distinct,
        })
    }

    /// The place and name of a row's series.
    pub(super) fn of(&self, row: usize) -> Result<(usize, &str), DataError> {
        match self.column {
            Some(column) if column.is_missing(row) => Err(DataError::value(
                "is missing; a bar belongs to a series, or leave columns.series out if there is only one",
            )
            .at_index(row)
            .at_column(&column.name)),
            Some(_) => {
                let place = self.places[row];
                Ok((place, &self.distinct[place]))
            }
            None => Ok((0, "")),
        }
    }
}
