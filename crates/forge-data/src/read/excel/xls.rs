//! An old workbook before its cells are made: how large its sheets are.

use std::io::{Read, Seek};

use super::limits::{Allowance, broken};
use crate::DataError;

/// Bytes of a cell in memory: its value and its formula.
const CELL: u64 = 64;

/// Reckons what the sheets take: each is made as large as the rectangle that its cells span, so
/// that two cells in opposite corners cost as much as a full sheet.
pub(super) fn check(file: impl Read + Seek, allowance: &mut Allowance) -> Result<(), DataError> {
    let mut container = cfb::CompoundFile::open(file).map_err(|e| broken(&e))?;
    let names = ["/Workbook", "/Book", "/WORKBOOK", "/BOOK"];
    let Some(name) = names.into_iter().find(|name| container.is_stream(name)) else {
        // The reader says what is wrong.
        return Ok(());
    };
    let mut stream = container.open_stream(name).map_err(|e| broken(&e))?;
    let mut sheet: Option<Rectangle> = None;
    let mut head = [0; 4];
    let mut data = Vec::new();
    while stream.read_exact(&mut head).is_ok() {
        let kind = u16::from_le_bytes([head[0], head[1]]);
        let length = u64::from(u16::from_le_bytes([head[2], head[3]]));
        data.clear();
        let read = (&mut stream).take(length).read_to_end(&mut data);
        if read.map_err(|e| broken(&e))? as u64 != length {
            break;
        }
        match kind {
            // The start and the end of a part.
            0x0809 | 0x0409 | 0x0209 | 0x0009 | 0x000a => {
                if let Some(sheet) = sheet.take() {
                    allowance.take(sheet.cells().saturating_mul(CELL), "a sheet")?;
                }
            }
            // Formulas, numbers, texts, booleans and errors, blanks, one or several.
            0x0006
            | 0x0206
            | 0x0406
            | 0x00bd
            | 0x00be
            | 0x00d6
            | 0x00fd
            | 0x0001..=0x0005
            | 0x0201
            | 0x0203..=0x0205
            | 0x027e => {
                if let [r1, r2, c1, c2, ..] = data[..] {
                    let row = u64::from(u16::from_le_bytes([r1, r2]));
                    let mut column = u64::from(u16::from_le_bytes([c1, c2]));
                    let rectangle = sheet.get_or_insert_with(Rectangle::default);
                    rectangle.add(row, column);
                    if let (0x00bd | 0x00be, [.., l1, l2]) = (kind, &data[..]) {
                        column = u64::from(u16::from_le_bytes([*l1, *l2]));
                        rectangle.add(row, column);
                    }
                }
            }
            _ => {}
        }
    }
    match sheet {
        Some(sheet) => allowance.take(sheet.cells().saturating_mul(CELL), "a sheet"),
        None => Ok(()),
    }
}

#[derive(Debug)]
struct Rectangle {
    rows: (u64, u64),
    columns: (u64, u64),
}

impl Default for Rectangle {
    fn default() -> Self {
        Self {
            rows: (u64::MAX, 0),
            columns: (u64::MAX, 0),
        }
    }
}

impl Rectangle {
    fn add(&mut self, row: u64, column: u64) {
        self.rows = (self.rows.0.min(row), self.rows.1.max(row));
        self.columns = (self.columns.0.min(column), self.columns.1.max(column));
    }

    fn cells(&self) -> u64 {
        let span = |(from, to): (u64, u64)| (to + 1).saturating_sub(from);
        span(self.rows) * span(self.columns)
    }
}
