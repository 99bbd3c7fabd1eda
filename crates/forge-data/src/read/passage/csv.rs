//! CSV records, copied byte by byte.

use std::io::{self, BufRead, Read, Write};
use std::path::Path;

use super::Passage;
use super::beside::{Beside, Place, changed};
use super::text_rows::{TextRows, TextVisitor};
use crate::DataError;
use crate::read::options::ReadOptions;
use crate::read::records::{Input, Records};
use crate::read::report::Layout;
use crate::schema::Decimal;
use crate::table::cell_text;

/// A CSV file as it was read.
#[derive(Debug)]
pub(super) struct CsvText<'a> {
    input: Input<'a>,
    delimiter: u8,
    decimal: Decimal,
    /// Bytes before the text: a byte-order mark or none.
    start: u64,
    /// Records before the table.
    before: u64,
}

impl<'a> CsvText<'a> {
    pub(super) fn of(passage: &Passage<'a>) -> Result<Self, DataError> {
        let ReadOptions { skip_rows, .. } = passage.options;
        let input = Input::File(passage.path);
        let opening = crate::read::opening::look(input, *skip_rows)?;
        let (delimiter, decimal) = match &passage.report.layout {
            Layout::Csv {
                delimiter, decimal, ..
            } => (*delimiter, *decimal),
            _ => (',', Decimal::Point),
        };
        Ok(Self {
            input,
            delimiter: u8::try_from(delimiter).unwrap_or(b','),
            decimal,
            start: opening.mark,
            before: skip_rows.saturating_add(u64::from(opening.separator_line)),
        })
    }

    /// A file that is copied keeps its delimiter, which its ending may not promise.
    pub(super) fn check_delimiter(&self, promised: Option<u8>, to: &Path) -> Result<(), DataError> {
        match promised {
            Some(promised) if promised != self.delimiter => Err(DataError::unsupported(format!(
                "{}: the file that is copied is divided by {:?}: end the name in .csv",
                to.display(),
                char::from(self.delimiter)
            ))),
            _ => Ok(()),
        }
    }

    fn open(&self) -> Result<Box<dyn BufRead + 'a>, DataError> {
        self.input.open().map_err(|e| self.input.error(e))
    }

    /// The records from the start of the text on.
    fn records(&self) -> Result<Records<'a>, DataError> {
        let mut stream = self.open()?;
        io::copy(&mut stream.by_ref().take(self.start), &mut io::sink())
            .map_err(|e| self.input.error(e))?;
        let mut records = Records::new(stream, self.delimiter);
        records.byte = self.start;
        Ok(records)
    }

    /// Copies the file, or the chosen rows of it and all that is around the table, each record of
    /// the table with its cells of the columns at the end.
    pub(super) fn copy(&self, beside: &Beside<'_>, out: &mut dyn Write) -> Result<(), DataError> {
        let failed = |e| self.input.error(e);
        let write = |e: io::Error| DataError::parse(format!("cannot write CSV: {e}"));
        let mut raw = self.open()?;
        let mut records = self.records()?;
        let (mut at, mut number) = (0, 0);
        let mut width = None;
        let (mut record, mut added) = (Vec::new(), Vec::new());
        let mut rows = 0;
        while let Some(count) = records.next().map_err(failed)? {
            let place = records.place;
            let whole = beside.is_whole();
            // What stands between records: a byte-order mark, blank lines.
            let mut gap = raw.by_ref().take(place.start - at);
            if whole || at == 0 {
                io::copy(&mut gap, out).map_err(write)?;
            } else {
                io::copy(&mut gap, &mut io::sink()).map_err(failed)?;
            }
            record.clear();
            (raw.by_ref().take(place.bytes))
                .read_to_end(&mut record)
                .map_err(failed)?;
            at = place.start + place.bytes;
            let before = number < self.before;
            number += 1;
            let end = record.iter().rposition(|b| !matches!(b, b'\r' | b'\n'));
            let (text, line_end) = record.split_at(end.map_or(0, |end| end + 1));
            let what = if before {
                Some(Place::Other)
            } else {
                beside.place(place.line)
            };
            let Some(what) = what else {
                continue;
            };
            if !before && width.is_none() {
                width = Some(count);
            }
            added.clear();
            match what {
                Place::Header => self.names(beside, &mut added),
                Place::Data(row) => {
                    rows += 1;
                    self.cells(beside, row, &mut added)?;
                }
                // As wide as the table, it stays so.
                Place::Other if width == Some(count) && !before && count > 1 => {
                    added.resize(beside.columns.len(), self.delimiter);
                }
                Place::Other => {}
            }
            out.write_all(text).map_err(write)?;
            out.write_all(&added).map_err(write)?;
            // A CR that ends a record may have an LF behind it, which belongs to the next gap.
            let line_end = match line_end {
                [b'\r'] if !whole && !records.at_end => &b"\r\n"[..],
                [] if !whole => b"\n",
                found => found,
            };
            out.write_all(line_end).map_err(write)?;
        }
        if beside.is_whole() {
            io::copy(&mut raw, out).map_err(write)?;
            if rows != beside.rows() {
                return Err(changed());
            }
        }
        Ok(())
    }

    fn names(&self, beside: &Beside<'_>, added: &mut Vec<u8>) {
        for column in beside.columns {
            self.field(&column.name, added);
        }
    }

    fn cells(&self, beside: &Beside<'_>, row: usize, added: &mut Vec<u8>) -> Result<(), DataError> {
        for column in beside.columns {
            let text = cell_text(column, row, self.decimal)?;
            self.field(&text, added);
        }
        Ok(())
    }

    /// Adds delimiter and field, in quotation marks where it needs them.
    fn field(&self, text: &str, added: &mut Vec<u8>) {
        added.push(self.delimiter);
        let special = |b: u8| b == self.delimiter || matches!(b, b'"' | b'\r' | b'\n');
        if text.bytes().any(special) {
            added.push(b'"');
            added.extend(text.replace('"', "\"\"").into_bytes());
            added.push(b'"');
        } else {
            added.extend(text.as_bytes());
        }
    }
}

impl TextRows for CsvText<'_> {
    fn decimal(&self) -> Decimal {
        self.decimal
    }

    fn rows(&mut self, visit: &mut TextVisitor<'_>) -> Result<(), DataError> {
        let failed = |e| self.input.error(e);
        let mut records = self.records()?;
        let mut number = 0;
        while let Some(count) = records.next().map_err(failed)? {
            number += 1;
            if number <= self.before {
                continue;
            }
            let field = |i| String::from_utf8_lossy(records.field_bytes(i)).into_owned();
            let fields: Vec<String> = (0..count).map(field).collect();
            visit(records.place.line, &fields)?;
        }
        Ok(())
    }
}
