//! What the benchmarks of published sets share: arguments, one file of results that is added to, and
//! several runs at a time.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use volatilityforge::files::WholeFile;
use volatilityforge::nn::ForgeError;
use volatilityforge::{DeviceName, Error, TrainingSettings};

/// Where things are and how they run.
#[derive(Debug, clap::Args)]
pub(crate) struct Common {
    /// Folder of the sets.
    #[arg(long)]
    pub(crate) data: PathBuf,
    /// Results, which are added to; checkpoints go beside it.
    #[arg(long)]
    pub(crate) out: PathBuf,
    /// Which sets [default: all that are known and in the folder].
    #[arg(long, num_args = 1.., value_name = "NAME")]
    sets: Vec<String>,
    /// Where to compute.
    #[arg(long, default_value = "flex")]
    pub(crate) device: DeviceName,
    /// Runs at a time. They share the cores, so times of runs beside others mean little.
    #[arg(long, default_value_t = 1)]
    pub(crate) jobs: usize,
    /// Given by cargo.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Training settings that are asked for, instead of those of the authors or the preset. They are a part
/// of what a run is: with others it is another one.
#[derive(Debug, Clone, Default, PartialEq, clap::Args, Serialize, Deserialize)]
pub(crate) struct Asked {
    /// Highest learning rate [default: that of the model's authors for the set where it is known, or the
    /// preset's].
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    learning_rate: Option<f64>,
    /// Most epochs [default: likewise].
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    epochs: Option<usize>,
    /// Epochs without a better validation loss before a run stops [default: likewise].
    #[arg(long)]
    #[serde(default, skip_serializing_if = "Option::is_none")]
    patience: Option<usize>,
}

impl Asked {
    /// Whether nothing is: so it is in entries from before these were written.
    pub(crate) fn is_nothing(&self) -> bool {
        *self == Self::default()
    }

    /// Puts them into the settings of a run.
    pub(crate) fn apply(&self, training: &mut TrainingSettings) {
        training.epochs = self.epochs.or(training.epochs);
        training.patience = self.patience.or(training.patience);
        training.learning_rate = self.learning_rate.or(training.learning_rate);
    }

    /// Each that is given, to be read.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut told = vec![];
        told.extend(self.learning_rate.map(|rate| format!("rate {rate}")));
        told.extend(self.epochs.map(|epochs| format!("epochs {epochs}")));
        told.extend(self.patience.map(|epochs| format!("patience {epochs}")));
        told
    }
}

/// As a part of a name: `-rate0.01-epochs10`; nothing where nothing is given.
impl std::fmt::Display for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        for setting in self.told() {
            write!(f, "-{}", setting.replace(' ', ""))?;
        }
        Ok(())
    }
}

impl Common {
    /// The sets that are asked for.
    pub(crate) fn chosen<S>(
        &self,
        all: &'static [S],
        name: fn(&S) -> &str,
        is_there: impl Fn(&S) -> bool,
    ) -> Result<Vec<&'static S>, Error> {
        if self.sets.is_empty() {
            return Ok(all.iter().filter(|set| is_there(set)).collect());
        }
        let named = |wanted: &String| {
            all.iter().find(|set| name(set) == wanted).ok_or_else(|| {
                let names: Vec<&str> = all.iter().map(name).collect();
                ForgeError::config("sets", wanted, format!("one of {}", names.join(", "))).into()
            })
        };
        self.sets.iter().map(named).collect()
    }

    /// Where the checkpoints of a run lie.
    pub(crate) fn checkpoints(&self, run: &str) -> PathBuf {
        self.out.with_extension("checkpoints").join(run)
    }
}

/// Tells an error.
pub(crate) fn ended(result: Result<(), Error>) -> ExitCode {
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

/// Removes the checkpoints of a run whose result is on the disk.
pub(crate) fn remove(checkpoints: &Path) {
    if let Err(error) = std::fs::remove_dir_all(checkpoints) {
        eprintln!("{}: {error}", checkpoints.display());
    }
}

/// Entries in one JSON file.
pub(crate) struct ResultsFile<E> {
    path: PathBuf,
    entries: Vec<E>,
}

impl<E: Serialize + DeserializeOwned> ResultsFile<E> {
    /// What is there; nothing if there is no file.
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        let entries = if path.exists() {
            let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
            serde_json::from_str(&text).map_err(|e| ForgeError::artifact(path, e))?
        } else {
            vec![]
        };
        Ok(Self {
            path: path.into(),
            entries,
        })
    }

    pub(crate) fn entries(&self) -> &[E] {
        &self.entries
    }

    /// Adds a run and writes the file, whole or not at all.
    pub(crate) fn add(&mut self, entry: E) -> Result<(), Error> {
        self.entries.push(entry);
        let text = serde_json::to_string_pretty(&self.entries)
            .map_err(|e| ForgeError::artifact(&self.path, e))?;
        Ok(WholeFile::write(&self.path, text).map_err(|e| ForgeError::io(&self.path, e))?)
    }
}

/// Mean and standard deviation over runs.
pub(crate) fn mean_and_deviation(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    let squares = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>();
    (mean, (squares / n).sqrt())
}

/// Does `one` to each of `runs`, `jobs` of them at a time.
pub(crate) fn several_at_a_time<R: Sync>(
    jobs: usize,
    runs: &[R],
    one: impl Fn(&R) -> Result<(), Error> + Sync,
) -> Result<(), Error> {
    let next = AtomicUsize::new(0);
    let work = || -> Result<(), Error> {
        while let Some(run) = runs.get(next.fetch_add(1, Ordering::Relaxed)) {
            one(run)?;
        }
        Ok(())
    };
    std::thread::scope(|scope| {
        let workers: Vec<_> = (0..jobs.max(1)).map(|_| scope.spawn(work)).collect();
        // The first error is told when all others have ended: they lose nothing by it.
        let mut ended = Ok(());
        for worker in workers {
            match worker.join() {
                Ok(result) => ended = ended.and(result),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        ended
    })
}

pub(crate) fn lock<T>(shared: &Mutex<T>) -> MutexGuard<'_, T> {
    shared.lock().unwrap_or_else(PoisonError::into_inner)
}
