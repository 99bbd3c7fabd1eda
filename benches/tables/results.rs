//! What is done, in one file.

use std::path::Path;

use serde::{Deserialize, Serialize};
use volatilityforge::train::metric::Scores;
use volatilityforge::{Error, Strategy};

use crate::file::{ResultsFile, mean_and_deviation};

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

pub(crate) struct Results(ResultsFile<Entry>);

impl Results {
    pub(crate) fn open(path: &Path) -> Result<Self, Error> {
        Ok(Self(ResultsFile::open(path)?))
    }

    pub(crate) fn has(&self, set: &str, model: &str, strategy: Strategy, seed: u64) -> bool {
        self.0.entries().iter().any(|e| {
            (e.set.as_str(), e.model.as_str(), e.strategy, e.seed) == (set, model, strategy, seed)
        })
    }

    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), Error> {
        self.0.add(entry)
    }

    /// Mean and standard deviation over the seeds of each table, model and strategy.
    pub(crate) fn print(&self) {
        let mut keys: Vec<(&str, &str, String)> = vec![];
        for e in self.0.entries() {
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
            let runs: Vec<&Entry> = self.0.entries().iter().filter(of).collect();
            let values: Vec<f64> = runs.iter().map(|e| e.value).collect();
            let (mean, deviation) = mean_and_deviation(&values);
            let seeds: Vec<String> = runs.iter().map(|e| e.seed.to_string()).collect();
            println!(
                "{set:<20}{model:<16}{strategy:<10}{mean:>10.4}{deviation:>10.4}  {} ({})",
                seeds.join(" "),
                runs[0].score
            );
        }
    }
}
