//! The bars of a table.

use std::cell::RefCell;

use super::BadCells;
use super::bar_features::BarFeatures;
use super::cells::{BadCell, needed, numbers};
use super::report::{SkippedKind, Skips};
use crate::features::bar::BarField;
use crate::features::bar_needs::Needs;
use crate::features::{Bar, bar_of_row};
use crate::{ColumnValues, DataError, Table};

const MILLIS_PER_DAY: i64 = 86_400_000;
const MILLIS_PER_MINUTE: i64 = 60_000;

/// A field's column and its cells.
struct Cells<'t> {
    field: BarField,
    column: &'t str,
    values: &'t [f64],
}

/// The bars of a table.
pub(super) struct BarSource<'t> {
    cells: Vec<Cells<'t>>,
    needs: Needs,
    session: Option<Vec<i64>>,
    missing: BadCells,
    invalid: BadCells,
}

impl<'t> BarSource<'t> {
    /// Finds the columns.
    ///
    /// # Errors
    /// A config or schema error naming the column that is not there or does not hold numbers.
    pub(super) fn new(
        config: &'t BarFeatures,
        needs: Needs,
        table: &'t Table,
    ) -> Result<Self, DataError> {
        let cells = |field: BarField| {
            let column = config.column(field)?;
            let values = numbers(table, column, &field.to_string())?;
            Ok(Cells {
                field,
                column,
                values,
            })
        };
        let fields = needs.all_fields().into_iter();
        Ok(Self {
            cells: fields.map(cells).collect::<Result<_, DataError>>()?,
            session: needs.session.then(|| sessions(config, table)).transpose()?,
            needs,
            missing: config.missing,
            invalid: config.invalid,
        })
    }

    /// The bar of a row; `None` if it is skipped.
    pub(super) fn bar(&self, row: usize, skips: &mut Skips) -> Result<Option<Bar>, DataError> {
        let of = |field: BarField| self.cells.iter().find(|cells| cells.field == field);
        let skips = RefCell::new(skips);
        let meet = |policy: BadCells, field: BarField, message: String, kind: SkippedKind| {
            let cell = BadCell {
                column: of(field).map_or("", |cells| cells.column),
                row,
                message,
                kind,
            };
            policy.meet(cell, &mut skips.borrow_mut())
        };
        bar_of_row(
            |field| of(field).map_or(f64::NAN, |cells| cells.values[row]),
            self.needs,
            self.session.as_ref().map(|sessions| sessions[row]),
            |field| {
                meet(
                    self.missing,
                    field,
                    "is missing".into(),
                    SkippedKind::Missing,
                )
            },
            |fault| {
                meet(
                    self.invalid,
                    fault.field,
                    fault.message,
                    SkippedKind::Invalid,
                )
            },
        )
    }
}

/// The session of each row.
fn sessions(config: &BarFeatures, table: &Table) -> Result<Vec<i64>, DataError> {
    let columns = &config.columns;
    let name = columns.session.as_ref().or(columns.time.as_ref());
    let name = needed(name, "session", config.set.name())?;
    let column = table.column(name)?;
    let unusable = |row: usize, what: String| {
        DataError::value(format!("{what}; every bar needs a session"))
            .at_index(row)
            .at_column(name)
    };
    let each = 0..table.n_rows();
    match &column.values {
        ColumnValues::DateTime(times) => each
            .map(|row| {
                if column.is_missing(row) {
                    return Err(unusable(row, "is missing".into()));
                }
                let ahead = column.offsets.as_ref().map_or(0, |o| i64::from(o[row]));
                let local = times[row].saturating_add(MILLIS_PER_MINUTE * ahead);
                Ok(local.div_euclid(MILLIS_PER_DAY))
            })
            .collect(),
        ColumnValues::Numeric(values) => each
            .map(|row| {
                let value = values[row];
                if value.fract() == 0.0 && value.abs() < 2f64.powi(53) {
                    Ok(value as i64)
                } else {
                    Err(unusable(row, format!("{value} is not a whole number")))
                }
            })
            .collect(),
        ColumnValues::Categorical(_) => Err(DataError::schema(
            "holds labels, but columns.session needs dates or whole numbers",
        )
        .at_column(name)),
    }
}
