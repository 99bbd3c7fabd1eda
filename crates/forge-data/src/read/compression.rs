//! Compressed text, unpacked while it is read.

use std::fmt::{self, Display};
use std::io::{self, BufRead, BufReader, Read};

use flate2::bufread::MultiGzDecoder;
use ruzstd::decoding::{FrameDecoder, StreamingDecoder};

/// How a text is compressed. Told by its first bytes, so a name may say what it likes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compression {
    Gzip,
    Zstd,
}

const BUFFER: usize = 1 << 17;

impl Compression {
    /// What the first bytes of a file say.
    pub(crate) fn of(start: &[u8]) -> Option<Self> {
        if start.starts_with(b"\x1f\x8b") {
            Some(Self::Gzip)
        } else if starts_frame(start) {
            Some(Self::Zstd)
        } else {
            None
        }
    }

    /// The text. Memory for it does not grow with what it unpacks to.
    pub(crate) fn unpack<'a>(self, stream: Box<dyn BufRead + 'a>) -> Box<dyn BufRead + 'a> {
        let text: Box<dyn Read + 'a> = match self {
            Self::Gzip => Box::new(MultiGzDecoder::new(stream)),
            Self::Zstd => Box::new(Frames {
                state: State::Between(stream),
            }),
        };
        let text = Named { text, by: self };
        Box::new(BufReader::with_capacity(BUFFER, text))
    }
}

impl Display for Compression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Gzip => "gzip",
            Self::Zstd => "zstd",
        })
    }
}

/// Whether a Zstandard frame, or one to skip, starts here.
fn starts_frame(start: &[u8]) -> bool {
    start.starts_with(b"\x28\xb5\x2f\xfd") || matches!(start, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..])
}

/// Says in errors that the text was compressed.
struct Named<R> {
    text: R,
    by: Compression,
}

impl<R: Read> Read for Named<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        self.text.read(out).map_err(|error| match error.kind() {
            io::ErrorKind::Interrupted => error,
            _ => io::Error::new(
                io::ErrorKind::InvalidData,
                format!("the {} file is damaged or cut off: {error}", self.by),
            ),
        })
    }
}

type Stream<'a> = Box<dyn BufRead + 'a>;

/// The frames of a Zstandard file one after the other, as parallel writers leave them.
struct Frames<'a> {
    state: State<'a>,
}

enum State<'a> {
    Between(Stream<'a>),
    Within(Box<StreamingDecoder<Stream<'a>, FrameDecoder>>),
    Done,
}

impl Read for Frames<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            self.state = match std::mem::replace(&mut self.state, State::Done) {
                State::Done => return Ok(0),
                State::Between(mut stream) => match stream.fill_buf()?.first() {
                    None => State::Done,
                    Some(0x50..=0x5f) => {
                        skip(&mut stream)?;
                        State::Between(stream)
                    }
                    Some(_) => {
                        let decoder = StreamingDecoder::new(stream).map_err(io::Error::other)?;
                        State::Within(Box::new(decoder))
                    }
                },
                State::Within(mut decoder) => {
                    let count = decoder.read(out)?;
                    if count > 0 || out.is_empty() {
                        self.state = State::Within(decoder);
                        return Ok(count);
                    }
                    State::Between(decoder.into_inner())
                }
            };
        }
    }
}

/// Passes over a frame that holds no text.
fn skip(stream: &mut Stream<'_>) -> io::Result<()> {
    let mut head = [0; 8];
    stream.read_exact(&mut head)?;
    if !starts_frame(&head) {
        return Err(io::Error::other("no frame begins where one should"));
    }
    let length = u32::from_le_bytes([head[4], head[5], head[6], head[7]]);
    io::copy(&mut stream.take(length.into()), &mut io::sink())?;
    Ok(())
}
