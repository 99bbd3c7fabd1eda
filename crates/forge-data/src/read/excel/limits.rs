//! What a workbook becomes in memory, reckoned before anything of it is made.

use std::fs::File;
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use quick_xml::Reader;
use quick_xml::events::{BytesStart, Event};

use super::merged::Region;
use super::{ods, xls};
use crate::DataError;

/// What looking into a workbook found on the way.
#[derive(Debug, Default)]
pub(super) struct Inside {
    /// The merged cells of each sheet, where the file is read here and not by the reader.
    pub(super) merged: Vec<(String, Vec<Region>)>,
}

/// Bytes that a workbook may yet take.
#[derive(Debug)]
pub(super) struct Allowance {
    limit: u64,
    left: u64,
}

impl Allowance {
    pub(super) fn new(limit: u64) -> Self {
        Self { limit, left: limit }
    }

    /// Takes bytes for a part of the workbook.
    pub(super) fn take(&mut self, bytes: u64, part: &str) -> Result<(), DataError> {
        match self.left.checked_sub(bytes) {
            Some(left) => {
                self.left = left;
                Ok(())
            }
            None => Err(DataError::value(format!(
                "the workbook unpacks to more than {} bytes (in its part '{part}'); raise \
                 `max_unpacked_bytes` if you trust it",
                self.limit
            ))),
        }
    }
}

/// Looks through a workbook: unpacks the parts of a zipped one into nothing, since the sizes that
/// an archive states need not be true, and adds up what its texts, styles and cells will take.
pub(super) fn check(path: &Path, limit: u64) -> Result<Inside, DataError> {
    let mut file = BufReader::new(File::open(path).map_err(|e| DataError::io(path, e))?);
    let mut allowance = Allowance::new(limit);
    let start = file.fill_buf().map_err(|e| DataError::io(path, e))?;
    if start.starts_with(b"\xd0\xcf\x11\xe0") {
        xls::check(file, &mut allowance)?;
        return Ok(Inside::default());
    }
    if !start.starts_with(b"PK") {
        return match start {
            [] => Err(DataError::parse("the file is empty")),
            [b'<', ..] => Err(DataError::unsupported(
                "the file is no workbook but a page of HTML or XML with the name of one; open it \
                 in a spreadsheet and save it as .xlsx",
            )),
            _ if std::str::from_utf8(&start[..start.len().min(64)]).is_ok() => {
                Err(DataError::unsupported(
                    "the file is no workbook but text, perhaps CSV; set `format` to `csv`, or name \
                     it .csv",
                ))
            }
            _ => Ok(Inside::default()),
        };
    }
    let mut archive = zip::ZipArchive::new(file).map_err(|e| broken(&e))?;
    let mut inside = Inside::default();
    for i in 0..archive.len() {
        let part = archive.by_index(i).map_err(|e| broken(&e))?;
        let name = part
            .name()
            .map_or_else(|_| i.to_string(), |name| name.into_owned());
        let kind = Kind::of(&name);
        let mut part = Counted {
            inner: BufReader::new(part.take(allowance.left.saturating_add(1))),
            read: 0,
        };
        match kind {
            Kind::Streamed => {
                io::copy(&mut part, &mut io::sink()).map_err(|e| broken(&e))?;
            }
            Kind::Held => held(&mut part, &mut allowance, &name)?,
            Kind::Ods => inside.merged = ods::check(&mut part, &mut allowance)?,
        }
        // What is left of a part that ended early is not looked at by anyone.
        allowance.take(part.read, &name)?;
    }
    Ok(inside)
}

pub(super) fn broken(error: &dyn std::fmt::Display) -> DataError {
    DataError::parse(format!("not a readable workbook: {error}"))
}

/// How a part of a workbook is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// From its start to its end, or not at all.
    Streamed,
    /// Into memory: texts, styles and lists of sheets.
    Held,
    /// The sheets of an OpenDocument file, into memory.
    Ods,
}

impl Kind {
    fn of(name: &str) -> Self {
        let name = name.to_ascii_lowercase();
        let file = name.rsplit(['/', '\\']).next().unwrap_or_default();
        match file {
            "content.xml" => Self::Ods,
            "sharedstrings.xml" | "styles.xml" | "workbook.xml" => Self::Held,
            _ if file.ends_with(".rels") => Self::Held,
            _ => Self::Streamed,
        }
    }
}

/// Adds up what the elements of a part take once they are made: an empty text of 5 letters in the
/// file is 24 bytes and more in memory, a style of 5 letters hundreds.
fn held(part: &mut impl BufRead, allowance: &mut Allowance, name: &str) -> Result<(), DataError> {
    each_element(part, |element| {
        let bytes = match element.local_name().as_ref() {
            "si" => 64,
            "xf" => 1024,
            "font" | "fill" | "border" | "numFmt" => 256,
            "sheet" | "definedName" | "Relationship" => 256,
            "sst" => {
                let stated = element.try_get_attribute("uniqueCount").ok().flatten();
                let stated = stated.and_then(|attribute| attribute.value.parse::<u64>().ok());
                // Reserved before the first text is read.
                return allowance.take(stated.unwrap_or(0).saturating_mul(24), name);
            }
            _ => return Ok(()),
        };
        allowance.take(bytes, name)
    })
}

/// Calls `visit` with the start of each element.
fn each_element(
    part: &mut impl BufRead,
    mut visit: impl FnMut(&BytesStart<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let mut reader = xml(part);
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        match reader.read_event_into(&mut buffer) {
            Ok(Event::Start(element)) => visit(&element)?,
            Ok(Event::Eof) => return Ok(()),
            Ok(_) => {}
            Err(e) => return Err(broken(&e)),
        }
    }
}

/// A reader of XML that sees what the reader of the workbook will see.
pub(super) fn xml<R: BufRead>(part: R) -> Reader<R> {
    let mut reader = Reader::from_reader(part);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.check_comments = false;
    config.expand_empty_elements = true;
    reader
}

/// A stream that counts what was taken from it.
struct Counted<R> {
    inner: R,
    read: u64,
}

impl<R: BufRead> Read for Counted<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(out)?;
        self.read += count as u64;
        Ok(count)
    }
}

impl<R: BufRead> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.inner.fill_buf()
    }

    fn consume(&mut self, count: usize) {
        self.read += count as u64;
        self.inner.consume(count);
    }
}
