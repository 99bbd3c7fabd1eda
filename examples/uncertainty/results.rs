//! What was measured, in a file that a run which was killed goes on from.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use volatilityforge::Error;
use volatilityforge::files::WholeFile;
use volatilityforge::nn::ForgeError;

use crate::net::Schedule;

/// RMSE and log likelihood of each training so far.
pub(crate) struct Results {
    path: Option<PathBuf>,
    found: BTreeMap<String, [f64; 2]>,
}

impl Results {
    /// Those in a file, if there is one already; nothing is kept without a path.
    pub(crate) fn open(path: Option<&Path>) -> Result<Self, Error> {
        let found = match path.filter(|path| path.exists()) {
            None => BTreeMap::new(),
            Some(path) => {
                let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
                serde_json::from_str(&text).map_err(|e| ForgeError::artifact(path, e))?
            }
        };
        let path = path.map(Path::to_path_buf);
        Ok(Self { path, found })
    }

    /// The scores of a training with these settings: those in the file, or `measure`'s, which are written.
    pub(crate) fn of(
        &mut self,
        [set, method, rows]: [&str; 3],
        split: usize,
        schedule: Schedule,
        measure: impl FnOnce() -> Result<[f64; 2], Error>,
    ) -> Result<[f64; 2], Error> {
        let Schedule { epochs, rate } = schedule;
        let key =
            format!("{set}, {rows} rows of split {split}: {method}, {epochs} epochs at {rate}");
        if let Some(scores) = self.found.get(&key) {
            return Ok(*scores);
        }
        let scores = measure()?;
        self.found.insert(key, scores);
        if let Some(path) = &self.path {
            let text = serde_json::to_string_pretty(&self.found)
                .map_err(|e| ForgeError::artifact(path, e))?;
            WholeFile::write(path, text).map_err(|e| ForgeError::io(path, e))?;
        }
        Ok(scores)
    }
}
