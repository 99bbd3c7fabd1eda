//! The sheets of an OpenDocument file before they are made: how many cells they unfold to, and
//! which of them are merged.

use std::io::BufRead;

use quick_xml::events::{BytesStart, Event};

use super::limits::{Allowance, broken, xml};
use super::merged::Region;
use super::{MAX_COLUMNS, MAX_ROWS};
use crate::DataError;

const PART: &str = "content.xml";
/// Bytes of a cell without its text: its value and its formula, and their copies.
const CELL: u64 = 112;

/// Merged cells by the name of their sheet.
type Merged = Vec<(String, Vec<Region>)>;

/// Reckons what the sheets take in memory.
///
/// A cell or row may be repeated up to a million times by a number in the file, so the numbers are
/// multiplied here and nothing is made.
pub(super) fn check(
    part: &mut impl BufRead,
    allowance: &mut Allowance,
) -> Result<Merged, DataError> {
    let mut reader = xml(part);
    let mut buffer = Vec::new();
    let mut merged = Merged::new();
    let mut sheet = Sheet::default();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => match element.name().as_ref() {
                "table:table" => {
                    sheet.end(allowance)?;
                    let name = text(&element, "table:name").unwrap_or_default();
                    merged.push((name, Vec::new()));
                    sheet = Sheet::default();
                }
                "table:table-row" => {
                    sheet.end_row(allowance)?;
                    sheet.repeated = number(&element, "table:number-rows-repeated");
                }
                "table:table-cell" | "table:covered-table-cell" => {
                    let region = sheet.cell(&element);
                    if let (Some(region), Some((_, list))) = (region, merged.last_mut()) {
                        list.push(region);
                    }
                }
                _ => {}
            },
            Ok(Event::Text(text)) => sheet.text(text.len()),
            Ok(Event::CData(text)) => sheet.text(text.len()),
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(e) => return Err(broken(&e)),
        }
    }
    sheet.end(allowance)?;
    Ok(merged)
}

/// A sheet as it unfolds.
#[derive(Debug, Default)]
struct Sheet {
    /// The row, counted from 0, and how often it is there.
    row: u64,
    repeated: u64,
    /// Cells of the row, up to the last that is not empty, and empty ones after it.
    cells: u64,
    empty: u64,
    /// Bytes of the row's texts, and of those of the cell that is open, and how often it is there.
    texts: u64,
    open_text: u64,
    open_repeats: u64,
    /// Empty rows since the last that is not.
    empty_rows: u64,
    widest: u64,
    /// Bytes of all rows.
    bytes: u64,
}

impl Sheet {
    /// Takes the start of a cell; the region that it covers, if that is more than itself.
    fn cell(&mut self, element: &BytesStart<'_>) -> Option<Region> {
        self.close_cell();
        let repeats = number(element, "table:number-columns-repeated");
        let attributes = element.attributes_raw();
        let has_value = ["value", "formula"]
            .iter()
            .any(|key| attributes.contains(key));
        let column = (self.cells + self.empty).min(u64::from(MAX_COLUMNS));
        let fits = repeats.min(u64::from(MAX_COLUMNS) - column);
        if has_value {
            self.cells = column + fits;
            self.empty = 0;
        } else {
            self.empty += fits;
        }
        self.open_repeats = fits;
        self.open_text = if has_value {
            attributes.len() as u64
        } else {
            0
        };
        let (down, across) = (
            number(element, "table:number-rows-spanned"),
            number(element, "table:number-columns-spanned"),
        );
        let last = |from: u64, count: u64, most: u32| {
            u32::try_from(from + count.max(1) - 1)
                .unwrap_or(most)
                .min(most - 1)
        };
        let region = Region {
            rows: (last(self.row, 1, MAX_ROWS), last(self.row, down, MAX_ROWS)),
            columns: (
                last(column, 1, MAX_COLUMNS),
                last(column, across, MAX_COLUMNS),
            ),
        };
        (down > 1 || across > 1).then_some(region)
    }

    fn text(&mut self, bytes: usize) {
        self.open_text += bytes as u64;
    }

    fn close_cell(&mut self) {
        let bytes = self.open_text.saturating_mul(self.open_repeats.max(1));
        // Values and their copies.
        self.texts = self.texts.saturating_add(bytes.saturating_mul(2));
        (self.open_text, self.open_repeats) = (0, 0);
    }

    fn end_row(&mut self, allowance: &mut Allowance) -> Result<(), DataError> {
        self.close_cell();
        let left = u64::from(MAX_ROWS).saturating_sub(self.row);
        let repeated = self.repeated.min(left);
        self.row += repeated;
        if self.cells == 0 {
            self.empty_rows += repeated;
        } else if repeated > 0 {
            // Rows are as wide as the widest, the empty ones among them too.
            self.widest = self.widest.max(self.cells);
            let rows = self.empty_rows + repeated;
            let bytes = (self.widest * CELL).saturating_mul(rows);
            let bytes = bytes.saturating_add(self.texts.saturating_mul(repeated));
            self.bytes = self.bytes.saturating_add(bytes);
            self.empty_rows = 0;
            allowance.take(bytes, PART)?;
        }
        (self.cells, self.empty, self.texts, self.repeated) = (0, 0, 0, 0);
        Ok(())
    }

    fn end(&mut self, allowance: &mut Allowance) -> Result<(), DataError> {
        self.end_row(allowance)?;
        // Rows before the widest were reckoned narrower.
        let whole = (self.widest * CELL).saturating_mul(self.row - self.empty_rows.min(self.row));
        allowance.take(whole.saturating_sub(self.bytes), PART)
    }
}

fn text(element: &BytesStart<'_>, name: &str) -> Option<String> {
    let attribute = element.try_get_attribute(name).ok().flatten()?;
    let value = quick_xml::escape::unescape(&attribute.value).ok()?;
    Some(value.into_owned())
}

/// A count in an attribute; 1 where it has none.
fn number(element: &BytesStart<'_>, name: &str) -> u64 {
    let attribute = element.try_get_attribute(name).ok().flatten();
    let value = attribute.map_or(Ok(1), |attribute| attribute.value.parse());
    value.unwrap_or(u64::from(MAX_ROWS))
}
