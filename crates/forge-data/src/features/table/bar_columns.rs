//! Which columns of a table hold the bars.

use serde::{Deserialize, Serialize};

use super::BadCells;
use super::bar_features::BarFeatures;
use super::cells::{BadCell, needed, numbers};
use super::report::{SkippedKind, Skips};
use crate::features::bar::BarField;
use crate::features::bar_feature::Needs;
use crate::features::{Bar, Quote};
use crate::preprocess::seen_row;
use crate::{ColumnValues, DataError, Table};

const MILLIS_PER_DAY: i64 = 86_400_000;
const MILLIS_PER_MINUTE: i64 = 60_000;

/// Which columns of a table hold the bars. Only those that the features need are looked for.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BarColumns {
    /// The series a row belongs to: labels or numbers. Default: none, all rows are one series.
    pub series: Option<String>,
    /// When: dates or numbers, rising within a series. Default: none, the rows are in order.
    pub time: Option<String>,
    /// The session a row belongs to: dates, of which the day on their own clock counts, or whole
    /// numbers. Default: none, the day of `time`.
    pub session: Option<String>,
    /// Default: `open`.
    pub open: String,
    /// Default: `high`.
    pub high: String,
    /// Default: `low`.
    pub low: String,
    /// Default: `close`.
    pub close: String,
    /// Default: `volume`.
    pub volume: Option<String>,
    /// Number of trades. Default: none.
    pub trades: Option<String>,
    /// Default: `bid`.
    pub bid: Option<String>,
    /// Default: `ask`.
    pub ask: Option<String>,
    /// Default: `bid_size`.
    pub bid_size: Option<String>,
    /// Default: `ask_size`.
    pub ask_size: Option<String>,
}

impl Default for BarColumns {
    fn default() -> Self {
        let some = |name: &str| Some(name.to_owned());
        Self {
            series: None,
            time: None,
            session: None,
            open: "open".into(),
            high: "high".into(),
            low: "low".into(),
            close: "close".into(),
            volume: some("volume"),
            trades: None,
            bid: some("bid"),
            ask: some("ask"),
            bid_size: some("bid_size"),
            ask_size: some("ask_size"),
        }
    }
}

impl BarColumns {
    /// The column of a field, if it has one.
    fn name(&self, field: BarField) -> Option<&String> {
        match field {
            BarField::Open => Some(&self.open),
            BarField::High => Some(&self.high),
            BarField::Low => Some(&self.low),
            BarField::Close => Some(&self.close),
            BarField::Volume => self.volume.as_ref(),
            BarField::Trades => self.trades.as_ref(),
            BarField::Bid => self.bid.as_ref(),
            BarField::Ask => self.ask.as_ref(),
            BarField::BidSize => self.bid_size.as_ref(),
            BarField::AskSize => self.ask_size.as_ref(),
        }
    }
}

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
        let cells = self.prices.iter().chain(&self.others);
        let column = cells
            .filter(|cells| cells.field == fault.field)
            .map(|cells| cells.column)
            .next()
            .unwrap_or_default();
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
