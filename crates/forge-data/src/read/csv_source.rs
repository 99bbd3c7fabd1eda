//! Divided text as rows.

use std::io::{self, Read};

use super::cell::{Cell, LastRows, RowSource, RowVisitor};
use super::finding::shorten;
use super::header;
use super::opening;
use super::records::{Input, Place, Records};
use crate::DataError;
use crate::schema::Commas;

/// A CSV file as rows.
#[derive(Debug)]
pub(crate) struct CsvSource<'a> {
    pub(crate) input: Input<'a>,
    pub(crate) delimiter: u8,
    /// Bytes before the text: a byte-order mark or none.
    pub(crate) start: u64,
    /// Lines before the text: a `sep=` line or none.
    pub(crate) skip_lines: u64,
    pub(crate) skip_rows: u64,
    /// Whether the first row holds names.
    pub(crate) has_header: bool,
    /// Rows after the header that are passed over, from which to which; they may have any number
    /// of fields.
    pub(crate) loose: std::ops::Range<u64>,
    /// The line at which a footer begins.
    pub(crate) end: Option<u64>,
    /// Blank lines passed over in the latest reading.
    pub(crate) blank_lines: u64,
}

impl RowSource for CsvSource<'_> {
    fn rows(&mut self, visit: &mut RowVisitor<'_>) -> Result<(), DataError> {
        let failed = |e| self.input.error(e);
        let mut stream = self.input.open().map_err(failed)?;
        io::copy(&mut stream.by_ref().take(self.start), &mut io::sink()).map_err(failed)?;
        let mut records = Records::new(stream, self.delimiter);
        records.byte = self.start;
        self.skip(&mut records)?;
        let mut number = 0;
        let mut first: Option<(u64, Vec<String>)> = None;
        self.blank_lines = 0;
        while let Some(count) = records.next().map_err(failed)? {
            let row = records.place.line;
            if self.end.is_some_and(|end| row >= end) {
                break;
            }
            let loose = self.loose.contains(&number);
            number += 1;
            let names = first.as_ref().map(|(_, names)| names.as_slice());
            // `split` refuses boundaries inside a letter, so checking the record as a whole is
            // as good as checking each field.
            let end = count.checked_sub(1).map_or(0, |i| records.ends[i]);
            let Ok(text) = std::str::from_utf8(&records.fields[..end]) else {
                return Err(self.bad_text(&records, count, names));
            };
            let mut from = 0;
            let mut cells = Vec::with_capacity(count);
            for &to in &records.ends[..count] {
                match text.get(from..to) {
                    Some(field) => cells.push(Cell::Text(field)),
                    None => return Err(self.bad_text(&records, count, names)),
                }
                from = to;
            }
            let width = names.map_or(count, <[String]>::len);
            if count == 1 && width > 1 && cells[0].is_blank() && !loose {
                self.blank_lines += 1;
                continue;
            }
            if records.at_end && self.ends_in_quotes(records.place)? {
                return Err(DataError::parse(
                    "a quotation mark opens a field here and none closes it before the file ends",
                )
                .at_row(row));
            }
            if let Some((first_row, names)) = &first {
                if count != width && !loose {
                    return Err(self.ragged(row, &cells, *first_row, names));
                }
            } else {
                let name = |(i, cell): (usize, &Cell<'_>)| {
                    let name = header::name_of(cell);
                    if name.is_empty() || !self.has_header {
                        header::default_name(i)
                    } else {
                        name
                    }
                };
                first = Some((row, cells.iter().enumerate().map(name).collect()));
            }
            if visit(row, &cells)?.is_break() {
                return Ok(());
            }
        }
        self.blank_lines += records.blank_lines;
        Ok(())
    }

    fn find_footer(&mut self, rows: u64) -> Result<u64, DataError> {
        let mut last = LastRows::new(rows)?;
        let failed = |e| self.input.error(e);
        let mut stream = self.input.open().map_err(failed)?;
        io::copy(&mut stream.by_ref().take(self.start), &mut io::sink()).map_err(failed)?;
        let mut records = Records::new(stream, self.delimiter);
        while let Some(count) = records.next().map_err(failed)? {
            let end = count.checked_sub(1).map_or(0, |i| records.ends[i]);
            if !records.fields[..end].trim_ascii().is_empty() {
                last.add(records.place.line);
            }
        }
        self.end = Some(last.first()?);
        last.first()
    }

    fn commas(&self) -> Commas {
        if self.delimiter == b',' {
            Commas::WhereNeeded
        } else {
            Commas::Anywhere
        }
    }
}

impl CsvSource<'_> {
    /// Passes over the rows before the header.
    fn skip(&self, records: &mut Records<'_>) -> Result<(), DataError> {
        let rows = self.skip_lines.saturating_add(self.skip_rows);
        for skipped in 0..rows {
            if records.next().map_err(|e| self.input.error(e))?.is_none() {
                return Err(DataError::config(format!(
                    "`skip_rows` is {}, but the file has only {} rows",
                    self.skip_rows,
                    skipped - self.skip_lines.min(skipped)
                )));
            }
        }
        Ok(())
    }

    /// The error about a row with another number of fields than the first, and where the table
    /// begins or ends, if that can be seen.
    fn ragged(&self, row: u64, cells: &[Cell<'_>], first_row: u64, names: &[String]) -> DataError {
        let error = ragged(row, cells, first_row, names);
        let usual = opening::usual_width(self.input, self.delimiter, self.start, self.skip_lines);
        match usual {
            Ok(Some(usual)) if usual.width != names.len() && usual.rows_before > self.skip_rows => {
                error.with_hint(format!(
                    "most rows have {} fields, from row {} on: if that is the header, set \
                     `skip_rows` to {}",
                    usual.width, usual.first_row, usual.rows_before
                ))
            }
            Ok(_) if is_note(cells) && self.is_near_end(row) => error.with_hint(format!(
                "if the file ends in a note ('{}'), set `skip_footer` to pass over it",
                shorten(&header::name_of(&cells[0]), 40)
            )),
            _ => error,
        }
    }

    /// Whether at most ten records follow.
    fn is_near_end(&self, row: u64) -> bool {
        let after = || -> io::Result<u64> {
            let mut stream = self.input.open()?;
            io::copy(&mut stream.by_ref().take(self.start), &mut io::sink())?;
            let mut records = Records::new(stream, self.delimiter);
            let mut after = 0;
            while records.next()?.is_some() && after <= 10 {
                after += u64::from(records.place.line > row);
            }
            Ok(after)
        };
        after().is_ok_and(|after| after <= 10)
    }

    /// The error about a record that is not UTF-8.
    fn bad_text(&self, records: &Records<'_>, count: usize, names: Option<&[String]>) -> DataError {
        let place = records.place;
        let bad = (0..count)
            .find(|&i| std::str::from_utf8(records.field_bytes(i)).is_err())
            .unwrap_or(0);
        let mut raw = Vec::new();
        let at = self.input.open().and_then(|stream| {
            let mut stream = stream;
            io::copy(&mut stream.by_ref().take(place.start), &mut io::sink())?;
            stream.take(place.bytes).read_to_end(&mut raw)
        });
        let valid = match (at, std::str::from_utf8(&raw)) {
            (Err(e), _) => return self.input.error(e),
            (Ok(_), Ok(_)) => 0,
            (Ok(_), Err(e)) => e.valid_up_to(),
        };
        let byte = raw.get(valid).copied().unwrap_or_default();
        let error = DataError::parse(format!(
            "byte 0x{byte:02X} at offset {} is not UTF-8; save the file as UTF-8",
            place.start + valid as u64
        ))
        .at_row(place.line);
        match names.and_then(|names| names.get(bad)) {
            Some(name) => error.at_column(name),
            None => error.at_column(header::default_name(bad)),
        }
    }

    /// Whether the last record ends inside quotation marks: everything after a stray one became
    /// part of a field.
    fn ends_in_quotes(&self, place: Place) -> Result<bool, DataError> {
        /// Where in a field a byte stands. A mark after a closing one is part of the text.
        #[derive(Clone, Copy)]
        enum State {
            Start,
            Plain,
            Quoted,
            Closed,
        }
        let mut stream = self.input.open().map_err(|e| self.input.error(e))?;
        io::copy(&mut stream.by_ref().take(place.start), &mut io::sink())
            .map_err(|e| self.input.error(e))?;
        let mut state = State::Start;
        for byte in stream.bytes() {
            let byte = byte.map_err(|e| self.input.error(e))?;
            state = match (state, byte) {
                (State::Start | State::Closed, b'"') | (State::Quoted, 0..=33 | 35..) => {
                    State::Quoted
                }
                (State::Quoted, b'"') => State::Closed,
                (_, byte) if byte == self.delimiter || matches!(byte, b'\n' | b'\r') => {
                    State::Start
                }
                _ => State::Plain,
            };
        }
        Ok(matches!(state, State::Quoted))
    }
}

/// Whether a row is a line of words rather than a row that was cut off.
fn is_note(cells: &[Cell<'_>]) -> bool {
    matches!(cells, [Cell::Text(text)] if text.contains(char::is_alphabetic))
}

fn ragged(row: u64, cells: &[Cell<'_>], first_row: u64, names: &[String]) -> DataError {
    let (count, width) = (cells.len(), names.len());
    let fields = if count == 1 { "field" } else { "fields" };
    let error = |more: String| {
        DataError::parse(format!(
            "{count} {fields}, but row {first_row} has {width}{more}"
        ))
        .at_row(row)
    };
    if count < width {
        return error(String::new()).at_column(&names[count]);
    }
    error(format!(
        "; the first without a column is '{}'",
        shorten(&header::name_of(&cells[width]), 60)
    ))
}
