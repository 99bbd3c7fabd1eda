//! What the start of a text says about the rest.

use std::collections::HashMap;
use std::io::Read;

use super::records::{Input, Records};
use crate::DataError;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// What the start of a text says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Opening {
    pub(crate) delimiter: u8,
    /// Bytes of the byte-order mark.
    pub(crate) mark: u64,
    /// Whether the first line is `sep=` and the delimiter, as Excel writes.
    pub(crate) separator_line: bool,
}

/// What a file is that is no text, by its first bytes.
fn other_format(sample: &[u8]) -> Option<&'static str> {
    let holds = |name: &[u8]| sample.windows(name.len()).any(|window| window == name);
    if sample.starts_with(b"PK\x03\x04") {
        Some(if holds(b"opendocument.spreadsheet") {
            "an OpenDocument sheet (`.ods`)"
        } else if holds(b"xl/") || holds(b"[Content_Types].xml") {
            "an Excel workbook (`.xlsx`)"
        } else {
            "a zip archive, perhaps an Excel workbook (`.xlsx`)"
        })
    } else if sample.starts_with(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1") {
        Some("an old Excel workbook (`.xls`)")
    } else if sample.starts_with(b"PAR1") {
        Some("a Parquet file (`.parquet`)")
    } else {
        None
    }
}

/// Bytes at the start of a file that the delimiter is chosen from.
const SAMPLE: u64 = 1 << 16;
const CANDIDATES: [u8; 4] = [b',', b';', b'\t', b'|'];

/// Looks at the start of a file.
pub(crate) fn look(input: Input<'_>, skip_rows: u64) -> Result<Opening, DataError> {
    let mut sample = Vec::new();
    let stream = input.open().map_err(|e| input.error(e))?;
    stream
        .take(SAMPLE)
        .read_to_end(&mut sample)
        .map_err(|e| input.error(e))?;
    if let Some(what) = other_format(&sample) {
        return Err(DataError::unsupported(format!(
            "the file is {what}, whatever its name; give it that ending, or set `format`"
        )));
    }
    if sample.starts_with(b"\xff\xfe") || sample.starts_with(b"\xfe\xff") {
        return Err(DataError::parse(
            "the file is UTF-16; save it as UTF-8 (\"CSV UTF-8\" in Excel)",
        )
        .at_row(1));
    }
    let mark = if sample.starts_with(BYTE_ORDER_MARK) {
        3
    } else {
        0
    };
    let text = &sample[mark..];
    if text.iter().all(u8::is_ascii_whitespace) && (sample.len() as u64) < SAMPLE {
        return Err(DataError::parse("the file is empty").at_row(1));
    }
    let mut opening = Opening {
        delimiter: b',',
        mark: mark as u64,
        separator_line: false,
    };
    if let Some(&[delimiter, b'\r' | b'\n', ..]) = text.strip_prefix(b"sep=")
        && check_delimiter(char::from(delimiter)).is_ok()
    {
        opening.delimiter = delimiter;
        opening.separator_line = true;
        return Ok(opening);
    }
    let whole = (sample.len() as u64) < SAMPLE;
    for by in [Judge::First, Judge::Most] {
        let mut best = (0, 0);
        for candidate in CANDIDATES {
            let score = evenness(text, candidate, skip_rows, whole, by);
            if score > best {
                best = score;
                opening.delimiter = candidate;
            }
        }
        if best > (0, 0) {
            break;
        }
    }
    Ok(opening)
}

/// The row that the others are compared with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Judge {
    /// The first, which is the header.
    First,
    /// The most usual, where the first is a title without a delimiter.
    Most,
}

/// How evenly a delimiter divides the text: the share of records with as many fields as the one
/// that judges, in 1/1000, and that number; 0 where that is not divided at all, or where the most
/// usual number is not that of nearly all.
fn evenness(text: &[u8], delimiter: u8, skip_rows: u64, whole: bool, by: Judge) -> (usize, usize) {
    let mut records = Records::new(Box::new(text), delimiter);
    let mut counts = Vec::new();
    let mut skip = skip_rows;
    while let Ok(Some(count)) = records.next() {
        // The sample may end within a record.
        if records.at_end && !whole {
            break;
        }
        if skip > 0 {
            skip -= 1;
        } else {
            counts.push(count);
        }
    }
    let judge = match by {
        Judge::First => counts.first().copied(),
        Judge::Most => most_usual(&counts),
    };
    match judge {
        Some(width) if width > 1 => {
            let even = counts.iter().filter(|&&count| count == width).count();
            let share = even * 1000 / counts.len();
            if by == Judge::Most && share < 800 {
                return (0, 0);
            }
            (share, width)
        }
        _ => (0, 0),
    }
}

fn most_usual(counts: &[usize]) -> Option<usize> {
    let mut tally: HashMap<usize, usize> = HashMap::new();
    for count in counts {
        *tally.entry(*count).or_default() += 1;
    }
    tally
        .into_iter()
        .max_by_key(|(width, times)| (*times, *width))
        .map(|(width, _)| width)
}

/// Where a text that begins with other things than its table begins to have the width that most
/// of its rows have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct UsualWidth {
    /// Fields of most rows.
    pub(crate) width: usize,
    /// The line of the first such row.
    pub(crate) first_row: u64,
    /// Rows before it.
    pub(crate) rows_before: u64,
}

/// Looks at the first 1,000 rows after `start` bytes and `skip_lines` lines.
pub(crate) fn usual_width(
    input: Input<'_>,
    delimiter: u8,
    start: u64,
    skip_lines: u64,
) -> std::io::Result<Option<UsualWidth>> {
    let mut stream = input.open()?;
    std::io::copy(&mut stream.by_ref().take(start), &mut std::io::sink())?;
    let mut records = Records::new(stream, delimiter);
    let mut rows = Vec::new();
    while rows.len() < 1000
        && let Some(count) = records.next()?
    {
        rows.push((records.place.line, count));
    }
    let rows = rows
        .get(usize::try_from(skip_lines).unwrap_or(0)..)
        .unwrap_or_default();
    let counts: Vec<usize> = rows.iter().map(|row| row.1).collect();
    let Some(width) = most_usual(&counts) else {
        return Ok(None);
    };
    let times = counts.iter().filter(|count| **count == width).count();
    let found = rows.iter().position(|row| row.1 == width);
    // A width that is not that of most rows says nothing.
    Ok(found
        .filter(|_| times * 2 > counts.len())
        .map(|at| UsualWidth {
            width,
            first_row: rows[at].0,
            rows_before: at as u64,
        }))
}

/// The byte of a delimiter that was asked for.
pub(crate) fn check_delimiter(delimiter: char) -> Result<u8, DataError> {
    u8::try_from(delimiter)
        .ok()
        .filter(|b| b.is_ascii() && !b.is_ascii_alphanumeric() && !b"\"\r\n.+-\0".contains(b))
        .ok_or_else(|| {
            DataError::config(format!(
                "delimiter is {delimiter:?}; allowed is one ASCII character that is no letter, \
                 digit, quotation mark, line end, '.', '+' or '-'"
            ))
        })
}
