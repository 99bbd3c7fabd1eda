//! Files, and what only looks like one.

use std::fs::{self, File, FileType};
use std::io;
use std::path::Path;

/// Opens `path` for reading where it is a file, or a link to one. A named pipe or a device, which
/// might never end or never begin, is refused without being opened.
///
/// # Errors
/// If it is not there, not a file, or may not be read.
pub fn open_regular(path: impl AsRef<Path>) -> io::Result<File> {
    let path = path.as_ref();
    let kind = fs::metadata(path)?.file_type();
    if !kind.is_file() {
        let message = format!("is {}, not a file", kind_of(kind));
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    File::open(path)
}

/// Whether it is a pipe: what is read once, and ends when its writers do.
#[must_use]
pub fn is_pipe(kind: FileType) -> bool {
    #[cfg(unix)]
    return std::os::unix::fs::FileTypeExt::is_fifo(&kind);
    #[cfg(not(unix))]
    return false;
}

/// What a path leads to, in words: `a file`, `a folder`, `a named pipe` and so on.
#[must_use]
pub fn kind_of(kind: FileType) -> &'static str {
    #[cfg(unix)]
    {
        use std::os::unix::fs::FileTypeExt;
        if is_pipe(kind) {
            return "a named pipe";
        }
        if kind.is_socket() {
            return "a socket";
        }
        if kind.is_char_device() || kind.is_block_device() {
            return "a device";
        }
    }
    if kind.is_file() {
        "a file"
    } else if kind.is_dir() {
        "a folder"
    } else {
        "something else"
    }
}
