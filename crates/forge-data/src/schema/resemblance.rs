//! What the cells of a column look like that are neither plain numbers nor ISO dates.

use super::near_number::{self, Near};
use super::written_date::{self, Numbered};
use super::{Commas, DateOrder, Decimal};

/// A cell that stands for others like it: its row and text.
pub(crate) type Sample = Option<(u64, String)>;

/// Counts over such cells, with the first of each sort.
#[derive(Debug, Clone, Default)]
pub(crate) struct Resemblance {
    /// Numbers with a currency, a percent sign, a `K`, `M`, `B` or `T`, or parentheses, by the
    /// decimal mark with which they are such.
    near_point: u64,
    near_comma: u64,
    pub(crate) first_near: Sample,
    /// The first of them that is one with a decimal comma alone.
    pub(crate) first_near_comma: Sample,
    pub(crate) percent: u64,
    pub(crate) first_percent: Sample,
    /// Of these, those with a currency, percent sign or parentheses, which are nothing but numbers.
    certain: u64,
    /// The ending that multiplies and the first cell with it.
    magnitudes: Vec<char>,
    /// Whether an ending stands after a fraction or thousands.
    measured: bool,
    currency: Option<(String, u64, String)>,
    /// The first cell with another currency than the first.
    pub(crate) other_currency: Sample,
    /// Bond prices in 32nds.
    pub(crate) thirty_seconds: u64,
    pub(crate) first_thirty_second: Sample,
    /// Dates whose month is a word.
    pub(crate) named: u64,
    /// Dates of three numbers: those that either order reads, and those that one reads alone.
    pub(crate) either: u64,
    pub(crate) first_either: Sample,
    pub(crate) day_first: u64,
    pub(crate) first_day_first: Sample,
    pub(crate) month_first: u64,
    pub(crate) first_month_first: Sample,
    /// What looks like a date but is not read.
    pub(crate) unread_dates: u64,
    pub(crate) first_unread_date: Sample,
    /// What looks like a number but is not read.
    pub(crate) unread_numbers: u64,
    pub(crate) first_unread_number: Sample,
    /// The first distinct cells that are none of these.
    pub(crate) words: Vec<String>,
}

impl Resemblance {
    /// The most distinct words that are kept.
    const WORDS: usize = 12;

    /// Looks at a text that is no plain number, ISO date, infinity or missing value.
    pub(crate) fn see(&mut self, row: u64, text: &str, commas: Commas) {
        if !text.bytes().any(|b| b.is_ascii_digit()) {
            return self.see_word(text);
        }
        let with_point = near_number::parse(text, Decimal::Point);
        let with_comma = match (commas, &with_point) {
            (Commas::Never, _) => None,
            (Commas::WhereNeeded, Some(near)) => {
                with_point.filter(|_| !near.fraction && !near.thousands)
            }
            _ => near_number::parse(text, Decimal::Comma),
        };
        if let Some(near) = with_point.or(with_comma) {
            self.near_point += u64::from(with_point.is_some());
            self.near_comma += u64::from(with_comma.is_some());
            if with_point.is_none() && self.first_near_comma.is_none() {
                self.first_near_comma = Some((row, text.into()));
            }
            return self.see_near(row, text, near);
        }
        if written_date::parse(text).is_some() {
            self.named += 1;
        } else if let Some(date) = Numbered::parse(text) {
            let reads = |order| date.read(order).is_some();
            let (count, first) = match (reads(DateOrder::DayFirst), reads(DateOrder::MonthFirst)) {
                (true, true) => (&mut self.either, &mut self.first_either),
                (true, false) => (&mut self.day_first, &mut self.first_day_first),
                (false, true) => (&mut self.month_first, &mut self.first_month_first),
                (false, false) => return self.see_word(text),
            };
            note(count, first, row, text);
        } else if near_number::thirty_seconds(text).is_some() {
            note(
                &mut self.thirty_seconds,
                &mut self.first_thirty_second,
                row,
                text,
            );
        } else if written_date::is_unread(text) {
            note(
                &mut self.unread_dates,
                &mut self.first_unread_date,
                row,
                text,
            );
        } else if near_number::is_unread(text) {
            note(
                &mut self.unread_numbers,
                &mut self.first_unread_number,
                row,
                text,
            );
        } else {
            self.see_word(text);
        }
    }

    fn see_near(&mut self, row: u64, text: &str, near: Near<'_>) {
        if self.first_near.is_none() {
            self.first_near = Some((row, text.into()));
        }
        if near.percent {
            note(&mut self.percent, &mut self.first_percent, row, text);
        }
        if near.percent || near.currency.is_some() || near.parentheses {
            self.certain += 1;
        }
        if let Some(letter) = near.magnitude {
            if !self.magnitudes.contains(&letter) {
                self.magnitudes.push(letter);
            }
            self.measured = self.measured || near.fraction || near.thousands;
        }
        if let Some(found) = near.currency {
            match &self.currency {
                None => self.currency = Some((found.into(), row, text.into())),
                Some((first, ..)) if first != found && self.other_currency.is_none() => {
                    self.other_currency = Some((row, text.into()));
                }
                Some(_) => {}
            }
        }
    }

    fn see_word(&mut self, text: &str) {
        if self.words.len() < Self::WORDS && !self.words.iter().any(|word| word == text) {
            self.words.push(text.into());
        }
    }

    /// The first cell with a currency.
    pub(crate) fn first_currency(&self) -> Option<(u64, &str)> {
        let (_, row, text) = self.currency.as_ref()?;
        Some((*row, text))
    }

    /// Whether cells such as `3M` are amounts. They are where a `K` or a fraction stands among
    /// them, or several endings, or a currency: `1M`, `3M` and `6M` alone may be months.
    pub(crate) fn are_amounts(&self) -> bool {
        self.magnitudes.is_empty()
            || self.certain > 0
            || self.measured
            || self.magnitudes.len() > 1
            || self.magnitudes.contains(&'K')
    }

    /// Cells that are numbers with something around them.
    pub(crate) fn near(&self, decimal: Decimal) -> u64 {
        match decimal {
            Decimal::Point => self.near_point,
            Decimal::Comma => self.near_comma,
        }
    }

    /// Cells that are dates in a form that people write.
    pub(crate) fn dates(&self) -> u64 {
        self.named + self.numbered()
    }

    /// Those of three numbers.
    pub(crate) fn numbered(&self) -> u64 {
        self.either + self.day_first + self.month_first
    }

    /// The order that the column decides: some cell allows it alone and none the other alone.
    pub(crate) fn order(&self) -> Option<DateOrder> {
        match (self.day_first, self.month_first) {
            (1.., 0) => Some(DateOrder::DayFirst),
            (0, 1..) => Some(DateOrder::MonthFirst),
            _ => None,
        }
    }
}

fn note(count: &mut u64, first: &mut Sample, row: u64, text: &str) {
    *count += 1;
    if first.is_none() {
        *first = Some((row, text.into()));
    }
}
