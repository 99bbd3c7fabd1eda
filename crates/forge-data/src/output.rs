//! Where a table is written.

use std::io::{BufWriter, Write};
use std::path::Path;

use forge_files::OutputFile;

use crate::DataError;

/// What a file is written through.
pub(crate) type Output<'w> = dyn Write + Send + 'w;

/// Writes a file by `write`: a regular file whole or not at all, through a link what it leads to,
/// a pipe as it is.
///
/// # Errors
/// What `write` finds wrong; an I/O error, also for a folder.
pub(crate) fn write_to(
    path: &Path,
    write: impl FnOnce(&mut Output<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let io = |e| DataError::io(path, e);
    let mut file = BufWriter::new(OutputFile::create(path).map_err(io)?);
    write(&mut file).map_err(|e| if e.is_io() { e } else { e.at_path(path) })?;
    let file = file.into_inner().map_err(|e| io(e.into_error()))?;
    file.commit().map_err(io)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        let say = |text: &str| {
            write_to(&path, |out| {
                out.write_all(text.as_bytes()).unwrap();
                match text {
                    "half" => Err(DataError::value("no more")),
                    _ => Ok(()),
                }
            })
        };
        say("old").unwrap();
        assert!(say("half").unwrap_err().to_string().contains("out.csv"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        say("new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        let error = write_to(folder.path(), |_| Ok(())).unwrap_err();
        assert!(error.is_io(), "{error}");
    }
}
