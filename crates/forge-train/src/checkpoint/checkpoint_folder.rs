//! The folder that a run's checkpoints live in.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use burn::tensor::TensorData;
use forge_nn::{FileFormat, ForgeError, TensorFile};
use serde::Serialize;
use serde::de::DeserializeOwned;

const FORMAT: FileFormat = FileFormat {
    name: "volatilityforge.checkpoint",
    version: 1,
};
const PREFIX: &str = "checkpoint-";
const SUFFIX: &str = ".safetensors";
/// A file that was found damaged is renamed to end in this, so that it neither counts as the
/// newest nor is lost.
const DAMAGED: &str = ".damaged";

/// A folder of checkpoints, numbered in the order they were written:
/// `checkpoint-00000012.safetensors`.
///
/// A checkpoint appears under its name only once its bytes are on the disk. The newest few are
/// kept; where the newest cannot be read, the one before it is taken.
#[derive(Debug, Clone)]
pub struct CheckpointFolder {
    path: PathBuf,
    keep: usize,
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
    /// Opens the folder, making it if it does not exist, and removes what a killed process left
    /// half-written. `keep` is how many checkpoints stay; 0 counts as 1.
    ///
    /// # Errors
    /// An I/O error naming the folder.
    pub fn open(path: impl Into<PathBuf>, keep: usize) -> Result<Self, ForgeError> {
        let folder = Self {
            path: path.into(),
            keep: keep.max(1),
        };
        let fail = |e| ForgeError::io(&folder.path, e);
        fs::create_dir_all(&folder.path).map_err(fail)?;
        for entry in fs::read_dir(&folder.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if name.starts_with(PREFIX) && name.ends_with(".tmp") {
                fs::remove_file(entry.path()).map_err(fail)?;
            }
        }
        Ok(folder)
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
        let fail = |e| ForgeError::io(&self.path, e);
        let mut found = Vec::new();
        for entry in fs::read_dir(&self.path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
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
        sync_folder(&self.path)?;
        for (_, old) in before.iter().rev().skip(self.keep - 1) {
            if let Err(error) = fs::remove_file(old) {
                tracing::warn!(path = %old.display(), %error, "cannot remove an old checkpoint");
            }
        }
        Ok(path)
    }

    /// The newest checkpoint that can be read; absent where the folder has none. Damaged ones are
    /// reported by a warning and set aside under another name.
    ///
    /// # Errors
    /// If there are checkpoints but none can be read: what is wrong with the newest.
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
                Err(error) => {
                    tracing::warn!(%error, "a checkpoint cannot be read; trying the one before it");
                    damaged.push((path, error));
                }
            }
        }
        match damaged.into_iter().next() {
            Some((_, error)) => Err(error),
            None => Ok(None),
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

/// A rename is on the disk only once the folder is. Folders cannot be opened on Windows, where a
/// rename is journalled instead.
fn sync_folder(path: &Path) -> Result<(), ForgeError> {
    if cfg!(unix) {
        fs::File::open(path)
            .and_then(|folder| folder.sync_all())
            .map_err(|e| ForgeError::io(path, e))?;
    }
    Ok(())
}
