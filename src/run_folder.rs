//! The folder of a run: one owner, every file whole, and nothing in it of a start that failed.

use std::fs;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forge_files::{FolderLock, WholeFile, open_regular};
use forge_nn::ForgeError;
use forge_train::log::MetricsLog;
use forge_train::{BatchEvent, Flow, Observer};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::Error;

const SETTINGS: &str = "config.toml";
const CHECKPOINTS: &str = "checkpoints";
const METRICS: &str = "metrics";
/// What the names of files there end in.
const LOG: &str = ".jsonl";
/// Optimiser steps per line of a log.
const LOG_EVERY: u64 = 50;
const LOCK: &str = "run.lock";
/// The last line of the settings. TOML that is cut off between two lines is TOML still, with other
/// settings: those that are missing take their defaults.
const END: &str = "# end: a file without this line is cut off\n";

/// What a run is started with, kept in its folder.
pub(crate) trait RunSettings: Serialize + DeserializeOwned {
    /// Names of what the run writes beside its settings and checkpoints.
    fn files(&self) -> Vec<String>;

    /// Checks that a run stored with these settings in `file` is the one that `present` asks for.
    ///
    /// # Errors
    /// A config error naming the first field that differs and both values.
    fn check_resumable(&self, present: &Self, file: &Path) -> Result<(), Error>;
}

/// Settings as TOML text.
pub(crate) fn settings_text(settings: &impl Serialize) -> Result<String, Error> {
    toml::to_string_pretty(settings)
        .map_err(|e| ForgeError::config("config", e, "representable as TOML").into())
}

/// Notes that a step was trained: from then on a folder holds what must not be lost.
pub(crate) struct FirstStep(pub(crate) Arc<AtomicBool>);

impl Observer for FirstStep {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        self.0.store(true, Ordering::Relaxed);
        Flow::Continue
    }
}

/// The folder of a run in progress.
#[derive(Debug)]
pub(crate) struct RunFolder {
    path: PathBuf,
    /// Folders that were made for it, the innermost first.
    made: Vec<PathBuf>,
    lock: FolderLock,
}

impl RunFolder {
    /// Makes the folder of a new run, with its settings in it.
    pub(crate) fn begin(path: &Path, config: &impl RunSettings) -> Result<Self, Error> {
        let settings = settings_text(config)? + END;
        let made: Vec<PathBuf> = (path.ancestors())
            .filter(|folder| !folder.as_os_str().is_empty())
            .take_while(|folder| !folder.exists())
            .map(Path::to_path_buf)
            .collect();
        fs::create_dir_all(path).map_err(|e| ForgeError::io(path, e))?;
        let folder = Self::owned(path, made, config)?;
        let left = files(config)
            .into_iter()
            .chain([CHECKPOINTS.into(), METRICS.into()]);
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
    pub(crate) fn resume<C: RunSettings>(path: &Path, config: &C) -> Result<Self, Error> {
        let stored: C = Self::settings(path)?;
        let folder = Self::owned(path, Vec::new(), config)?;
        stored.check_resumable(config, &path.join(SETTINGS))?;
        Ok(folder)
    }

    /// The settings of the run in a folder.
    pub(crate) fn settings<C: RunSettings>(path: &Path) -> Result<C, Error> {
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
        let config: C = toml::from_str(&text).map_err(|e| ForgeError::artifact(&file, e))?;
        let cut = |what: String| {
            let way = "put the settings back, or start anew in another folder";
            ForgeError::damaged(&file, format!("{what}; {way}"))
        };
        if let Some(field) = missing_in(&config, &text)? {
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
        config: &impl RunSettings,
    ) -> Result<Self, ForgeError> {
        let lock = path.join(LOCK);
        let lock = FolderLock::take(&lock).map_err(|e| ForgeError::io(&lock, e))?;
        // What a killed owner left half-written.
        let clean = |folder: &Path, is_ours: &dyn Fn(&str) -> bool| {
            WholeFile::remove_scratch(folder, is_ours).map_err(|e| ForgeError::io(folder, e))
        };
        let ours = files(config);
        clean(path, &|name| {
            ours.iter()
                .any(|file| name.starts_with(&format!("{file}.")))
        })?;
        let logs = path.join(METRICS);
        if logs.is_dir() {
            clean(&logs, &|name| name.contains(LOG))?;
        }
        Ok(Self {
            path: path.into(),
            made,
            lock,
        })
    }

    /// The artifact of a model.
    pub(crate) fn artifact(&self, model: &str) -> PathBuf {
        self.path.join(format!("{model}.safetensors"))
    }

    /// The folder of a model's checkpoints.
    pub(crate) fn checkpoints(&self, model: &str) -> PathBuf {
        self.path.join(CHECKPOINTS).join(model)
    }

    /// The log of a model's epochs and steps. It is there from the first step on.
    pub(crate) fn metrics(&self, name: &str) -> MetricsLog {
        let path = self.path.join(METRICS).join(format!("{name}{LOG}"));
        MetricsLog::new(path).every_steps(LOG_EVERY)
    }

    /// Where a file of that name stands.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// Writes a text.
    pub(crate) fn write(&self, name: &str, text: &str) -> Result<(), Error> {
        let path = self.file(name);
        WholeFile::write(&path, text).map_err(|e| ForgeError::io(&path, e).into())
    }

    /// Removes what stands in the place of a file and is none, such as a link, so that it is not
    /// written through.
    pub(crate) fn clear_place(&self, name: &str) -> Result<(), Error> {
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
    pub(crate) fn abandon(self) {
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
fn files(config: &impl RunSettings) -> Vec<String> {
    let settings = [SETTINGS.to_string()];
    settings.into_iter().chain(config.files()).collect()
}

/// The first of these settings that `text`, which they were read from, does not state.
fn missing_in(settings: &impl Serialize, text: &str) -> Result<Option<String>, Error> {
    fn missing(wanted: &toml::Table, stated: &toml::Table) -> Option<String> {
        wanted.iter().find_map(|(key, value)| {
            match (value, stated.get(key)) {
                (_, None) => Some(key.clone()),
                // Short forms, which are no tables, state all of it.
                (toml::Value::Table(wanted), Some(toml::Value::Table(stated))) => {
                    missing(wanted, stated).map(|field| format!("{key}.{field}"))
                }
                _ => None,
            }
        })
    }
    let refuse =
        |e: &dyn std::fmt::Display| ForgeError::config("config", e, "representable as TOML");
    let wanted = toml::Table::try_from(settings).map_err(|e| refuse(&e))?;
    let stated: toml::Table = text.parse().map_err(|e: toml::de::Error| refuse(&e))?;
    Ok(missing(&wanted, &stated))
}

/// The text of a file of a run; what is no file is not opened.
pub(crate) fn read(path: &Path) -> Result<String, ForgeError> {
    let mut text = String::new();
    open_regular(path)
        .and_then(|mut file| file.read_to_string(&mut text))
        .map_err(|e| ForgeError::io(path, e))?;
    Ok(text)
}
