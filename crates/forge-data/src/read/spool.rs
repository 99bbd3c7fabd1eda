//! What can be read only once, made into a file.

use std::fs::{self, File};
use std::io;
use std::path::Path;

use forge_files::{is_pipe, kind_of};
use tempfile::{NamedTempFile, TempPath};

/// A copy of what comes out of a named pipe, since tables are read more than once; `None` for a
/// file. Waits for whoever writes to the pipe. The copy is removed when it is dropped.
///
/// # Errors
/// If the pipe cannot be read or the copy not be written; for a device.
pub(crate) fn spool(path: &Path) -> io::Result<Option<TempPath>> {
    // What is not there or a folder is for the reader to say.
    let Some(kind) = fs::metadata(path).ok().map(|there| there.file_type()) else {
        return Ok(None);
    };
    if kind.is_file() || kind.is_dir() {
        return Ok(None);
    }
    if !is_pipe(kind) {
        let message = format!("is {}, not a file or a pipe", kind_of(kind));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut copy = NamedTempFile::new()?;
    io::copy(&mut File::open(path)?, &mut copy)?;
    Ok(Some(copy.into_temp_path()))
}
