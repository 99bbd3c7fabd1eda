//! What is done, in one file.

use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::metric::Scores;
use volatilityforge::{Error, Strategy};

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    pub(crate) set: String,
    pub(crate) model: String,
    pub(crate) strategy: Strategy,
    pub(crate) seed: u64,
    /// The score that is published for the table.
    pub(crate) score: String,
    pub(crate) value: f64,
    pub(crate) scores: Scores,
    pub(crate) epochs: usize,
    pub(crate) parameters: usize,
    pub(crate) seconds: f64,
}

pub(crate) struct Results {
    path: PathBuf,
    entries: Vec<Entry>,
}

impl Results {
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

    pub(crate) fn has(&self, set: &str, model: &str, strategy: Strategy, seed: u64) -> bool {
        self.entries.iter().any(|e| {
            (e.set.as_str(), e.model.as_str(), e.strategy, e.seed) == (set, model, strategy, seed)
        })
    }

    /// Adds a run and writes the file, whole or not at all.
    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), Error> {
        self.entries.push(entry);
        let fail = |e| ForgeError::io(&self.path, e);
        let text = serde_json::to_string_pretty(&self.entries)
            .map_err(|e| ForgeError::artifact(&self.path, e))?;
        let part = self.path.with_extension("part");
        std::fs::write(&part, text).map_err(fail)?;
        Ok(std::fs::rename(&part, &self.path).map_err(fail)?)
    }

    /// Mean and standard deviation over the seeds of each table, model and strategy.
    pub(crate) fn print(&self) {
        let mut keys: Vec<(&str, &str, String)> = vec![];
        for e in &self.entries {
            let key = (e.set.as_str(), e.model.as_str(), e.strategy.to_string());
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        println!(
            "{:<20}{:<16}{:<10}{:>10}{:>10}  seeds",
            "table", "model", "strategy", "mean", "std"
        );
        for (set, model, strategy) in keys {
            let of = |e: &&Entry| {
                (e.set.as_str(), e.model.as_str(), e.strategy.to_string())
                    == (set, model, strategy.clone())
            };
            let runs: Vec<&Entry> = self.entries.iter().filter(of).collect();
            let n = runs.len() as f64;
            let mean = runs.iter().map(|e| e.value).sum::<f64>() / n;
            let squares = runs.iter().map(|e| (e.value - mean).powi(2)).sum::<f64>();
            let seeds: Vec<String> = runs.iter().map(|e| e.seed.to_string()).collect();
            println!(
                "{set:<20}{model:<16}{strategy:<10}{mean:>10.4}{:>10.4}  {} ({})",
                (squares / n).sqrt(),
                seeds.join(" "),
                runs[0].score
            );
        }
    }
}
