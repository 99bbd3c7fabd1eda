//! Where a file is written, whatever stands there already.

use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::DataError;

/// What a file is written through.
pub(crate) type Output<'w> = dyn Write + Send + 'w;

/// Links followed at most.
const MOST_LINKS: usize = 40;

/// Writes a file by `write`, to what `path` leads to:
/// - a regular file or nothing yet: whole or not at all, written beside it and renamed over it
/// - a link: the file that it leads to; the link stays
/// - a pipe or a device: that, as it comes
///
/// # Errors
/// What `write` finds wrong; an I/O error, also for a folder.
pub(crate) fn write_to(
    path: &Path,
    write: impl FnOnce(&mut Output<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let io = |e| DataError::io(path, e);
    match fs::metadata(path) {
        Ok(found) if found.is_dir() => Err(io(io::ErrorKind::IsADirectory.into())),
        Ok(found) if !found.is_file() || is_of_the_system(path) => stream(path, write),
        Ok(found) => replace(path, &resolve(path).map_err(io)?, Some(&found), write),
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            replace(path, &resolve(path).map_err(io)?, None, write)
        }
        Err(e) => Err(io(e)),
    }
}

/// `/dev/stdout` leads to whatever file the shell opened, which must not be exchanged under it.
fn is_of_the_system(path: &Path) -> bool {
    cfg!(unix) && (path.starts_with("/dev") || path.starts_with("/proc"))
}

fn stream(
    path: &Path,
    write: impl FnOnce(&mut Output<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let io = |e| DataError::io(path, e);
    let file = OpenOptions::new().write(true).open(path).map_err(io)?;
    let mut file = BufWriter::new(file);
    write(&mut file).map_err(|e| e.at_path(path))?;
    file.flush().map_err(io)
}

/// Writes beside `target` and renames. Errors name `path`, as the caller does.
fn replace(
    path: &Path,
    target: &Path,
    found: Option<&Metadata>,
    write: impl FnOnce(&mut Output<'_>) -> Result<(), DataError>,
) -> Result<(), DataError> {
    let io = |e| DataError::io(path, e);
    let temporary = beside(target);
    let written = File::create_new(&temporary).map_err(io).and_then(|file| {
        if let Some(found) = found {
            file.set_permissions(found.permissions()).map_err(io)?;
        }
        let mut file = BufWriter::new(file);
        write(&mut file).map_err(|e| e.at_path(path))?;
        let file = file.into_inner().map_err(|e| e.into_error());
        file.and_then(|file| file.sync_all())
            .and_then(|()| fs::rename(&temporary, target))
            .map_err(io)
    });
    if written.is_err() {
        // The first error is the one worth telling; a leftover file is not.
        let _ = fs::remove_file(&temporary);
    }
    written
}

/// What a path leads to once its links are followed, whether or not there is anything.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut target = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        match fs::symlink_metadata(&target) {
            Ok(found) if found.is_symlink() => {
                let link = fs::read_link(&target)?;
                // From the link's own folder, if it is not absolute.
                target = target.parent().unwrap_or(Path::new("")).join(link);
            }
            _ => return Ok(target),
        }
    }
    Err(io::Error::other("too many links"))
}

/// A name in the same folder that no other call of this process or another uses.
fn beside(path: &Path) -> PathBuf {
    static COUNT: AtomicU64 = AtomicU64::new(0);
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    name.push(format!(".{}-{count}.part", std::process::id()));
    path.with_file_name(name)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn say(path: &Path, text: &str) -> Result<(), DataError> {
        write_to(path, |out| {
            out.write_all(text.as_bytes())
                .map_err(|e| DataError::io(path, e))
        })
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<String> = entries
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn a_file_is_replaced_whole_or_not_at_all() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        say(&path, "old").unwrap();
        let failed = write_to(&path, |out| {
            out.write_all(b"half").unwrap();
            Err(DataError::value("no more"))
        });
        assert!(failed.unwrap_err().to_string().contains("out.csv"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        say(&path, "new").unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["out.csv"]);
        let error = say(folder.path(), "x").unwrap_err();
        assert!(error.is_io(), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn links_stay_and_what_they_lead_to_is_written() {
        use std::os::unix::fs::symlink;
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::create_dir(at("store")).unwrap();
        fs::write(at("store/real.csv"), "old").unwrap();
        symlink("store/real.csv", at("link.csv")).unwrap();
        symlink("link.csv", at("to_link.csv")).unwrap();
        symlink("store/absent.csv", at("dangling.csv")).unwrap();
        symlink("circle.csv", at("circle.csv")).unwrap();
        say(&at("to_link.csv"), "new").unwrap();
        say(&at("dangling.csv"), "first").unwrap();
        assert_eq!(fs::read_to_string(at("store/real.csv")).unwrap(), "new");
        assert_eq!(fs::read_to_string(at("store/absent.csv")).unwrap(), "first");
        for link in ["link.csv", "to_link.csv", "dangling.csv"] {
            assert!(fs::symlink_metadata(at(link)).unwrap().is_symlink());
        }
        assert!(say(&at("circle.csv"), "x").unwrap_err().is_io());
    }

    #[cfg(unix)]
    #[test]
    fn a_pipe_is_written_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pipe");
        let made = std::process::Command::new("mkfifo").arg(&path).status();
        assert!(made.unwrap().success());
        let reader = {
            let path = path.clone();
            std::thread::spawn(move || fs::read_to_string(path).unwrap())
        };
        say(&path, "through the pipe").unwrap();
        assert_eq!(reader.join().unwrap(), "through the pipe");
        assert_eq!(names(folder.path()), ["pipe"]);
    }

    #[cfg(unix)]
    #[test]
    fn permissions_of_the_file_stay() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("out.csv");
        say(&path, "old").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).unwrap();
        say(&path, "new").unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o640);
    }
}
