//! Tables one below the other.

use super::{Categorical, Column, ColumnValues, Table};
use crate::DataError;

impl Table {
    /// The rows of several tables one after the other, with the columns of the first in its order.
    ///
    /// ```
    /// use forge_data::{Column, Table};
    /// let year = |x| Table::new(vec![Column::numeric("x", x)]);
    /// let both = Table::stacked([&year(vec![1.0])?, &year(vec![2.0, 3.0])?])?;
    /// assert_eq!(both.n_rows(), 3);
    /// # Ok::<(), forge_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// A schema error that names table (0-based) and column where another table lacks a column or has one
    /// more, or holds another kind of values in it, or only some know the offsets of their times; one if
    /// there is no table.
    pub fn stacked<'a>(tables: impl IntoIterator<Item = &'a Self>) -> Result<Self, DataError> {
        let tables: Vec<&Self> = tables.into_iter().collect();
        let Some((first, others)) = tables.split_first() else {
            return Err(DataError::schema("there is no table to stack"));
        };
        let unknown = |place: usize, name: &str, has: &str| {
            let message = format!("table {place} {has} it; tables to stack have the same columns");
            DataError::schema(message).at_column(name)
        };
        for (place, other) in others.iter().enumerate() {
            let known = |column: &&Column| first.column_index(&column.name).is_ok();
            if let Some(column) = other.columns.iter().find(|column| !known(column)) {
                return Err(unknown(place + 1, &column.name, "alone has"));
            }
        }
        let columns = first.columns.iter().map(|column| {
            let parts = tables.iter().enumerate().map(|(place, table)| {
                let found = table.column(&column.name);
                found.map_err(|_| unknown(place, &column.name, "lacks"))
            });
            stacked(&column.name, &parts.collect::<Result<Vec<_>, _>>()?)
        });
        Self::new(columns.collect::<Result<_, _>>()?)
    }
}

fn stacked(name: &str, parts: &[&Column]) -> Result<Column, DataError> {
    let Some(first) = parts.first() else {
        return Ok(Column::numeric(name, vec![]));
    };
    let differs = |what: &str| {
        let message = format!("{what}: read the tables alike");
        Err(DataError::schema(message).at_column(name))
    };
    if parts.iter().any(|part| part.kind() != first.kind()) {
        let kinds: Vec<_> = parts.iter().map(|part| part.kind().to_string()).collect();
        return differs(&format!("the tables hold {} values", kinds.join(", ")));
    }
    let known = parts.iter().filter(|part| part.offsets.is_some()).count();
    if known != 0 && known != parts.len() {
        return differs("only some of the tables have times with offsets");
    }
    let values = match &first.values {
        ColumnValues::Numeric(_) => ColumnValues::Numeric(gathered(parts, |values| match values {
            ColumnValues::Numeric(values) => values.clone(),
            _ => vec![],
        })),
        ColumnValues::DateTime(_) => {
            ColumnValues::DateTime(gathered(parts, |values| match values {
                ColumnValues::DateTime(values) => values.clone(),
                _ => vec![],
            }))
        }
        ColumnValues::Categorical(_) => {
            let labels = gathered(parts, |values| match values {
                ColumnValues::Categorical(labels) => {
                    let rows = 0..labels.codes.len();
                    rows.map(|row| labels.label(row).map(str::to_string))
                        .collect()
                }
                _ => vec![],
            });
            ColumnValues::Categorical(Categorical::from_labels(labels))
        }
    };
    let offsets = parts.iter().flat_map(|part| part.offsets.iter().flatten());
    Ok(Column {
        name: name.into(),
        values,
        offsets: (known > 0).then(|| offsets.copied().collect()),
    })
}

fn gathered<T>(parts: &[&Column], of: impl Fn(&ColumnValues) -> Vec<T>) -> Vec<T> {
    parts.iter().flat_map(|part| of(&part.values)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(x: f64, label: &str, name: &str) -> Table {
        Table::new(vec![
            Column::numeric(name, vec![x, f64::NAN]),
            Column::categorical("label", [Some(label), None]),
        ])
        .unwrap_or_default()
    }

    #[test]
    fn rows_follow_each_other_and_labels_keep_their_meaning() -> Result<(), DataError> {
        let (a, b) = (table(1.0, "b", "x"), table(2.0, "a", "x"));
        // In another order of columns.
        let b = b.select_columns(&["label", "x"])?;
        let both = Table::stacked([&a, &b])?;
        let expected = [Some("b"), None, Some("a"), None];
        assert_eq!(both.columns()[1], Column::categorical("label", expected));
        let ColumnValues::Numeric(x) = &both.columns()[0].values else {
            return Err(DataError::schema("not of numbers"));
        };
        assert_eq!((x[0], x[2]), (1.0, 2.0));
        assert!(x[1].is_nan() && x[3].is_nan());
        Ok(())
    }

    #[test]
    fn tables_that_differ_are_refused() {
        let said = |tables: &[&Table]| {
            let error = Table::stacked(tables.iter().copied()).err();
            error.map(|error| error.to_string()).unwrap_or_default()
        };
        let a = table(1.0, "b", "x");
        assert!(said(&[]).contains("no table"));
        let found = said(&[&a, &table(1.0, "b", "z")]);
        assert!(found.contains("table 1") && found.contains('z'), "{found}");
        let fewer = a.clone().drop_columns(&["label"]).unwrap_or_default();
        let found = said(&[&a, &fewer]);
        assert!(
            found.contains("table 1") && found.contains("label"),
            "{found}"
        );
        let labels = Table::new(vec![
            Column::categorical("x", [Some("1"), None]),
            Column::categorical("label", [Some("b"), None]),
        ]);
        let found = said(&[&a, &labels.unwrap_or_default()]);
        assert!(found.contains("'x'") && found.contains("alike"), "{found}");
        let times = |column: Column| Table::new(vec![column]).unwrap_or_default();
        let with = Column::date_time("t", vec![0]).with_offsets(vec![60]);
        let with = times(with.unwrap_or(Column::date_time("t", vec![])));
        let found = said(&[&with, &times(Column::date_time("t", vec![1]))]);
        assert!(found.contains("offsets"), "{found}");
    }
}
