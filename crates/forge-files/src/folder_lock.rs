//! One owner of a folder at a time.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

/// Longest text of an owner that is read back.
const MOST_BYTES: u64 = 200;

/// The lock of a folder: held from [`take`](Self::take) until it is dropped or the process ends,
/// however it ends.
///
/// It is the operating system's lock on a file; what the file says is for people. On a file system
/// without locks a warning is logged, and nothing is locked.
#[derive(Debug)]
pub struct FolderLock {
    path: PathBuf,
    file: File,
}

impl FolderLock {
    /// Takes the lock that the file `path` stands for, which is made if it is not there.
    ///
    /// # Errors
    /// [`ResourceBusy`](io::ErrorKind::ResourceBusy), naming the owner, while someone else (or
    /// this process, elsewhere) holds it; or if the file cannot be made.
    pub fn take(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        loop {
            let mut file = open(path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Err(busy(&mut file)),
                Err(TryLockError::Error(error)) if is_unsupported(&error) => {
                    tracing::warn!(path = %path.display(), "this file system has no locks");
                }
                Err(TryLockError::Error(error)) => return Err(error),
            }
            // The last owner removes the file before it lets go: what was opened may be gone.
            if !is_the_file_at(&file, path) {
                continue;
            }
            file.set_len(0)?;
            file.write_all(owner().as_bytes())?;
            return Ok(Self {
                path: path.into(),
                file,
            });
        }
    }
}

impl Drop for FolderLock {
    fn drop(&mut self) {
        // Before it is let go, so that nobody who has it since then loses it. Failing to remove it
        // costs a small file.
        let _ = fs::remove_file(&self.path);
        let _ = self.file.unlock();
    }
}

fn open(path: &Path) -> io::Result<File> {
    if let Ok(there) = fs::symlink_metadata(path)
        && !there.is_file()
    {
        let kind = crate::kind_of(there.file_type());
        let message = format!("is {kind}, where a lock file should be");
        return Err(io::Error::new(io::ErrorKind::InvalidInput, message));
    }
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    options.open(path)
}

fn owner() -> String {
    let host = fs::read_to_string("/proc/sys/kernel/hostname").ok();
    let host = host.or_else(|| std::env::var("HOSTNAME").ok());
    let host = host.or_else(|| std::env::var("COMPUTERNAME").ok());
    let host = host.map(|host| format!(" on {}", host.trim()));
    format!(
        "process {}{}\n",
        std::process::id(),
        host.unwrap_or_default()
    )
}

fn busy(file: &mut File) -> io::Error {
    let mut text = String::new();
    // Where a lock keeps readers out too (Windows), the owner stays unnamed.
    let read = file.take(MOST_BYTES).read_to_string(&mut text);
    let owner = match (read, text.trim()) {
        (Ok(_), owner) if !owner.is_empty() => owner,
        _ => "another process",
    };
    let message = format!("{owner} is at work here; wait for it, stop it, or use another folder");
    io::Error::new(io::ErrorKind::ResourceBusy, message)
}

fn is_unsupported(error: &io::Error) -> bool {
    error.kind() == io::ErrorKind::Unsupported
}

#[cfg(unix)]
fn is_the_file_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    match (file.metadata(), fs::metadata(path)) {
        (Ok(a), Ok(b)) => (a.dev(), a.ino()) == (b.dev(), b.ino()),
        _ => false,
    }
}

/// Elsewhere a file that is open cannot be replaced by another of its name.
#[cfg(not(unix))]
fn is_the_file_at(_: &File, _: &Path) -> bool {
    true
}
