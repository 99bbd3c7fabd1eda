//! What the start of a text says about the rest.

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
    let mut best = (0, 0);
    for candidate in CANDIDATES {
        let score = evenness(text, candidate, skip_rows, whole);
        if score > best {
            best = score;
            opening.delimiter = candidate;
        }
    }
    Ok(opening)
}

/// How evenly a delimiter divides the text: the share of records with as many fields as the
/// first, in 1/1000, and that number; 0 where the first is not divided at all.
fn evenness(text: &[u8], delimiter: u8, skip_rows: u64, whole: bool) -> (usize, usize) {
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
    match counts.first() {
        Some(&first) if first > 1 => {
            let even = counts.iter().filter(|&&count| count == first).count();
            (even * 1000 / counts.len(), first)
        }
        _ => (0, 0),
    }
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
