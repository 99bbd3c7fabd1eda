//! The bars of a table.

use super::BadCells;
use super::bar_features::BarFeatures;
use super::cells::{BadCell, needed, numbers};
use super::report::{SkippedKind, Skips};
use crate::features::bar::BarField;
use crate::features::bar_needs::Needs;
use crate::features::{Bar, Quote};
use crate::preprocess::seen_row;
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
    prices: [Cells<'t>; 4],
    others: Vec<Cells<'t>>,
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
            let field_name = field.to_string();
            let name = config.columns.name(field);
            let column = needed(name, &field_name, config.set.name())?;
            let values = numbers(table, column, &field_name)?;
            Ok(Cells {
                field,
                column,
                values,
            })
        };
        use BarField::{Close, High, Low, Open};
        Ok(Self {
            prices: [cells(Open)?, cells(High)?, cells(Low)?, cells(Close)?],
            others: needs
                .fields()
                .into_iter()
                .map(cells)
                .collect::<Result<_, DataError>>()?,
            session: needs.session.then(|| sessions(config, table)).transpose()?,
            missing: config.missing,
            invalid: config.invalid,
        })
    }

    /// The bar of a row; `None` if it is skipped.
    pub(super) fn bar(&self, row: usize, skips: &mut Skips) -> Result<Option<Bar>, DataError> {
        let mut missed = |cells: &Cells| {
            let cell = BadCell {
                column: cells.column,
                row,
                message: "is missing".into(),
                kind: SkippedKind::Missing,
            };
            self.missing.meet(cell, skips)
        };
        if let Some(cells) = self.prices.iter().find(|cells| cells.values[row].is_nan()) {
            missed(cells)?;
            return Ok(None);
        }
        for cells in self.others.iter().filter(|c| c.values[row].is_nan()) {
            missed(cells)?;
        }
        let [open, high, low, close] = &self.prices;
        let [open, high, low, close] = [open, high, low, close].map(|cells| cells.values[row]);
        let mut bar = Bar::new(open, high, low, close);
        let other = |field: BarField| {
            let found = self.others.iter().find(|cells| cells.field == field);
            found.map(|cells| cells.values[row]).filter(|x| !x.is_nan())
        };
        bar.volume = other(BarField::Volume);
        bar.trades = other(BarField::Trades);
        bar.session = self.session.as_ref().map(|sessions| sessions[row]);
        bar.quote = match [
            BarField::Bid,
            BarField::Ask,
            BarField::BidSize,
            BarField::AskSize,
        ]
        .map(other)
        {
            [Some(bid), Some(ask), Some(bid_size), Some(ask_size)] => Some(Quote {
                bid,
                ask,
                bid_size,
                ask_size,
            }),
            _ => None,
        };
        let Err(fault) = bar.check() else {
            return Ok(Some(bar));
        };
        let mut cells = self.prices.iter().chain(&self.others);
        let at_fault = cells.find(|cells| cells.field == fault.field);
        let column = at_fault.map_or("", |cells| cells.column);
        let cell = BadCell {
            column,
            row,
            message: fault.message,
            kind: SkippedKind::Invalid,
        };
        self.invalid.meet(cell, skips)?;
        Ok(None)
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
            .at_row(seen_row(row))
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
