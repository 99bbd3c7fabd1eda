//! A file that appears whole or not at all.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tempfile::{Builder, NamedTempFile};

/// What the names of half-written files end in.
const SCRATCH: &str = ".tmp";

/// A file under construction: it is written beside its place, under a name that begins with its
/// own and ends in `.tmp`, and takes its place only by [`commit`](Self::commit), with its bytes on
/// the disk. Dropped before that, it is gone, and what was there before is untouched.
///
/// What stands in its place is replaced, not written into: of a symbolic link there, the target
/// stays as it is. The permissions of a file that is replaced are kept.
///
/// ```
/// use std::io::Write;
/// use forge_files::WholeFile;
///
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("metrics.json");
/// let mut file = WholeFile::create(&path)?;
/// file.write_all(b"{}")?;
/// assert!(!path.exists());
/// file.commit()?;
/// assert_eq!(std::fs::read(&path)?, b"{}");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct WholeFile {
    scratch: BufWriter<NamedTempFile>,
    place: PathBuf,
}

impl WholeFile {
    /// Begins the file that is to stand at `path`.
    ///
    /// # Errors
    /// If the folder is not there or cannot be written to, or if `path` does not end in a name.
    pub fn create(path: impl AsRef<Path>) -> io::Result<Self> {
        let place = path.as_ref().to_path_buf();
        let name = place.file_name().ok_or_else(|| {
            let message = "not the path of a file: it does not end in a name";
            io::Error::new(io::ErrorKind::InvalidInput, message)
        })?;
        let mut prefix = name.to_os_string();
        prefix.push(".");
        let mut builder = Builder::new();
        builder.prefix(&prefix).suffix(SCRATCH);
        // The default of that crate is for secrets: readable by nobody else.
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            builder.permissions(fs::Permissions::from_mode(0o666));
        }
        let scratch = builder.tempfile_in(folder_of(&place))?;
        Ok(Self {
            scratch: BufWriter::new(scratch),
            place,
        })
    }

    /// Writes `bytes` to `path`, whole or not at all.
    ///
    /// # Errors
    /// Those of [`create`](Self::create) and [`commit`](Self::commit).
    pub fn write(path: impl AsRef<Path>, bytes: impl AsRef<[u8]>) -> io::Result<()> {
        let mut file = Self::create(path)?;
        file.write_all(bytes.as_ref())?;
        file.commit()
    }

    /// Puts the file into its place.
    ///
    /// # Errors
    /// If the disk is full, or if what stands in its place cannot be replaced, such as a folder.
    /// The file is gone then, and what was there is untouched.
    pub fn commit(self) -> io::Result<()> {
        let scratch = self.scratch.into_inner().map_err(|e| e.into_error())?;
        if let Ok(before) = fs::symlink_metadata(&self.place)
            && before.is_file()
        {
            scratch.as_file().set_permissions(before.permissions())?;
        }
        scratch.as_file().sync_all()?;
        scratch.persist(&self.place).map_err(|e| e.error)?;
        sync_folder(folder_of(&self.place))
    }

    /// Removes the files under construction in `folder` of which `is_ours`, given their names,
    /// says that their writer is gone. The name begins with that of the file to be.
    ///
    /// # Errors
    /// If the folder cannot be read or a file of it not be removed.
    pub fn remove_scratch(folder: &Path, is_ours: impl Fn(&str) -> bool) -> io::Result<()> {
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.ends_with(SCRATCH) && is_ours(&name) {
                fs::remove_file(entry.path())?;
            }
        }
        Ok(())
    }
}

impl Write for WholeFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.scratch.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.scratch.flush()
    }
}

/// The folder that a path's name is in.
fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

/// A rename is on the disk only once the folder is. Folders cannot be opened on Windows, where a
/// rename is journalled instead.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder)?.sync_all()?;
    }
    Ok(())
}
