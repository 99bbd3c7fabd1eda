//! Named tensors and a manifest in one safetensors file, safe to read from strangers.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use forge_files::WholeFile;
use safetensors::SafeTensorError;
use safetensors::tensor::TensorView;
use serde::Serialize;
use serde::de::{DeserializeOwned, IgnoredAny};

use super::dtype::safetensors_dtype;
use super::envelope::{Envelope, Opened, Ours};
use super::header::{Entry, Fault, HeaderText, LENGTH, MOST_BYTES};
use super::source::Source;
use crate::ForgeError;

/// The one metadata key; a single key keeps the header's bytes reproducible.
const KEY: &str = "volatilityforge";
/// How the checksum looks inside the JSON-in-JSON header, up to its first digit.
const CHECKSUM_PREFIX: &str = r#"\"blake3\":\""#;
const CHECKSUM_DIGITS: usize = 64;
/// Most tensors of a file. Ensembles and the states of optimisers have several per parameter.
const MOST_TENSORS: usize = 100_000;

/// What a kind of file is called and which versions of it this library reads.
#[derive(Debug, Clone, Copy)]
pub struct FileFormat {
    /// Name in the file, such as `volatilityforge.artifact`.
    pub name: &'static str,
    /// The version written, and the newest one read. Versions start at 1.
    pub version: u32,
}

/// A checked file: its manifest, and tensors that are read one at a time.
///
/// Of the file only the header is held, at most 16 MiB of it; nothing else is allocated before the
/// caller has seen the manifest and the names.
pub struct TensorFile<T> {
    path: PathBuf,
    source: Source<'static>,
    data_start: u64,
    entries: Vec<Entry>,
    /// What the writer put in beside the tensors.
    pub manifest: T,
}

impl<T: fmt::Debug> fmt::Debug for TensorFile<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TensorFile")
            .field("path", &self.path)
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

/// What a file of this library says that it is: the name of its [`FileFormat`]. The header alone is
/// looked at; [`TensorFile::open`] checks the file.
///
/// # Errors
/// As [`TensorFile::open`], for a file that is not one of this library.
pub fn format_name(path: impl AsRef<Path>) -> Result<String, ForgeError> {
    let path = path.as_ref();
    let source = Source::open(path).map_err(|e| ForgeError::io(path, e))?;
    let header = self::header(path, &source)?;
    let opened: Opened<IgnoredAny> = envelope(path, &header, "cannot be read")?;
    Ok(opened.format)
}

fn header(path: &Path, source: &Source<'_>) -> Result<HeaderText, ForgeError> {
    HeaderText::read(source).map_err(|fault| match fault {
        Fault::Io(error) => ForgeError::io(path, error),
        Fault::Damaged(reason) => ForgeError::damaged(path, reason),
    })
}

/// What the header holds of ours. `fault` is said of a manifest that is no `T`.
fn envelope<T: DeserializeOwned>(
    path: &Path,
    header: &HeaderText,
    fault: &str,
) -> Result<Opened<T>, ForgeError> {
    let ours: Option<Ours<T>> = header
        .metadata()
        .map_err(|e| ForgeError::artifact(path, format!("its manifest {fault}: {e}")))?;
    ours.and_then(|ours| ours.opened).ok_or_else(|| {
        let reason = format!("has no '{KEY}' entry in its header: not written here");
        ForgeError::damaged(path, reason)
    })
}

impl<T: DeserializeOwned> TensorFile<T> {
    /// Reads and checks `path`: the header's length, the checksum over all bytes, the structure,
    /// format, version, manifest, in that order. The manifest is made into nothing but a `T`.
    ///
    /// # Errors
    /// An I/O error, also for what is not a file (a named pipe is not opened); or an artifact error
    /// saying what is wrong: [damaged](ForgeError::is_damaged) where checksum or structure are.
    /// Never panics, whatever the bytes.
    pub fn open(path: impl AsRef<Path>, format: FileFormat) -> Result<Self, ForgeError> {
        let path = path.as_ref();
        let source = Source::open(path).map_err(|e| ForgeError::io(path, e))?;
        Self::from_source(path, source, format)
    }

    /// [`open`](Self::open) for bytes already in memory; `path` is what errors name.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn from_bytes(
        path: impl AsRef<Path>,
        bytes: Vec<u8>,
        format: FileFormat,
    ) -> Result<Self, ForgeError> {
        Self::from_source(path.as_ref(), Source::Owned(bytes), format)
    }

    fn from_source(
        path: &Path,
        source: Source<'static>,
        format: FileFormat,
    ) -> Result<Self, ForgeError> {
        let damaged = |reason: String| ForgeError::damaged(path, reason);
        let other = |reason: String| ForgeError::artifact(path, reason);
        let header = self::header(path, &source)?;
        let digits = digits_at(&header.text).ok_or_else(|| {
            damaged("has no checksum in its header: damaged, or not written here".into())
        })?;
        let sum = checksum(&source, &header, digits).map_err(|e| ForgeError::io(path, e))?;
        if header.text.get(digits..digits + CHECKSUM_DIGITS) != Some(&sum) {
            return Err(damaged("damaged: the checksum does not match".into()));
        }
        let envelope: Opened<IgnoredAny> = self::envelope(path, &header, "cannot be read")?;
        if envelope.blake3 != sum {
            return Err(damaged("damaged: it has two checksums".into()));
        }
        if envelope.format != format.name {
            let (found, wanted) = (envelope.format, format.name);
            return Err(other(format!("is a '{found}', not a '{wanted}'")));
        }
        if envelope.version == 0 || envelope.version > format.version {
            return Err(other(format!(
                "has version {}, this library reads 1 to {} (it was written by {})",
                envelope.version, format.version, envelope.library
            )));
        }
        let entries = (header.entries(source.len() - header.data_start, MOST_TENSORS))
            .map_err(|e| damaged(format!("not a whole safetensors file: {e}")))?;
        let envelope: Opened<T> = self::envelope(path, &header, "does not fit")?;
        let data_start = header.data_start;
        Ok(Self {
            path: path.into(),
            source,
            data_start,
            entries,
            manifest: envelope.manifest,
        })
    }
}

impl<T> TensorFile<T> {
    /// Writes `tensors` and `manifest` to `path`, [whole or not at all](WholeFile).
    ///
    /// # Errors
    /// An I/O error naming `path`, or what [`to_bytes`](Self::to_bytes) finds; what stood there
    /// before is untouched.
    pub fn write(
        path: impl AsRef<Path>,
        format: FileFormat,
        manifest: &T,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<(), ForgeError>
    where
        T: Serialize,
    {
        let path = path.as_ref();
        let bytes = Self::to_bytes(format, manifest, tensors)?;
        WholeFile::write(path, bytes).map_err(|e| ForgeError::io(path, e))
    }

    /// The bytes that [`write`](Self::write) writes.
    ///
    /// # Errors
    /// A weights error for an element type that safetensors does not have, or for names and
    /// manifest of more than the 16 MiB that are read back.
    pub fn to_bytes(
        format: FileFormat,
        manifest: &T,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<Vec<u8>, ForgeError>
    where
        T: Serialize,
    {
        let fail = |e: &dyn fmt::Display| ForgeError::weights(format!("cannot be written: {e}"));
        let envelope = Envelope {
            format: format.name,
            version: format.version,
            library: env!("CARGO_PKG_VERSION"),
            blake3: &"0".repeat(CHECKSUM_DIGITS),
            manifest,
        };
        let text = serde_json::to_string(&envelope).map_err(|e| fail(&e))?;
        let views = tensors
            .iter()
            .map(|(name, data)| Ok((name, view(name, data)?)))
            .collect::<Result<Vec<_>, ForgeError>>()?;
        let info = HashMap::from([(KEY.to_string(), text)]);
        let bytes =
            safetensors::serialize(views, Some(info)).map_err(|e: SafeTensorError| fail(&e))?;
        let mut source = Source::Owned(bytes);
        let header = HeaderText::read(&source).map_err(|fault| match fault {
            Fault::Io(error) => fail(&error),
            Fault::Damaged(_) => fail(&format!(
                "names, labels and settings take more than the {MOST_BYTES} bytes that are read \
                 back; a lower max_categories makes them fewer"
            )),
        })?;
        let digits = digits_at(&header.text).ok_or_else(|| fail(&"no checksum"))?;
        let sum = checksum(&source, &header, digits).map_err(|e| fail(&e))?;
        let Source::Owned(bytes) = &mut source else {
            return Err(fail(&"no bytes"));
        };
        let at = LENGTH + digits;
        bytes[at..at + CHECKSUM_DIGITS].copy_from_slice(sum.as_bytes());
        Ok(std::mem::take(bytes))
    }

    /// The manifest, and the file without it.
    #[must_use]
    pub fn into_parts(self) -> (T, TensorFile<()>) {
        let file = TensorFile {
            path: self.path,
            source: self.source,
            data_start: self.data_start,
            entries: self.entries,
            manifest: (),
        };
        (self.manifest, file)
    }

    /// The names of all tensors, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| &*entry.name)
    }

    /// How many values the tensors have whose names begin with `prefix`, by the header alone.
    #[must_use]
    pub fn values_under(&self, prefix: &str) -> u64 {
        let under = self.under(prefix).iter();
        under.map(Entry::values).fold(0, u64::saturating_add)
    }

    /// Reads the tensors whose names begin with `prefix`, by the rest of their names.
    ///
    /// # Errors
    /// An I/O error.
    pub fn tensors(&self, prefix: &str) -> Result<BTreeMap<String, TensorData>, ForgeError> {
        let mut found = BTreeMap::new();
        for entry in self.under(prefix) {
            let data = entry
                .read(&self.source, self.data_start)
                .map_err(|e| ForgeError::io(&self.path, e))?;
            found.insert(entry.name[prefix.len()..].to_string(), data);
        }
        Ok(found)
    }

    /// An error about this file.
    #[must_use]
    pub fn error(&self, reason: impl fmt::Display) -> ForgeError {
        ForgeError::artifact(&self.path, reason)
    }

    /// The entries are in the order of their names, so that these are side by side.
    fn under(&self, prefix: &str) -> &[Entry] {
        let from = self.entries.partition_point(|entry| &*entry.name < prefix);
        let under = &self.entries[from..];
        let n = under.partition_point(|entry| entry.name.starts_with(prefix));
        &under[..n]
    }
}

/// Where the checksum's digits stand in the header's text. The envelope comes before the manifest,
/// so the first match is the envelope's even if a manifest has a field of this name.
fn digits_at(text: &str) -> Option<usize> {
    let at = text.find(CHECKSUM_PREFIX)? + CHECKSUM_PREFIX.len();
    text.is_char_boundary(at + CHECKSUM_DIGITS).then_some(at)
}

/// The hash of all bytes, with zeros for the digits at `digits`.
fn checksum(source: &Source<'_>, header: &HeaderText, digits: usize) -> std::io::Result<String> {
    let text = header.text.as_bytes();
    let mut hasher = blake3::Hasher::new();
    hasher.update(&(text.len() as u64).to_le_bytes());
    hasher.update(&text[..digits]);
    hasher.update(&[b'0'; CHECKSUM_DIGITS]);
    hasher.update(&text[digits + CHECKSUM_DIGITS..]);
    source.each_block(header.data_start, |block| {
        hasher.update(block);
    })?;
    Ok(hasher.finalize().to_hex().to_string())
}

fn view<'a>(name: &str, data: &'a TensorData) -> Result<TensorView<'a>, ForgeError> {
    let dtype = safetensors_dtype(data.dtype()).ok_or_else(|| {
        ForgeError::weights(format!(
            "{name}: safetensors has no element type {:?}",
            data.dtype()
        ))
    })?;
    TensorView::new(dtype, data.shape().to_vec(), data.as_bytes())
        .map_err(|e| ForgeError::weights(format!("{name}: {e}")))
}
