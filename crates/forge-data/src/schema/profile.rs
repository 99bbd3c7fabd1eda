//! What the cells of a column look like, and so which kind it is.

use super::resemblance::Resemblance;
use super::{ColumnKind, Decimal, Missing, date_time, number};
use crate::read::Cell;

/// Where a file may have numbers with a decimal comma.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Commas {
    /// Nowhere: a point is declared.
    Never,
    /// Anywhere, so that `1.204` may be 1204.
    Anywhere,
    /// In the cells that are no numbers with a point: `0,201` in quotation marks or in a sheet.
    WhereNeeded,
}

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
    /// Cells of digits, an E and digits.
    codes: u64,
    /// The first of them.
    pub(crate) first_code: Option<(u64, String)>,
    /// The length of all integers and codes so far; `None` before the first, 0 where they differ.
    width: Option<usize>,
    /// What the other cells look like.
    pub(crate) others: Resemblance,
}

impl Profile {
    /// Looks at a cell.
    pub(crate) fn see(&mut self, row: u64, cell: &Cell<'_>, missing: &Missing, commas: Commas) {
        match cell {
            Cell::Empty | Cell::Fault(_) => {}
            Cell::Text(text) => self.see_text(row, text.trim(), missing, commas),
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

    fn see_text(&mut self, row: u64, text: &str, missing: &Missing, commas: Commas) {
        if text.is_empty() || missing.is_declared(text) {
            return;
        }
        let first = |place: &mut Option<(u64, String)>| {
            place.get_or_insert_with(|| (row, text.to_owned()));
        };
        let with_point = number::shape(text, Decimal::Point);
        let with_comma = match commas {
            Commas::Never => None,
            Commas::Anywhere => number::shape(text, Decimal::Comma),
            Commas::WhereNeeded => match &with_point {
                Some(shape) => (!shape.fraction && !shape.thousands).then_some(*shape),
                None => number::shape(text, Decimal::Comma),
            },
        };
        if with_point.is_none() && with_comma.is_none() {
            if missing.is_missing(text) {
                return;
            }
            self.cells += 1;
            if number::is_infinity(text) {
                self.infinities += 1;
            } else if date_time::parse(text).is_some() {
                self.dates += 1;
            } else {
                self.others.see(row, text, commas);
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
            (Some(_), None) if commas != Commas::Never => first(&mut self.first_point),
            (None, Some(_)) => first(&mut self.first_comma),
            _ => {}
        }
        if let Some(shape) = with_point.or(with_comma) {
            self.integers += u64::from(shape.integer);
            if shape.integer || shape.code {
                let same = self.width.is_none_or(|width| width == text.len());
                self.width = Some(if same { text.len() } else { 0 });
            }
            if shape.code {
                self.codes += 1;
                first(&mut self.first_code);
            }
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
        self.dates + self.others.dates()
    }

    /// Cells that are plain numbers or numbers with something around them.
    pub(crate) fn amounts(&self, decimal: Decimal) -> u64 {
        self.numbers(decimal) + self.others.near(decimal)
    }

    /// The decimal mark that makes more than half of the cells numbers, and more of them than
    /// the other mark does.
    pub(crate) fn needs(&self) -> Option<Decimal> {
        let (comma, point) = (self.amounts(Decimal::Comma), self.amounts(Decimal::Point));
        if comma > point && self.most(comma) {
            Some(Decimal::Comma)
        } else if point > comma && self.most(point) {
            Some(Decimal::Point)
        } else {
            None
        }
    }

    /// The first cell that is a number with a decimal comma alone.
    pub(crate) fn sample_of_comma(&self) -> (u64, &str) {
        let first = self.first_comma.as_ref();
        let first = first.or(self.others.first_near_comma.as_ref());
        first.map_or((0, ""), |(row, text)| (*row, text))
    }

    /// A cell that is a number with a decimal point alone, where there is a plain one.
    pub(crate) fn sample_of_point(&self) -> (u64, &str) {
        let first = self
            .first_point
            .as_ref()
            .or(self.others.first_near.as_ref());
        first.map_or((0, ""), |(row, text)| (*row, text))
    }

    /// Whether all cells are integers and one has a leading zero: identifiers, not amounts.
    pub(crate) fn is_identifier(&self) -> bool {
        self.leading_zeros > 0 && self.integers == self.cells
    }

    /// Whether all cells are as long as each other, some of digits alone and some with an E among
    /// them: identifiers such as `98765E307`, not amounts.
    pub(crate) fn is_code(&self) -> bool {
        self.codes > 0
            && self.integers + self.codes == self.cells
            && self.width.is_some_and(|width| width >= 6)
    }

    /// The kind of more than half of the cells; the reader refuses the others by name. A column
    /// without any value is numeric.
    pub(crate) fn kind(&self, decimal: Decimal) -> ColumnKind {
        if self.cells == 0 {
            ColumnKind::Numeric
        } else if self.is_identifier() || self.is_code() {
            ColumnKind::Categorical
        } else if self.most(self.numbers(decimal))
            || (self.most(self.amounts(decimal)) && self.others.are_amounts())
        {
            ColumnKind::Numeric
        } else if self.most(self.dates()) {
            ColumnKind::DateTime
        } else {
            ColumnKind::Categorical
        }
    }

    /// Whether these are more than half of the cells.
    pub(crate) fn most(&self, count: u64) -> bool {
        count * 2 > self.cells
    }
}
