//! The folder of a run: one owner, every file whole, and nothing in it of a start that failed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};

use forge_files::{FolderLock, WholeFile, open_regular};
use forge_nn::ForgeError;

use super::ExperimentConfig;
use crate::{Error, ModelChoice};

const SETTINGS: &str = "config.toml";
const CHECKPOINTS: &str = "checkpoints";
const LOCK: &str = "run.lock";
/// The last line of the settings. TOML that is cut off between two lines is TOML still, with other
/// settings: those that are missing take their defaults.
const END: &str = "# end: a file without this line is cut off\n";

/// The folder of a run in progress.
#[derive(Debug)]
pub(super) struct RunFolder {
    path: PathBuf,
    /// Folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
    lock: FolderLock,
}

impl RunFolder {
    /// Makes the folder of a new run, with its settings in it.
    pub(super) fn begin(path: &Path, config: &ExperimentConfig) -> Result<Self, Error> {
        let settings = config.to_toml()? + END;
        let made: Vec<PathBuf> = (path.ancestors())
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|folder| !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        fs::create_dir_all(path).map_err(|e| ForgeError::io(path, e))?;
        let folder = Self::owned(path, made, config)?;
        let left = files(config).into_iter().chain([CHECKPOINTS.into()]);
        // `exists` would follow a link that leads nowhere.
        let is_there = |name: &String| fs::symlink_metadata(path.join(name)).is_ok();
        if let Some(name) = left.into_iter().find(is_there) {
            let allowed = format!(
                "a new folder: this one holds a run ({name} is there); resume that, or name \
                 another folder"
            );
            return Err(ForgeError::config("out", path.display(), allowed).into());
        }
        match folder.write(SETTINGS, &settings) {
            Ok(()) => Ok(folder),
            Err(error) => {
                folder.abandon();
                Err(error)
            }
        }
    }

    /// Goes on in the folder of a run that `config` is the settings of.
    pub(super) fn resume(path: &Path, config: &ExperimentConfig) -> Result<Self, Error> {
        let stored = Self::settings(path)?;
        let folder = Self::owned(path, Vec::new(), config)?;
        stored.check_resumable(config, &path.join(SETTINGS))?;
        Ok(folder)
    }

    /// The settings of the run in a folder.
    pub(super) fn settings(path: &Path) -> Result<ExperimentConfig, Error> {
        let file = path.join(SETTINGS);
        if !file.exists() {
            let what = if path.is_dir() {
                format!("{SETTINGS} is missing there")
            } else {
                "there is no such folder".into()
            };
            let allowed = format!("a folder that holds a run ({what})");
            return Err(ForgeError::config("resume", path.display(), allowed).into());
        }
        let text = read(&file)?;
        let config: ExperimentConfig =
            toml::from_str(&text).map_err(|e| ForgeError::artifact(&file, e))?;
        let cut = |what: String| {
            let way = "put the settings back, or start anew in another folder";
            ForgeError::damaged(&file, format!("{what}; {way}"))
        };
        if let Some(field) = config.missing_in(&text)? {
            return Err(cut(format!("{field} is missing")).into());
        }
        if !text.ends_with(END) {
            return Err(cut(format!("cut off: its last line is not `{}`", END.trim())).into());
        }
        Ok(config)
    }

    fn owned(
        path: &Path,
        made: Vec<PathBuf>,
        config: &ExperimentConfig,
    ) -> Result<Self, ForgeError> {
        let lock = path.join(LOCK);
        let lock = FolderLock::take(&lock).map_err(|e| ForgeError::io(&lock, e))?;
        // What a killed owner left half-written.
        let fail = |e| ForgeError::io(path, e);
        let ours = files(config);
        for entry in fs::read_dir(path).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if (ours.iter()).any(|file| WholeFile::is_scratch(&name, &format!("{file}."))) {
                fs::remove_file(entry.path()).map_err(fail)?;
            }
        }
        Ok(Self {
            path: path.into(),
            made,
            lock,
        })
    }

    /// The artifact of a model.
    pub(super) fn artifact(&self, model: &str) -> PathBuf {
        self.path.join(format!("{model}.safetensors"))
    }

    /// The folder of a model's checkpoints.
    pub(super) fn checkpoints(&self, model: &str) -> PathBuf {
        self.path.join(CHECKPOINTS).join(model)
    }

    /// Where a file of that name stands.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a text.
    pub(super) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.file(name);
        WholeFile::write(&path, text).map_err(|e| ForgeError::io(&path, e).into())
    }

    /// Removes what stands in the place of a file and is none, such as a link, so that it is not
    /// written through.
    pub(super) fn clear_place(&self, name: &str) -> Result<(), Error> {
        let path = self.file(name);
        match fs::symlink_metadata(&path) {
            Ok(there) if !there.is_file() => {
                fs::remove_file(&path).map_err(|e| ForgeError::io(&path, e).into())
            }
            _ => Ok(()),
        }
    }

    /// Removes all that this start made: nothing was trained, so nothing is lost, and the next
    /// start finds the folder as this one did. What cannot be removed is left, since there is an
    /// error to tell of already.
    pub(super) fn abandon(self) {
        let Self { path, made, lock } = self;
        let _ = fs::remove_file(path.join(SETTINGS));
        let _ = fs::remove_dir_all(path.join(CHECKPOINTS));
        drop(lock);
        for folder in made {
            let _ = fs::remove_dir(folder);
        }
    }
}

/// What a run writes beside its checkpoints.
fn files(config: &ExperimentConfig) -> Vec<String> {
    let of_all = [
        SETTINGS,
        "metrics.json",
        "model.safetensors",
        "report.html",
        "sample.csv",
    ];
    let models = config.models.iter().map(ModelChoice::name);
    let of_each = models.flat_map(|name| [format!("{name}.safetensors"), format!("{name}.json")]);
    of_all
        .map(String::from)
        .into_iter()
        .chain(of_each)
        .collect()
}

/// The text of a file of a run; what is no file is not opened.
pub(super) fn read(path: &Path) -> Result<String, ForgeError> {
    let mut text = String::new();
    open_regular(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|e| ForgeError::io(path, e))?;
    Ok(text)
}
