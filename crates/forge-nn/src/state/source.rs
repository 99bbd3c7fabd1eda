//! Where the bytes of a tensor file are.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;
use std::sync::Mutex;

/// Bytes read at a time where all of a file is gone through.
const BLOCK: usize = 1 << 16;

/// A file that is read piece by piece, or bytes in memory.
pub(super) enum Source<'a> {
    File { file: Mutex<File>, len: u64 },
    Memory(&'a [u8]),
    Owned(Vec<u8>),
}

impl Source<'_> {
    /// A file; what is none (a named pipe, a device) is refused without being opened.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = forge_files::open_regular(path)?;
        let len = file.metadata()?.len();
        Ok(Self::File {
            file: Mutex::new(file),
            len,
        })
    }

    pub(super) fn len(&self) -> u64 {
        match self {
            Self::File { len, .. } => *len,
            Self::Memory(bytes) => bytes.len() as u64,
            Self::Owned(bytes) => bytes.len() as u64,
        }
    }

    /// `len` bytes from `start`.
    pub(super) fn read(&self, start: u64, len: usize) -> io::Result<Vec<u8>> {
        let end = start.checked_add(len as u64);
        if end.is_none_or(|end| end > self.len()) {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        let bytes = match self {
            Self::File { file, .. } => {
                let mut bytes = vec![0; len];
                let mut file = file.lock().unwrap_or_else(|e| e.into_inner());
                file.seek(SeekFrom::Start(start))?;
                file.read_exact(&mut bytes)?;
                return Ok(bytes);
            }
            Self::Memory(bytes) => bytes,
            Self::Owned(bytes) => bytes.as_slice(),
        };
        let start = usize::try_from(start).unwrap_or(usize::MAX);
        bytes
            .get(start..start.saturating_add(len))
            .map(<[u8]>::to_vec)
            .ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// All bytes from `start`, block by block.
    pub(super) fn each_block(&self, start: u64, mut see: impl FnMut(&[u8])) -> io::Result<()> {
        let mut at = start;
        while at < self.len() {
            let len = usize::try_from(self.len() - at).map_or(BLOCK, |left| left.min(BLOCK));
            see(&self.read(at, len)?);
            at += len as u64;
        }
        Ok(())
    }
}
