//! Named tensors and a manifest in one safetensors file, safe to read from strangers.

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use burn::tensor::{Bytes, DType, TensorData};
use safetensors::tensor::{Metadata, SafeTensors, TensorView};
use safetensors::{Dtype, SafeTensorError};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::ForgeError;

/// The one metadata key; a single key keeps the header's bytes reproducible.
const KEY: &str = "volatilityforge";
/// How the checksum looks inside the JSON-in-JSON header, up to its first digit.
const CHECKSUM_PREFIX: &[u8] = br#"\"blake3\":\""#;
const CHECKSUM_DIGITS: usize = 64;

/// What stands before a file's own manifest. `blake3` covers every byte of the file, read with
/// its own digits as zeros.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Envelope<T> {
    format: String,
    version: u32,
    library: String,
    blake3: String,
    manifest: T,
}

/// What a kind of file is called and which versions of it this library reads.
#[derive(Debug, Clone, Copy)]
pub struct FileFormat {
    /// Name in the file, such as `volatilityforge.artifact`.
    pub name: &'static str,
    /// The version written, and the newest one read. Versions start at 1.
    pub version: u32,
}

/// A checked file in memory: its manifest, and tensors that are copied out one at a time.
///
/// The file is held once; nothing else is allocated before the caller has seen the manifest and
/// the [shapes](Self::shapes).
pub struct TensorFile<T> {
    path: PathBuf,
    bytes: Vec<u8>,
    data_start: usize,
    header: Metadata,
    /// What the writer put in beside the tensors.
    pub manifest: T,
}

impl<T: std::fmt::Debug> std::fmt::Debug for TensorFile<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TensorFile")
            .field("path", &self.path)
            .field("manifest", &self.manifest)
            .finish_non_exhaustive()
    }
}

impl<T: DeserializeOwned> TensorFile<T> {
    /// Reads and checks `path`: structure, checksum, format, version, manifest, in that order.
    ///
    /// # Errors
    /// An I/O error, or an artifact error saying what is wrong with the file. Never panics,
    /// whatever the bytes; allocates at most the file's size and its header once more.
    pub fn open(path: impl AsRef<Path>, format: FileFormat) -> Result<Self, ForgeError> {
        let path = path.as_ref();
        let bytes = std::fs::read(path).map_err(|e| ForgeError::io(path, e))?;
        Self::from_bytes(path, bytes, format)
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
        let path = path.as_ref();
        let bad = |reason: String| ForgeError::artifact(path, reason);
        let (header_len, header) = SafeTensors::read_metadata(&bytes)
            .map_err(|e| bad(format!("not a whole safetensors file: {e}")))?;
        let text = header
            .metadata()
            .as_ref()
            .and_then(|m| m.get(KEY))
            .ok_or_else(|| {
                bad(format!(
                    "has no '{KEY}' entry in its header: not written here"
                ))
            })?;
        let envelope: Envelope<serde_json::Value> = serde_json::from_str(text)
            .map_err(|e| bad(format!("its manifest cannot be read: {e}")))?;
        let sum = checksum(&bytes, header_len + 8);
        if sum.as_deref() != Some(envelope.blake3.as_str()) {
            return Err(bad("damaged: the checksum does not match".into()));
        }
        if envelope.format != format.name {
            return Err(bad(format!(
                "is a '{}', not a '{}'",
                envelope.format, format.name
            )));
        }
        if envelope.version == 0 || envelope.version > format.version {
            return Err(bad(format!(
                "has version {}, this library reads 1 to {} (it was written by {})",
                envelope.version, format.version, envelope.library
            )));
        }
        let manifest = serde_json::from_value(envelope.manifest)
            .map_err(|e| bad(format!("its manifest does not fit: {e}")))?;
        Ok(Self {
            path: path.into(),
            data_start: header_len + 8,
            bytes,
            header,
            manifest,
        })
    }
}

impl<T> TensorFile<T> {
    /// Writes `tensors` and `manifest` to `path`, whole or not at all: a scratch file beside it is
    /// synced and renamed over it.
    ///
    /// # Errors
    /// An I/O error naming `path`; what stood there before is untouched.
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
        let fail = |e: burn_pack::Error| ForgeError::io(path, std::io::Error::other(e.to_string()));
        let (scratch, mut file) = burn_pack::AtomicFile::create(path).map_err(fail)?;
        file.write_all(&bytes)
            .and_then(|()| file.sync_all())
            .map_err(|e| ForgeError::io(path, e))?;
        drop(file);
        scratch.commit().map_err(fail)
    }

    /// The bytes that [`write`](Self::write) writes.
    ///
    /// # Errors
    /// A weights error for an element type that safetensors does not have.
    pub fn to_bytes(
        format: FileFormat,
        manifest: &T,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<Vec<u8>, ForgeError>
    where
        T: Serialize,
    {
        let fail =
            |e: &dyn std::fmt::Display| ForgeError::weights(format!("cannot be written: {e}"));
        let envelope = Envelope {
            format: format.name.into(),
            version: format.version,
            library: env!("CARGO_PKG_VERSION").into(),
            blake3: "0".repeat(CHECKSUM_DIGITS),
            manifest,
        };
        let text = serde_json::to_string(&envelope).map_err(|e| fail(&e))?;
        let views = tensors
            .iter()
            .map(|(name, data)| Ok((name, view(name, data)?)))
            .collect::<Result<Vec<_>, ForgeError>>()?;
        let info = HashMap::from([(KEY.to_string(), text)]);
        let mut bytes =
            safetensors::serialize(views, Some(info)).map_err(|e: SafeTensorError| fail(&e))?;
        let header_len = u64::from_le_bytes(bytes[..8].try_into().unwrap_or_default());
        let data_start = usize::try_from(header_len).unwrap_or(0) + 8;
        if let (Some(at), Some(sum)) = (
            checksum_at(&bytes, data_start),
            checksum(&bytes, data_start),
        ) {
            bytes[at..at + CHECKSUM_DIGITS].copy_from_slice(sum.as_bytes());
        }
        Ok(bytes)
    }

    /// Name and shape of every tensor, from the header alone.
    #[must_use]
    pub fn shapes(&self) -> BTreeMap<String, Vec<usize>> {
        let tensors = self.header.tensors();
        tensors
            .into_iter()
            .map(|(name, info)| (name, info.shape.clone()))
            .collect()
    }

    /// Copies out the tensors whose names begin with `prefix`, by the rest of their names.
    ///
    /// # Errors
    /// An artifact error for an element type that Burn does not have.
    pub fn tensors(&self, prefix: &str) -> Result<BTreeMap<String, TensorData>, ForgeError> {
        let mut found = BTreeMap::new();
        for (name, info) in self.header.tensors() {
            let Some(rest) = name.strip_prefix(prefix) else {
                continue;
            };
            let (start, end) = info.data_offsets;
            let dtype = burn_dtype(info.dtype).ok_or_else(|| {
                ForgeError::artifact(
                    &self.path,
                    format!("{name}: no element type {:?}", info.dtype),
                )
            })?;
            let bytes = self.bytes[self.data_start + start..self.data_start + end].to_vec();
            let data =
                TensorData::from_bytes(Bytes::from_bytes_vec(bytes), info.shape.clone(), dtype);
            found.insert(rest.to_string(), data);
        }
        Ok(found)
    }

    /// An error about this file.
    #[must_use]
    pub fn error(&self, reason: impl std::fmt::Display) -> ForgeError {
        ForgeError::artifact(&self.path, reason)
    }
}

/// Where the checksum's digits stand. The envelope comes before the manifest, so the first match
/// is the envelope's even if a manifest has a field of this name.
fn checksum_at(bytes: &[u8], data_start: usize) -> Option<usize> {
    let header = bytes.get(..data_start)?;
    let at = header
        .windows(CHECKSUM_PREFIX.len())
        .position(|window| window == CHECKSUM_PREFIX)?;
    let digits = at + CHECKSUM_PREFIX.len();
    (digits + CHECKSUM_DIGITS <= data_start).then_some(digits)
}

fn checksum(bytes: &[u8], data_start: usize) -> Option<String> {
    let at = checksum_at(bytes, data_start)?;
    let mut hasher = blake3::Hasher::new();
    hasher.update(&bytes[..at]);
    hasher.update(&[b'0'; CHECKSUM_DIGITS]);
    hasher.update(&bytes[at + CHECKSUM_DIGITS..]);
    Some(hasher.finalize().to_hex().to_string())
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

/// The element types that both sides have, written once for both directions.
const DTYPES: [(DType, Dtype); 12] = [
    (DType::F64, Dtype::F64),
    (DType::F32, Dtype::F32),
    (DType::F16, Dtype::F16),
    (DType::BF16, Dtype::BF16),
    (DType::I64, Dtype::I64),
    (DType::I32, Dtype::I32),
    (DType::I16, Dtype::I16),
    (DType::I8, Dtype::I8),
    (DType::U64, Dtype::U64),
    (DType::U32, Dtype::U32),
    (DType::U16, Dtype::U16),
    (DType::U8, Dtype::U8),
];

fn safetensors_dtype(dtype: DType) -> Option<Dtype> {
    DTYPES
        .iter()
        .find(|(ours, _)| *ours == dtype)
        .map(|(_, theirs)| *theirs)
}

pub(super) fn burn_dtype(dtype: Dtype) -> Option<DType> {
    DTYPES
        .iter()
        .find(|(_, theirs)| *theirs == dtype)
        .map(|(ours, _)| *ours)
}
