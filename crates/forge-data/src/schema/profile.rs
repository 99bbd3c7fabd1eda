//! What the cells of a column look like, and so which kind it is.

use super::{ColumnKind, Decimal, Missing, date_time, number};
use crate::read::Cell;

/// Counts over the cells of one column that are not missing.
#[derive(Debug, Clone, Default)]
pub(crate) struct Profile {
    /// Cells that are not missing.
    pub(crate) cells: u64,
    point: u64,
    comma: u64,
    integers: u64,
    infinities: u64,
    dates: u64,
    leading_zeros: u64,
    /// The first integer with a leading zero: its row and text.
    pub(crate) first_leading_zero: Option<(u64, String)>,
    /// The first cell that is a number only with a decimal point, where those are most.
    pub(crate) first_point: Option<(u64, String)>,
    /// The first cell that is a number only with a decimal comma, where those are most.
    pub(crate) first_comma: Option<(u64, String)>,
    /// Cells that are different numbers with a decimal point and with a comma.
    pub(crate) ambiguous: u64,
    /// The first of them.
    pub(crate) first_ambiguous: Option<(u64, String)>,
}

impl Profile {
    /// Looks at a cell. `comma`: whether the file may have decimal commas.
    pub(crate) fn see(&mut self, row: u64, cell: &Cell<'_>, missing: &Missing, comma: bool) {
        match cell {
            Cell::Empty | Cell::Fault(_) => {}
            Cell::Text(text) => self.see_text(row, text.trim(), missing, comma),
            Cell::Number(value) | Cell::Days(value) => {
                if !value.is_nan() && !missing.is_missing_number(*value) {
                    self.cells += 1;
                    self.point += 1;
                    self.comma += 1;
                }
            }
            Cell::Integer(_) => {
                self.cells += 1;
                self.point += 1;
                self.comma += 1;
                self.integers += 1;
            }
            Cell::Bool(_) => self.cells += 1,
            Cell::Time(_) | Cell::CutTime(_) => {
                self.cells += 1;
                self.dates += 1;
            }
        }
    }

    fn see_text(&mut self, row: u64, text: &str, missing: &Missing, comma: bool) {
        if text.is_empty() || missing.is_declared(text) {
            return;
        }
        let first = |place: &mut Option<(u64, String)>| {
            place.get_or_insert_with(|| (row, text.to_owned()));
        };
        let with_point = number::shape(text, Decimal::Point);
        let with_comma = comma.then(|| number::shape(text, Decimal::Comma)).flatten();
        if with_point.is_none() && with_comma.is_none() {
            if missing.is_missing(text) {
                return;
            }
            self.cells += 1;
            if number::is_infinity(text) {
                self.infinities += 1;
            } else if date_time::parse(text).is_some() {
                self.dates += 1;
            }
            return;
        }
        self.cells += 1;
        self.point += u64::from(with_point.is_some());
        self.comma += u64::from(with_comma.is_some());
        match (with_point, with_comma) {
            (Some(p), Some(c)) if p.thousands || c.thousands => {
                self.ambiguous += 1;
                first(&mut self.first_ambiguous);
            }
            (Some(_), None) if comma => first(&mut self.first_point),
            (None, Some(_)) => first(&mut self.first_comma),
            _ => {}
        }
        if let Some(shape) = with_point.or(with_comma) {
            self.integers += u64::from(shape.integer);
            if shape.leading_zero {
                self.leading_zeros += 1;
                first(&mut self.first_leading_zero);
            }
        }
    }

    /// Cells that are numbers, infinities among them.
    pub(crate) fn numbers(&self, decimal: Decimal) -> u64 {
        self.infinities
            + match decimal {
                Decimal::Point => self.point,
                Decimal::Comma => self.comma,
            }
    }

    /// Cells that are dates.
    pub(crate) fn dates(&self) -> u64 {
        self.dates
    }

    /// The decimal mark that makes more than half of the cells numbers, and more of them than
    /// the other mark does.
    pub(crate) fn needs(&self) -> Option<Decimal> {
        let most = |count: u64| count * 2 > self.cells;
        if self.comma > self.point && most(self.comma + self.infinities) {
            Some(Decimal::Comma)
        } else if self.point > self.comma && most(self.point + self.infinities) {
            Some(Decimal::Point)
        } else {
            None
        }
    }

    /// Whether all cells are integers and one has a leading zero: identifiers, not amounts.
    pub(crate) fn is_identifier(&self) -> bool {
        self.leading_zeros > 0 && self.integers == self.cells
    }

    /// The kind of more than half of the cells; the reader refuses the others by name. A column
    /// without any value is numeric.
    pub(crate) fn kind(&self, decimal: Decimal) -> ColumnKind {
        if self.cells == 0 {
            ColumnKind::Numeric
        } else if self.is_identifier() {
            ColumnKind::Categorical
        } else if self.numbers(decimal) * 2 > self.cells {
            ColumnKind::Numeric
        } else if self.dates * 2 > self.cells {
            ColumnKind::DateTime
        } else {
            ColumnKind::Categorical
        }
    }
}
