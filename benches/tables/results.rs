//! What is done, in one file.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use volatilityforge::data::NumericTransform;
use volatilityforge::train::metric::Scores;
use volatilityforge::{Error, Strategy};

use crate::file::{Asked, ResultsFile, mean_and_deviation};

/// Which run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) set: String,
    pub(crate) model: String,
    pub(crate) strategy: Strategy,
    pub(crate) seed: u64,
    #[serde(default, skip_serializing_if = "Asked::is_nothing")]
    pub(crate) asked: Asked,
    /// How columns of numbers are scaled, where it is not as usual.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) numeric: Option<NumericTransform>,
    /// Settings over the preset's, by their places.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(crate) settings: Vec<String>,
}

impl Key {
    /// Each setting that is given, to be read.
    fn told(&self) -> Vec<String> {
        let numeric = self.numeric;
        let numeric = numeric.map(|numeric| format!("numeric {numeric:?}").to_lowercase());
        let told = self.asked.told().into_iter().chain(numeric);
        told.chain(self.settings.iter().cloned()).collect()
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            set,
            model,
            strategy,
            seed,
            asked,
            numeric,
            settings,
        } = self;
        write!(f, "{set}-{model}-{strategy}-{seed}{asked}")?;
        numeric.map_or(Ok(()), |numeric| write!(f, "-{numeric:?}"))?;
        // The name is a folder's too, which takes neither every character nor any length.
        if !settings.is_empty() {
            let hash = blake3::hash(settings.join("\n").as_bytes()).to_hex();
            write!(f, "-{}", &hash[..12])?;
        }
        Ok(())
    }
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) key: Key,
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

    pub(crate) fn has(&self, key: &Key) -> bool {
        self.0.entries().iter().any(|entry| entry.key == *key)
    }

    pub(crate) fn add(&mut self, entry: Entry) -> Result<(), Error> {
        self.0.add(entry)
    }

    /// Mean and standard deviation over the seeds of each table, model, strategy and settings.
    pub(crate) fn print(&self) {
        let of = |entry: &Entry| Key {
            seed: 0,
            ..entry.key.clone()
        };
        let mut keys: Vec<Key> = vec![];
        for entry in self.0.entries() {
            if !keys.contains(&of(entry)) {
                keys.push(of(entry));
            }
        }
        println!(
            "{:<20}{:<16}{:<10}{:>10}{:>10}  seeds",
            "table", "model", "strategy", "mean", "std"
        );
        for key in keys {
            let all = self.0.entries().iter();
            let runs: Vec<&Entry> = all.filter(|entry| of(entry) == key).collect();
            let values: Vec<f64> = runs.iter().map(|e| e.value).collect();
            let (mean, deviation) = mean_and_deviation(&values);
            let seeds: Vec<String> = runs.iter().map(|e| e.key.seed.to_string()).collect();
            let settings: String = key.told().iter().map(|s| format!("; {s}")).collect();
            println!(
                "{:<20}{:<16}{:<10}{mean:>10.4}{deviation:>10.4}  {} ({}{settings})",
                key.set,
                key.model,
                key.strategy.to_string(),
                seeds.join(" "),
                runs[0].score
            );
        }
    }
}
