//! A sheet's cells as texts.

use super::Passage;
use super::text_rows::{TextRows, TextVisitor};
use crate::DataError;
use crate::read::cell::{Cell, Fault, RowSource};
use crate::read::excel::SheetSource;
use crate::read::options::ReadOptions;
use crate::schema::{Decimal, date_time, number};

/// A sheet as it was read.
pub(super) struct SheetText {
    source: SheetSource,
    decimal: Decimal,
    /// Rows above the table, which are passed over.
    skip_rows: u64,
}

impl SheetText {
    pub(super) fn open(passage: &Passage<'_>, sheet: String) -> Result<Self, DataError> {
        let options = ReadOptions {
            sheet: Some(sheet),
            skip_rows: 0,
            ..passage.options.clone()
        };
        Ok(Self {
            source: SheetSource::open(passage.path, &options)?,
            decimal: passage.options.decimal.unwrap_or(Decimal::Point),
            skip_rows: passage.options.skip_rows,
        })
    }
}

impl TextRows for SheetText {
    fn decimal(&self) -> Decimal {
        self.decimal
    }

    fn rows(&mut self, visit: &mut TextVisitor<'_>) -> Result<(), DataError> {
        let (decimal, skip_rows) = (self.decimal, self.skip_rows);
        let mut width = 1;
        let mut next = 1;
        self.source.rows(&mut |row, cells| {
            width = width.max(cells.len());
            let mut texts: Vec<String> = cells.iter().map(|cell| text_of(cell, decimal)).collect();
            texts.resize(width, String::new());
            // Rows above the table are passed over by their number: each must be there, and be
            // more than a blank line.
            while next < row && next <= skip_rows {
                visit(next, &vec![String::new(); width.max(2)])?;
                next += 1;
            }
            next = row + 1;
            visit(row, &texts)?;
            Ok(std::ops::ControlFlow::Continue(()))
        })
    }
}

/// What a cell holds, as text: of an error value its name, of a formula without a result nothing.
fn text_of(cell: &Cell<'_>, decimal: Decimal) -> String {
    match cell {
        Cell::Empty | Cell::Fault(Fault::NoResult(_)) => String::new(),
        Cell::Text(text) | Cell::Fault(Fault::ErrorValue(text)) => (*text).to_owned(),
        Cell::Number(value) | Cell::Days(value) => {
            let text = number::format(*value);
            match decimal {
                Decimal::Point => text,
                Decimal::Comma => text.replace('.', ","),
            }
        }
        Cell::Integer(value) => value.to_string(),
        Cell::Bool(value) => if *value { "TRUE" } else { "FALSE" }.to_owned(),
        Cell::Time(time) | Cell::CutTime(time) => {
            let text = date_time::format(*time);
            text.unwrap_or_else(|| number::format(*time as f64 / date_time::DAY as f64))
        }
    }
}
