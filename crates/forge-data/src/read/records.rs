//! A stream of text becomes records, with lines and bytes counted.

use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::path::Path;

use csv_core::{ReadRecordResult, Reader};

use super::compression::Compression;
use crate::DataError;

/// Where a text comes from; opened as often as it is read.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Input<'a> {
    File(&'a Path),
    Bytes(&'a [u8]),
}

const BUFFER: usize = 1 << 17;
/// The most fields of a record, and the most bytes: beyond, the file is no table, or a quotation
/// mark is not closed, and memory would run out before the end of it.
const MAX_FIELDS: usize = 1 << 17;
const MAX_BYTES: usize = 1 << 26;

impl<'a> Input<'a> {
    /// The text, unpacked if it is compressed.
    pub(crate) fn open(&self) -> io::Result<Box<dyn BufRead + 'a>> {
        let (stream, compression) = self.raw()?;
        Ok(match compression {
            Some(compression) => compression.unpack(stream),
            None => stream,
        })
    }

    /// How the text is compressed, if it is.
    pub(crate) fn compression(&self) -> io::Result<Option<Compression>> {
        Ok(self.raw()?.1)
    }

    fn raw(&self) -> io::Result<(Box<dyn BufRead + 'a>, Option<Compression>)> {
        let mut stream: Box<dyn BufRead + 'a> = match self {
            Self::File(path) => Box::new(BufReader::with_capacity(BUFFER, File::open(path)?)),
            Self::Bytes(bytes) => Box::new(*bytes),
        };
        let compression = Compression::of(stream.fill_buf()?);
        Ok((stream, compression))
    }

    pub(crate) fn error(&self, error: io::Error) -> DataError {
        match self {
            _ if matches!(
                error.kind(),
                io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof
            ) =>
            {
                DataError::parse(error)
            }
            Self::File(path) => DataError::io(path, error),
            Self::Bytes(_) => DataError::parse(format!("cannot read: {error}")),
        }
    }
}

/// One record's raw place in the file.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Place {
    /// The line it starts on, from 1.
    pub(crate) line: u64,
    /// The byte it starts at, and the bytes it takes.
    pub(crate) start: u64,
    pub(crate) bytes: u64,
}

/// Splits a stream into records and keeps count of lines and bytes, blank lines included.
pub(crate) struct Records<'a> {
    stream: Box<dyn BufRead + 'a>,
    core: Reader,
    pub(crate) fields: Vec<u8>,
    pub(crate) ends: Vec<usize>,
    pub(crate) place: Place,
    line: u64,
    pub(crate) byte: u64,
    /// Whether the last line ended in CR, so that an LF belongs to it.
    after_cr: bool,
    pub(crate) blank_lines: u64,
    pub(crate) at_end: bool,
}

impl<'a> Records<'a> {
    pub(crate) fn new(stream: Box<dyn BufRead + 'a>, delimiter: u8) -> Self {
        Self {
            stream,
            core: csv_core::ReaderBuilder::new().delimiter(delimiter).build(),
            fields: vec![0; 1024],
            ends: vec![0; 64],
            place: Place::default(),
            line: 1,
            byte: 0,
            after_cr: false,
            blank_lines: 0,
            at_end: false,
        }
    }

    /// Passes over line ends before a record.
    fn skip_blank_lines(&mut self) -> io::Result<()> {
        loop {
            let buffer = self.stream.fill_buf()?;
            let Some(&byte) = buffer.first() else {
                return Ok(());
            };
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.blank_lines += 1;
                    self.line += 1;
                    self.after_cr = byte == b'\r';
                }
                _ => return Ok(()),
            }
            self.stream.consume(1);
            self.byte += 1;
        }
    }

    /// Reads a record into `fields` and `ends`; the number of fields, or `None` at the end.
    pub(crate) fn next(&mut self) -> io::Result<Option<usize>> {
        self.skip_blank_lines()?;
        self.place = Place {
            line: self.line,
            start: self.byte,
            bytes: 0,
        };
        let (mut filled, mut count) = (0, 0);
        let mut last = None;
        loop {
            let buffer = self.stream.fill_buf()?;
            self.at_end = buffer.is_empty();
            let (result, taken, written, ended) =
                self.core
                    .read_record(buffer, &mut self.fields[filled..], &mut self.ends[count..]);
            let raw = &buffer[..taken];
            self.line += raw.iter().filter(|&&b| b == b'\n').count() as u64;
            last = raw.last().copied().or(last);
            self.stream.consume(taken);
            self.byte += taken as u64;
            filled += written;
            count += ended;
            match result {
                ReadRecordResult::InputEmpty => {}
                ReadRecordResult::OutputFull if self.fields.len() < MAX_BYTES => {
                    self.fields.resize(self.fields.len() * 2, 0);
                }
                ReadRecordResult::OutputEndsFull if self.ends.len() < MAX_FIELDS => {
                    self.ends.resize(self.ends.len() * 2, 0);
                }
                ReadRecordResult::OutputFull | ReadRecordResult::OutputEndsFull => {
                    return Err(io::Error::new(
                        io::ErrorKind::InvalidData,
                        format!(
                            "the record that starts in line {} has more than {MAX_BYTES} bytes or \
                             {MAX_FIELDS} fields; is a quotation mark not closed?",
                            self.place.line
                        ),
                    ));
                }
                ReadRecordResult::Record => break,
                ReadRecordResult::End => return Ok(None),
            }
        }
        self.after_cr = last == Some(b'\r') && !self.at_end;
        self.line += u64::from(self.after_cr);
        self.place.bytes = self.byte - self.place.start;
        Ok(Some(count))
    }

    pub(crate) fn field_bytes(&self, i: usize) -> &[u8] {
        let from = if i == 0 { 0 } else { self.ends[i - 1] };
        &self.fields[from..self.ends[i]]
    }
}
