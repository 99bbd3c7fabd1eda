//! The folder that a run's checkpoints live in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use burn::tensor::TensorData;
use forge_files::{FolderLock, WholeFile};
use forge_nn::{FileFormat, ForgeError, TensorFile};
use serde::Serialize;
use serde::de::DeserializeOwned;

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.checkpoint",
    version: 1,
};
const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".safetensors";
const LOCK: &str = "checkpoints.lock";
/// A file that was found damaged is renamed to end in this, so that it neither counts as the
/// newest nor is lost.
const DAMAGED: &str = ".damaged";

/// A folder of checkpoints, numbered in the order they were written:
/// `checkpoint-00000012.safetensors`.
///
/// A checkpoint appears under its name only once its bytes are on the disk. The newest few are
/// kept; where the newest is damaged, the one before it is taken.
///
/// The folder has one owner at a time: this value and its clones, until the last is dropped.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
    keep: usize,
    _lock: Arc<FolderLock>,
}

/// A checkpoint that was read and checked.
#[derive(Debug)]
pub struct CheckpointFile<T> {
    /// Where it was.
    pub path: PathBuf,
    /// Its contents.
    pub file: TensorFile<T>,
}

impl CheckpointFolder {
    /// Opens the folder, making it if it does not exist, becomes its owner, and removes what a
    /// killed owner left half-written. `keep` is how many checkpoints stay; 0 counts as 1.
    ///
    /// # Errors
    /// An I/O error naming the folder; or the owner, where it has one already.
    pub fn open(path: impl Into<PathBuf>, keep: usize) -> Result<Self, ForgeError> {
        let path = path.into();
        let fail = |e| ForgeError::io(&path, e);
        fs::create_dir_all(&path).map_err(fail)?;
        let lock = path.join(LOCK);
        let lock = FolderLock::take(&lock).map_err(|e| ForgeError::io(&lock, e))?;
        // Nobody else writes here: its writer is gone.
        WholeFile::remove_scratch(&path, |name| name.starts_with(PREFIX)).map_err(fail)?;
        Ok(Self {
            path,
            keep: keep.max(1),
            _lock: Arc::new(lock),
        })
    }

    /// The folder.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// All checkpoints, oldest first, with their numbers.
    ///
    /// # Errors
    /// An I/O error naming the folder.
    pub fn list(&self) -> Result<Vec<(u64, PathBuf)>, ForgeError> {
        Self::files(&self.path).map_err(|e| ForgeError::io(&self.path, e))
    }

    /// Whether there are checkpoints in the folder `path`. Neither makes it nor becomes its owner.
    #[must_use]
    pub fn has_any(path: &Path) -> bool {
        Self::files(path).is_ok_and(|files| !files.is_empty())
    }

    fn files(path: &Path) -> std::io::Result<Vec<(u64, PathBuf)>> {
        let mut found = Vec::new();
        for entry in fs::read_dir(path)? {
            let entry = entry?;
            let name = entry.file_name();
            let number = name
                .to_string_lossy()
                .strip_prefix(PREFIX)
                .and_then(|n| n.strip_suffix(SUFFIX))
                .and_then(|n| n.parse().ok());
            if let Some(number) = number {
                found.push((number, entry.path()));
            }
        }
        found.sort_unstable();
        Ok(found)
    }

    /// Writes the next checkpoint, then removes the oldest ones beyond those to keep.
    ///
    /// # Errors
    /// An I/O error naming the file. The checkpoints that were there are untouched.
    pub fn write<T: Serialize>(
        &self,
        manifest: &T,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<PathBuf, ForgeError> {
        let before = self.list()?;
        let number = before.last().map_or(0, |(n, _)| n.saturating_add(1));
        let path = self.path.join(format!("{PREFIX}{number:08}{SUFFIX}"));
        TensorFile::write(&path, FORMAT, manifest, tensors)?;
        for (_, old) in before.iter().rev().skip(self.keep - 1) {
            if let Err(error) = fs::remove_file(old) {
                tracing::warn!(path = %old.display(), %error, "cannot remove an old checkpoint");
            }
        }
        Ok(path)
    }

    /// The newest checkpoint that is whole; absent where the folder has none.
    /// [Damaged](ForgeError::is_damaged) ones are reported by a warning and set aside under another
    /// name.
    ///
    /// # Errors
    /// If there are checkpoints but none is whole: what is wrong with the newest. If one newer than
    /// those cannot be read for another reason, such as permissions or a newer library's format:
    /// nothing is set aside then.
    pub fn latest<T: DeserializeOwned>(&self) -> Result<Option<CheckpointFile<T>>, ForgeError> {
        let mut damaged: Vec<(PathBuf, ForgeError)> = Vec::new();
        for (_, path) in self.list()?.into_iter().rev() {
            match TensorFile::open(&path, FORMAT) {
                Ok(file) => {
                    // Only now that there is another: a folder where all fail is left as it is.
                    for (path, _) in &damaged {
                        set_aside(path);
                    }
                    return Ok(Some(CheckpointFile { path, file }));
                }
                Err(error) if error.is_damaged() => {
                    tracing::warn!(%error, "a checkpoint is damaged; trying the one before it");
                    damaged.push((path, error));
                }
                Err(error) => return Err(error),
            }
        }
        match damaged.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(None),
        }
    }

    /// Removes the newest checkpoint, if there is an older one; whether it did.
    ///
    /// # Errors
    /// An I/O error naming the file that cannot be removed.
    pub fn remove_newest(&self) -> Result<bool, ForgeError> {
        match self.list()?.as_slice() {
            [_, .., (_, newest)] => {
                fs::remove_file(newest).map_err(|e| ForgeError::io(newest, e))?;
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// Removes all checkpoints.
    ///
    /// # Errors
    /// An I/O error naming the file that cannot be removed.
    pub fn clear(&self) -> Result<(), ForgeError> {
        for (_, path) in self.list()? {
            fs::remove_file(&path).map_err(|e| ForgeError::io(&path, e))?;
        }
        Ok(())
    }
}

fn set_aside(path: &Path) {
    let mut name = path.as_os_str().to_owned();
    name.push(DAMAGED);
    if let Err(error) = fs::rename(path, PathBuf::from(name)) {
        tracing::warn!(path = %path.display(), %error, "cannot set a damaged checkpoint aside");
    }
}
