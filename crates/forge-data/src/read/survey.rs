//! The first pass over a file: what its columns are called, what their cells look like, and how
//! many rows there are.

use super::cell::{Cell, Flow, RowSource};
use super::finding::{Finding, FindingKind};
use super::header;
use super::options::{DuplicateNames, ReadOptions};
use super::saved_index::RowCounter;
use crate::DataError;
use crate::schema::{Commas, Decimal, Missing, Profile};

/// What the first pass saw.
pub(crate) struct Survey {
    /// The last row of the header.
    pub(crate) header_row: u64,
    pub(crate) names: Vec<String>,
    /// Whether a column is read; what is not is not looked at either.
    pub(crate) needed: Vec<bool>,
    pub(crate) profiles: Vec<Profile>,
    /// Whether a column has any cell that is not blank.
    pub(crate) has_values: Vec<bool>,
    /// What the first column counts.
    pub(crate) counter: RowCounter,
    /// Rows up to the last that is not blank.
    pub(crate) rows: u64,
    /// The row at which to stop, where a footer is passed over.
    pub(crate) end: Option<u64>,
    pub(crate) findings: Vec<Finding>,
}

/// Looks at all rows of a file.
pub(crate) fn survey(
    source: &mut dyn RowSource,
    options: &ReadOptions,
) -> Result<Survey, DataError> {
    let missing = Missing::new(options);
    let commas = match options.decimal {
        Some(Decimal::Point) => Commas::Never,
        Some(Decimal::Comma) => Commas::Anywhere,
        None => source.commas(),
    };
    let mut seen = Survey {
        header_row: 1,
        names: Vec::new(),
        needed: Vec::new(),
        profiles: Vec::new(),
        has_values: Vec::new(),
        counter: RowCounter::new(),
        rows: 0,
        end: None,
        findings: Vec::new(),
    };
    if options.skip_footer > 0 {
        seen.end = Some(source.find_footer(options.skip_footer)?);
        let finding = Finding::new(FindingKind::Footer, "").counted(options.skip_footer);
        seen.findings
            .extend(seen.end.map(|row| finding.at_row(row)));
    }
    let mut rows = RowTally::default();
    let names_in_rows = options.names_in_rows();
    let mut before_data = options.rows_before_data();
    let mut header_left = names_in_rows;
    let mut limited = false;
    source.rows(&mut |row, cells| {
        if seen.end.is_some_and(|end| row >= end) {
            return Ok(Flow::Break(()));
        }
        if before_data > 0 {
            before_data -= 1;
            if header_left > 0 {
                header_left -= 1;
                seen.header_row = row;
                // Of several rows, only all together look like a header or not.
                if names_in_rows == 1 {
                    header::check_is_header(row, cells, options)?;
                }
                header::add_row(&mut seen.names, cells);
            }
            return Ok(Flow::Continue(()));
        }
        if options.max_rows.is_some_and(|max| rows.seen >= max) {
            limited = true;
            return Ok(Flow::Break(()));
        }
        if rows.seen == 0 && names_in_rows == 0 {
            seen.header_row = row;
        }
        if rows.add(row, cells.iter().all(Cell::is_blank)) {
            seen.look_at(row, cells, &missing, commas, options);
        }
        Ok(Flow::Continue(()))
    })?;
    if options.skip_after_header > 0 {
        let finding = Finding::new(FindingKind::AfterHeader, "");
        seen.findings
            .push(finding.counted(options.skip_after_header));
    }
    seen.rows = rows.finish(limited, &mut seen.findings);
    let width = seen.names.len().max(seen.profiles.len());
    seen.widen(width, options);
    if names_in_rows == 0 {
        seen.names = (0..width).map(header::default_name).collect();
    }
    seen.names.resize(width, String::new());
    Ok(seen)
}

impl Survey {
    /// Looks at a row that is not blank.
    fn look_at(
        &mut self,
        row: u64,
        cells: &[Cell<'_>],
        missing: &Missing,
        commas: Commas,
        options: &ReadOptions,
    ) {
        if cells.len() > self.profiles.len() {
            self.widen(cells.len(), options);
        }
        if let (Some(cell), Some(true)) = (cells.first(), self.needed.first()) {
            self.counter.see(cell);
        }
        for (i, cell) in cells.iter().enumerate() {
            if self.needed[i] {
                self.profiles[i].see(row, cell, missing, commas);
            }
            self.has_values[i] = self.has_values[i] || !cell.is_blank();
        }
    }

    /// Makes room for more columns and finds out which of them are needed.
    fn widen(&mut self, width: usize, options: &ReadOptions) {
        self.profiles.resize(width, Profile::default());
        self.has_values.resize(width, false);
        if width <= self.needed.len() {
            return;
        }
        let mut names = self.names.clone();
        names.resize(width.max(names.len()), String::new());
        let named = header::provisional(&names);
        let known = |i: usize| {
            // A name that is there twice and must not be is that name both times.
            let raw = options.duplicate_names == DuplicateNames::Refuse && !names[i].is_empty();
            options.needs(if raw { &names[i] } else { &named[i] })
        };
        self.needed = (0..width).map(known).collect();
    }
}

/// Counts rows, and blank ones among and after them.
#[derive(Default)]
struct RowTally {
    seen: u64,
    /// Rows up to the last that is not blank.
    rows: u64,
    /// The first blank rows since then.
    blank: Vec<u64>,
    blank_rows: u64,
    /// The first blank rows that others follow.
    first_blank: Vec<u64>,
}

impl RowTally {
    /// Whether the row is one to look at.
    fn add(&mut self, row: u64, is_blank: bool) -> bool {
        self.seen += 1;
        if is_blank {
            self.blank.push(row);
            self.blank.truncate(Finding::MAX_ROWS);
            return false;
        }
        let passed = self.seen - 1 - self.rows;
        self.blank_rows += passed;
        if passed > 0 && self.first_blank.is_empty() {
            self.first_blank.clone_from(&self.blank);
        }
        self.blank.clear();
        self.rows = self.seen;
        true
    }

    /// The rows that are read, and what is to be said about the others.
    fn finish(self, limited: bool, findings: &mut Vec<Finding>) -> u64 {
        if self.blank_rows > 0 {
            let mut finding = Finding::new(FindingKind::EmptyRows, "").counted(self.blank_rows);
            finding.rows = self.first_blank;
            findings.push(finding);
        }
        if limited {
            let limit = format!("{} rows", self.seen);
            findings.push(Finding::new(FindingKind::Limit, &limit));
            return self.seen;
        }
        if self.seen > self.rows && self.rows > 0 {
            let left = self.seen - self.rows;
            let mut finding = Finding::new(FindingKind::TrailingRows, "").counted(left);
            finding.rows = self.blank;
            findings.push(finding);
        }
        self.rows
    }
}
