//! What a person names to write to.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crate::WholeFile;

/// Where a person said to write, as it is: a file appears [whole or not at all](WholeFile), links
/// are followed to what they stand for, and into a named pipe the bytes are written as they come.
#[derive(Debug)]
pub struct OutputFile(Kind);

#[derive(Debug)]
enum Kind {
    Whole(WholeFile),
    Stream(File),
}

impl OutputFile {
    /// Begins to write to `path`. Waits for a reader where it is a named pipe.
    ///
    /// # Errors
    /// Those of [`WholeFile::create`]; if it is a folder, or a link to nothing in a folder that is
    /// not there.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let path = path.as_ref();
        let kind = match fs::metadata(path) {
            Ok(there) if there.is_dir() => {
                let message = "is a folder; name a file in it";
                return Err(io::Error::new(io::ErrorKind::IsADirectory, message));
            }
            Ok(there) if there.is_file() && !is_of_the_system(path) => {
                Kind::Whole(WholeFile::create(fs::canonicalize(path)?)?)
            }
            Ok(_) => Kind::Stream(OpenOptions::new().write(true).open(path)?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Kind::Whole(WholeFile::create(followed(path)?)?)
            }
            Err(error) => return Err(error),
        };
        Ok(Self(kind))
    }

    /// Ends: a file takes its place.
    ///
    /// # Errors
    /// Those of [`WholeFile::commit`].
    pub fn commit(self) -> io::Result<()> {
        match self.0 {
            Kind::Whole(file) => file.commit(),
            Kind::Stream(mut stream) => stream.flush(),
        }
    }
}

impl Write for OutputFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.0 {
            Kind::Whole(file) => file.write(bytes),
            Kind::Stream(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.0 {
            Kind::Whole(file) => file.flush(),
            Kind::Stream(stream) => stream.flush(),
        }
    }
}

/// `/dev/stdout` leads to whatever file the shell opened, which must not be exchanged under it.
fn is_of_the_system(path: &Path) -> bool {
    cfg!(unix) && (path.starts_with("/dev") || path.starts_with("/proc"))
}

/// Where a chain of links that ends in nothing leads.
fn followed(path: &Path) -> io::Result<PathBuf> {
    /// As many as Linux follows.
    const MOST_LINKS: usize = 40;
    let mut at = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        let Ok(next) = fs::read_link(&at) else {
            return Ok(at);
        };
        // What is relative is relative to the link's own folder.
        at = at.parent().unwrap_or(Path::new("")).join(next);
    }
    let message = "more links than can be followed";
    Err(io::Error::new(io::ErrorKind::InvalidInput, message))
}
