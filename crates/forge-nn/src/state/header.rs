//! The header of a safetensors file, read without trusting it.
//!
//! The crate `safetensors` keeps names, shapes and places in several maps, which a hostile header
//! of small entries makes many times larger than itself. Here each entry takes about the room that
//! it takes in the text.

use std::fmt;
use std::io;

use burn::tensor::{Bytes, TensorData};
use safetensors::Dtype;
use serde::Deserialize;
use serde::de::{DeserializeOwned, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::dtype::burn_dtype;
use super::source::Source;

/// Largest header that is read or written. A model of a million long labels stays below it.
pub(super) const MOST_BYTES: usize = 16 << 20;
/// Most axes of a tensor.
const MOST_AXES: usize = 8;
/// The entry that is no tensor.
const METADATA: &str = "__metadata__";
/// Bytes of the header's length, which comes first.
pub(super) const LENGTH: usize = 8;

/// What is wrong with a header, or with reading it.
pub(super) enum Fault {
    Io(io::Error),
    Damaged(String),
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

/// A header's text and where the data begin.
pub(super) struct HeaderText {
    pub(super) text: String,
    pub(super) data_start: u64,
}

impl HeaderText {
    /// Reads no more than the text, and that only if the file is long enough for it.
    pub(super) fn read(source: &Source<'_>) -> Result<Self, Fault> {
        let damaged =
            |what: String| Fault::Damaged(format!("not a whole safetensors file: {what}"));
        if source.len() < LENGTH as u64 {
            return Err(damaged(format!("{} bytes", source.len())));
        }
        let length: [u8; LENGTH] = (source.read(0, LENGTH)?.try_into())
            .map_err(|_| damaged("no length of a header".into()))?;
        let length = u64::from_le_bytes(length);
        if length > MOST_BYTES as u64 {
            return Err(damaged(format!(
                "its header is {length} bytes long, at most {MOST_BYTES} are read"
            )));
        }
        let data_start = LENGTH as u64 + length;
        if data_start > source.len() {
            return Err(damaged(format!(
                "its header is {length} bytes long, the file {}",
                source.len()
            )));
        }
        let text = source.read(LENGTH as u64, length as usize)?;
        let text = String::from_utf8(text).map_err(|e| damaged(format!("its header: {e}")))?;
        Ok(Self { text, data_start })
    }

    /// The metadata, as far as `T` wants to know; `None` where there are none.
    pub(super) fn metadata<T: DeserializeOwned>(&self) -> Result<Option<T>, String> {
        #[derive(Deserialize)]
        struct Outer<T> {
            #[serde(rename = "__metadata__")]
            metadata: Option<T>,
        }
        let outer: Outer<T> = serde_json::from_str(&self.text).map_err(|e| e.to_string())?;
        Ok(outer.metadata)
    }

    /// The tensors of a file of which `data_len` bytes follow the header, if they are at most
    /// `most`: what a caller makes of each is larger than its entry.
    pub(super) fn entries(&self, data_len: u64, most: usize) -> Result<Vec<Entry>, String> {
        let entries = read_entries(&self.text, most)?;
        check_places(entries, data_len)
    }
}

/// One tensor.
pub(super) struct Entry {
    pub(super) name: Box<str>,
    /// Burn's own is larger.
    dtype: Dtype,
    axes: u8,
    shape: [u32; MOST_AXES],
    /// From the start of the data.
    start: u64,
}

impl Entry {
    fn shape(&self) -> &[u32] {
        &self.shape[..usize::from(self.axes)]
    }

    /// Values in it; `None` if they are too many to count.
    fn counted(&self) -> Option<u64> {
        let mut shape = self.shape().iter();
        shape.try_fold(1_u64, |n, axis| n.checked_mul(u64::from(*axis)))
    }

    /// Bytes of its data; `None` if they are too many to count or Burn has no such type.
    fn bytes(&self) -> Option<u64> {
        let size = burn_dtype(self.dtype)?.size() as u64;
        self.counted()?.checked_mul(size)
    }

    /// Values in it.
    pub(super) fn values(&self) -> u64 {
        self.counted().unwrap_or(u64::MAX)
    }

    /// Copies it out of a file whose data begin at `data_start`.
    pub(super) fn read(&self, source: &Source<'_>, data_start: u64) -> io::Result<TensorData> {
        let dtype = burn_dtype(self.dtype).ok_or(io::ErrorKind::InvalidData)?;
        let bytes = self.bytes().and_then(|bytes| usize::try_from(bytes).ok());
        let bytes = source.read(data_start + self.start, bytes.unwrap_or(usize::MAX))?;
        let shape: Vec<usize> = self.shape().iter().map(|n| *n as usize).collect();
        Ok(TensorData::from_bytes(
            Bytes::from_bytes_vec(bytes),
            shape,
            dtype,
        ))
    }
}

/// In the order of their names, each once, their data side by side and nothing between, before or
/// behind them.
fn check_places(mut entries: Vec<Entry>, data_len: u64) -> Result<Vec<Entry>, String> {
    entries.sort_unstable_by_key(|entry| (entry.start, entry.bytes()));
    let mut next: u64 = 0;
    for entry in &entries {
        let name = &entry.name;
        if entry.start != next {
            return Err(format!("{name} is not where the tensor before it ends"));
        }
        let end = entry.bytes().and_then(|bytes| next.checked_add(bytes));
        next = end.ok_or_else(|| format!("{name} of shape {:?} is too large", entry.shape()))?;
    }
    if next != data_len {
        return Err(format!("{next} bytes of tensors in {data_len} of data"));
    }
    entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
    match entries.windows(2).find(|pair| pair[0].name == pair[1].name) {
        Some(pair) => Err(format!("{} is there twice", pair[0].name)),
        None => Ok(entries),
    }
}

/// Counts first, so that the list never has to grow.
fn read_entries(text: &str, most: usize) -> Result<Vec<Entry>, String> {
    let read = |fill: Entries| -> Result<Entries, serde_json::Error> {
        let mut json = serde_json::Deserializer::from_str(text);
        let entries = json.deserialize_map(fill)?;
        json.end()?;
        Ok(entries)
    };
    let counted = read(Entries::Count(0)).map_err(|e| e.to_string())?;
    let Entries::Count(n) = counted else {
        return Err("no entries".into());
    };
    if n > most {
        return Err(format!("{n} tensors, at most {most} are read"));
    }
    match read(Entries::List(Vec::with_capacity(n))) {
        Ok(Entries::List(entries)) => Ok(entries),
        Ok(Entries::Count(_)) => Err("no entries".into()),
        Err(error) => Err(error.to_string()),
    }
}

/// Goes through the header and counts the tensors, or lists them.
enum Entries {
    Count(usize),
    List(Vec<Entry>),
}

impl<'de> Visitor<'de> for Entries {
    type Value = Self;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("tensors by name")
    }

    fn visit_map<A: MapAccess<'de>>(mut self, mut map: A) -> Result<Self, A::Error> {
        while let Some(name) = map.next_key::<Box<str>>()? {
            if &*name == METADATA {
                map.next_value::<IgnoredAny>()?;
                continue;
            }
            match &mut self {
                Self::Count(n) => {
                    map.next_value::<IgnoredAny>()?;
                    *n += 1;
                }
                Self::List(entries) => {
                    let info: Info = map.next_value()?;
                    let entry = Entry {
                        name,
                        dtype: info.dtype,
                        axes: info.shape.axes,
                        shape: info.shape.sizes,
                        start: info.data_offsets.0,
                    };
                    let refuse = |what: &dyn fmt::Display| {
                        Err(serde::de::Error::custom(format!("{}: {what}", entry.name)))
                    };
                    if burn_dtype(entry.dtype).is_none() {
                        return refuse(&format!("no element type {:?}", entry.dtype));
                    }
                    let bytes = entry.bytes();
                    if bytes.is_none() || bytes != info.data_offsets.1.checked_sub(entry.start) {
                        let (start, end) = info.data_offsets;
                        return refuse(&format!(
                            "from {start} to {end} for shape {:?}",
                            entry.shape()
                        ));
                    }
                    entries.push(entry);
                }
            }
        }
        Ok(self)
    }
}

#[derive(Deserialize)]
struct Info {
    dtype: Dtype,
    shape: Shape,
    data_offsets: (u64, u64),
}

struct Shape {
    axes: u8,
    sizes: [u32; MOST_AXES],
}

impl<'de> Deserialize<'de> for Shape {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Axes;
        impl<'de> Visitor<'de> for Axes {
            type Value = Shape;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(
                    f,
                    "a shape of at most {MOST_AXES} axes of at most {} each",
                    u32::MAX
                )
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut axes: A) -> Result<Shape, A::Error> {
                let mut shape = Shape {
                    axes: 0,
                    sizes: [0; MOST_AXES],
                };
                while let Some(size) = axes.next_element::<u32>()? {
                    let at = usize::from(shape.axes);
                    let Some(place) = shape.sizes.get_mut(at) else {
                        return Err(serde::de::Error::invalid_length(at + 1, &self));
                    };
                    *place = size;
                    shape.axes += 1;
                }
                Ok(shape)
            }
        }
        deserializer.deserialize_seq(Axes)
    }
}
