//! Sheets as rows.

mod limits;
mod merged;
mod ods;
mod xls;

use std::fs::File;
use std::io::BufReader;
use std::ops::ControlFlow;
use std::path::Path;

use calamine::{
    CellErrorType, Data, Dimensions, Range, Reader, SheetType, SheetVisible, Sheets, Xlsx,
    XlsxError, XlsxFormulaMetadata, open_workbook_auto,
};

use super::cell::{Cell, Fault, Flow, RowSource, RowVisitor};
use super::finding::Finding;
use super::options::ReadOptions;
use crate::DataError;
use crate::schema::date_time;
use merged::{Merged, Part, Region};

/// The largest sheet there is.
const MAX_ROWS: u32 = 1 << 20;
const MAX_COLUMNS: u32 = 1 << 14;
/// Cells that a sheet may leave empty for each that it fills, beyond a floor. A file of a few
/// bytes may name the last cell of a sheet, and no table is as empty as that.
const EMPTY_PER_FULL: u64 = 64;
const EMPTY_FLOOR: u64 = 10_000_000;

type Xlsx_ = Xlsx<BufReader<File>>;

/// One sheet of a workbook.
pub(crate) struct SheetSource {
    book: Book,
    /// The sheet that is read.
    pub(crate) sheet: String,
    /// The sheets that are not.
    pub(crate) other_sheets: Vec<String>,
    skip_rows: u64,
    merged: Merged,
    /// Rows that hold names.
    names_in_rows: u64,
}

enum Book {
    /// Read cell by cell from the file.
    Stream(Box<Xlsx_>),
    /// Read as a whole: xls is small by its own limits, and calamine limits ods.
    Whole {
        values: Range<Data>,
        formulas: Range<String>,
    },
}

impl SheetSource {
    pub(crate) fn open(path: &Path, options: &ReadOptions) -> Result<Self, DataError> {
        let inside = limits::check(path, options.max_unpacked_bytes)?;
        let book = open_workbook_auto(path).map_err(damaged)?;
        let sheets = book.sheets_metadata();
        let usable = || sheets.iter().filter(|s| s.typ == SheetType::WorkSheet);
        let names: Vec<String> = usable().map(|s| s.name.clone()).collect();
        let chosen = match &options.sheet {
            Some(name) => usable().find(|s| &s.name == name).ok_or_else(|| {
                let known = names.join("', '");
                DataError::config(format!("`sheet` is '{name}'; the file has '{known}'"))
            })?,
            None => usable()
                .find(|s| s.visible == SheetVisible::Visible)
                .or_else(|| usable().next())
                .ok_or_else(|| DataError::schema("the workbook has no worksheet"))?,
        };
        let sheet = chosen.name.clone();
        let mut regions = Vec::new();
        let book = match book {
            Sheets::Xlsx(mut book) => {
                let found = book.merge_cells_by_sheet_name(&sheet).map_err(damaged)?;
                regions.extend(found.iter().map(region));
                Book::Stream(Box::new(book))
            }
            mut other => {
                if let Sheets::Xls(book) = &other {
                    let found = book.merge_cells_by_sheet_name(&sheet).map_err(damaged)?;
                    regions.extend(found.iter().map(region));
                }
                let of_sheet = inside.merged.iter().find(|(name, _)| *name == sheet);
                regions.extend(of_sheet.iter().flat_map(|(_, found)| found));

                let values = other.worksheet_range(&sheet).map_err(damaged)?;
                // A workbook whose formulas cannot be shown still has values.
                let formulas = other.worksheet_formula(&sheet).unwrap_or_default();
                Book::Whole { values, formulas }
            }
        };
        Ok(Self {
            book,
            other_sheets: names.into_iter().filter(|name| *name != sheet).collect(),
            sheet,
            skip_rows: options.skip_rows,
            merged: Merged::new(regions, options.merged_cells),
            names_in_rows: options.names_in_rows(),
        })
    }

    /// What the latest reading put into cells under merged ones.
    pub(crate) fn merged(&self) -> Option<Finding> {
        self.merged.finding()
    }
}

fn region(found: &Dimensions) -> Region {
    Region {
        rows: (found.start.0, found.end.0),
        columns: (found.start.1, found.end.1),
    }
}

impl RowSource for SheetSource {
    fn rows(&mut self, visit: &mut RowVisitor<'_>) -> Result<(), DataError> {
        self.merged.restart();
        let mut rows = Rows {
            visit,
            skip_rows: self.skip_rows,
            next: None,
            full: 0,
            merged: &mut self.merged,
            names_in_rows: self.names_in_rows,
            handed: 0,
            widest: 0,
        };
        match &mut self.book {
            Book::Stream(book) => stream(book, &self.sheet, &mut rows),
            Book::Whole { values, formulas } => whole(values, formulas, &mut rows),
        }
    }

    fn is_typed(&self) -> bool {
        true
    }

    fn elsewhere(&self) -> Option<String> {
        (!self.other_sheets.is_empty()).then(|| {
            let others = self.other_sheets.join("', '");
            format!(
                "this is sheet '{}', and there are others: set `sheet` to '{others}'",
                self.sheet
            )
        })
    }
}

/// A cell of a row under construction: its column, value and formula.
type Entry = (u32, Data, Option<String>);

fn stream(book: &mut Xlsx_, sheet: &str, rows: &mut Rows<'_, '_>) -> Result<(), DataError> {
    let mut cells = book.worksheet_cells_reader(sheet).map_err(damaged)?;
    let mut row = 0;
    let mut entries: Vec<Entry> = Vec::new();
    while let Some(cell) = cells.next_cell_with_formula_metadata().map_err(damaged)? {
        let (at, column) = cell.pos;
        if at >= MAX_ROWS || column >= MAX_COLUMNS {
            return Err(DataError::parse(format!(
                "the sheet has a cell in column {} here, beyond the {MAX_ROWS} rows and \
                 {MAX_COLUMNS} columns that a sheet can have",
                column + 1
            ))
            .at_row(u64::from(at) + 1));
        }
        if at < row {
            return Err(DataError::parse("the rows of the sheet are out of order")
                .at_row(u64::from(at) + 1));
        }
        if at > row {
            if rows.entries(row, &mut entries)?.is_break() {
                return Ok(());
            }
            entries.clear();
            row = at;
        }
        if entries.len() >= MAX_COLUMNS as usize {
            return Err(DataError::parse(format!(
                "the row has more than the {MAX_COLUMNS} cells that a row can have"
            ))
            .at_row(u64::from(at) + 1));
        }
        entries.push((column, cell.value.into(), cell.formula.map(text_of)));
    }
    // Nothing is left to break off.
    let _ = rows.entries(row, &mut entries)?;
    Ok(())
}

fn text_of(formula: XlsxFormulaMetadata) -> String {
    match formula {
        XlsxFormulaMetadata::Normal { formula } | XlsxFormulaMetadata::Shared { formula, .. } => {
            formula
        }
        _ => "shared formula".into(),
    }
}

fn whole(
    values: &Range<Data>,
    formulas: &Range<String>,
    rows: &mut Rows<'_, '_>,
) -> Result<(), DataError> {
    let (Some(start), Some(end)) = (values.start(), values.end()) else {
        return Ok(());
    };
    for row in start.0..=end.0 {
        let mut entries: Vec<Entry> = (start.1..=end.1)
            .filter_map(|column| {
                let value = values.get_value((row, column))?.clone();
                let formula = formulas.get_value((row, column)).cloned();
                Some((column, value, formula.filter(|f| !f.is_empty())))
            })
            .collect();
        if rows.entries(row, &mut entries)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Hands rows on: from the first that is not empty, gaps filled with empty rows.
struct Rows<'r, 'v> {
    visit: &'r mut RowVisitor<'v>,
    skip_rows: u64,
    /// The row after the last that was handed on, from 0.
    next: Option<u64>,
    /// Cells so far that are not empty.
    full: u64,
    merged: &'r mut Merged,
    names_in_rows: u64,
    /// Rows handed on so far, and the widest of them.
    handed: u64,
    widest: u32,
}

impl Rows<'_, '_> {
    fn entries(&mut self, row: u32, entries: &mut Vec<Entry>) -> Result<Flow, DataError> {
        let part = match self.names_in_rows {
            1 if self.handed == 0 => Part::Header,
            names if self.handed < names => Part::HeaderRow,
            _ => Part::Data(self.widest),
        };
        let own = entries.len();
        if u64::from(row) >= self.skip_rows {
            self.merged.fill(row, entries, part)?;
        }
        let row = u64::from(row);
        if row < self.skip_rows {
            return Ok(ControlFlow::Continue(()));
        }
        let full = |entry: &&Entry| entry.1 != Data::Empty || entry.2.is_some();
        let width = entries.iter().filter(full).map(|entry| entry.0 + 1).max();
        let width = width.unwrap_or(0) as usize;
        let mut cells = vec![Cell::Empty; width];
        for (column, value, formula) in entries.iter() {
            if let Some(cell) = cells.get_mut(*column as usize) {
                *cell = cell_of(value, formula.as_deref());
            }
        }
        if self.next.is_none() && cells.iter().all(Cell::is_blank) {
            return Ok(ControlFlow::Continue(()));
        }
        self.full += entries.iter().take(own).filter(full).count() as u64;
        self.widest = self.widest.max(u32::try_from(width).unwrap_or(MAX_COLUMNS));
        let next = self.next.unwrap_or(row);
        let empty = (row - next + 1).saturating_mul(width as u64);
        if empty > EMPTY_FLOOR + EMPTY_PER_FULL * self.full {
            return Err(DataError::parse(format!(
                "the sheet is nearly empty: {} cells up to here, where a table would have {empty} \
                 more; remove the stray cell",
                self.full
            ))
            .at_row(row + 1));
        }
        for gap in next..row {
            if (self.visit)(gap + 1, &[])?.is_break() {
                return Ok(ControlFlow::Break(()));
            }
        }
        self.next = Some(row + 1);
        self.handed += row + 1 - next;
        (self.visit)(row + 1, &cells)
    }
}

fn cell_of<'a>(value: &'a Data, formula: Option<&'a str>) -> Cell<'a> {
    if let Some(formula) = formula
        && (*value == Data::Empty || matches!(value, Data::String(text) if text.is_empty()))
    {
        // Writers that do not calculate leave nothing, or an empty text.
        return Cell::Fault(Fault::NoResult(formula));
    }
    match value {
        Data::Empty => Cell::Empty,
        Data::String(text) | Data::DurationIso(text) => Cell::Text(text),
        Data::Float(value) => Cell::Number(*value),
        Data::Int(value) => Cell::Integer(i128::from(*value)),
        Data::Bool(value) => Cell::Bool(*value),
        Data::DateTimeIso(text) => match date_time::parse(text) {
            Some(instant) => Cell::Time(instant.milliseconds),
            None => Cell::Text(text),
        },
        // A time of day without a day is a number below 1.
        Data::DateTime(time) if time.is_duration() || (0.0..1.0).contains(&time.as_f64()) => {
            Cell::Days(time.as_f64())
        }
        Data::DateTime(time) => {
            let serial = time.as_f64();
            let (year, month, day, h, m, s, milli) = time.to_ymd_hms_milli();
            // Outside of these serials there is no date; and 1900-02-29, which Excel has, was
            // never a day.
            let days = (0.0..2_958_466.0)
                .contains(&serial)
                .then(|| date_time::days_from_civil(year.into(), month.into(), day.into()));
            match days.flatten() {
                Some(days) => {
                    let minutes = i64::from(h) * 60 + i64::from(m);
                    let seconds = minutes * 60 + i64::from(s);
                    Cell::Time(days * date_time::DAY + seconds * 1000 + i64::from(milli))
                }
                None => Cell::Number(serial),
            }
        }
        Data::Error(error) => Cell::Fault(Fault::ErrorValue(match error {
            CellErrorType::Div0 => "#DIV/0!",
            CellErrorType::NA => "#N/A",
            CellErrorType::Name => "#NAME?",
            CellErrorType::Null => "#NULL!",
            CellErrorType::Num => "#NUM!",
            CellErrorType::Ref => "#REF!",
            CellErrorType::Value => "#VALUE!",
            CellErrorType::GettingData => "#GETTING_DATA",
        })),
    }
}

fn damaged<E: std::fmt::Display + Into<calamine::Error>>(error: E) -> DataError {
    let message = error.to_string();
    match error.into() {
        calamine::Error::Io(_) => DataError::parse(format!("cannot read: {message}")),
        calamine::Error::Xlsx(XlsxError::Password) => {
            DataError::unsupported("the workbook is protected by a password; save it without")
        }
        _ => DataError::parse(format!("not a readable workbook: {message}")),
    }
}
