//! What is done.

use std::fmt;
use std::path::Path;

use serde::{Deserialize, Serialize};
use volatilityforge::train::metric::Scores;
use volatilityforge::{Error, Strategy};

use crate::file::{Asked, ResultsFile, mean_and_deviation};
use crate::set::Inputs;

/// Which run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) set: String,
    pub(crate) horizon: usize,
    pub(crate) model: String,
    pub(crate) strategy: Strategy,
    pub(crate) lookback: usize,
    pub(crate) seed: u64,
    /// Where it is not the set's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) objective: Option<String>,
    /// Where they are not all that the set has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) inputs: Option<Inputs>,
    /// Networks whose forecasts are averaged, where it is not one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) ensemble: Option<usize>,
    /// Whether it is trained again with the validation steps.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) refit: bool,
    /// Whether optimiser and schedule are those of the model's authors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub(crate) authors: bool,
    #[serde(default, skip_serializing_if = "Asked::is_nothing")]
    pub(crate) asked: Asked,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}-{}-{}-{}-{}-{}",
            self.set, self.horizon, self.model, self.strategy, self.lookback, self.seed
        )?;
        // The name of a folder too.
        let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
        if let Some(objective) = &self.objective {
            write!(f, "-{}", objective.chars().map(plain).collect::<String>())?;
        }
        if let Some(inputs) = self.inputs {
            write!(f, "-{inputs:?}")?;
        }
        if let Some(ensemble) = self.ensemble {
            write!(f, "-ensemble{ensemble}")?;
        }
        if self.refit {
            f.write_str("-refit")?;
        }
        if self.authors {
            f.write_str("-authors")?;
        }
        write!(f, "{}", self.asked)
    }
}

impl Key {
    /// What is not as the set has it, to be read.
    fn settings(&self) -> String {
        let mut all = vec![];
        all.extend(self.objective.clone());
        all.extend(
            self.inputs
                .map(|inputs| format!("inputs {inputs:?}").to_lowercase()),
        );
        all.extend(self.ensemble.map(|n| format!("mean of {n}")));
        all.extend(self.refit.then(|| "refit".into()));
        all.extend(self.authors.then(|| "authors' schedule".into()));
        all.extend(self.asked.told());
        all.into_iter().map(|setting| setting + "; ").collect()
    }
}

/// One run.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Entry {
    #[serde(flatten)]
    pub(crate) key: Key,
    /// The score that decides for the set.
    pub(crate) score: String,
    pub(crate) value: f64,
    pub(crate) scores: Scores,
    /// Figures of others, and of which score they are.
    pub(crate) listed: Vec<(String, f64)>,
    /// Test windows.
    pub(crate) windows: usize,
    /// Of each fit.
    pub(crate) epochs: Vec<usize>,
    pub(crate) parameters: usize,
    /// Of all fits together.
    pub(crate) training_seconds: f64,
    pub(crate) seconds: f64,
    pub(crate) device: String,
    /// Whose training settings.
    pub(crate) settings: String,
    /// Columns beside the targets that are there to be taken.
    #[serde(default)]
    pub(crate) past: Vec<String>,
    /// Scores of each fit on its validation windows, on the model's scale: by these models are chosen.
    #[serde(default)]
    pub(crate) validation: Vec<Scores>,
    /// Such as which columns the model does not take.
    pub(crate) notes: Vec<String>,
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

    /// Mean and standard deviation over the seeds, and the figures of others.
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
        keys.sort_by(|a, b| (&a.set, a.horizon).cmp(&(&b.set, b.horizon)));
        let mut shown = None;
        for key in keys {
            let all = self.0.entries().iter();
            let runs: Vec<&Entry> = all.filter(|entry| of(entry) == key).collect();
            if shown != Some((key.set.clone(), key.horizon)) {
                println!("{} {} ({})", key.set, key.horizon, runs[0].score);
                for (who, figure) in &runs[0].listed {
                    println!("  {who:<44}{figure:>10.4}");
                }
                shown = Some((key.set.clone(), key.horizon));
            }
            let values: Vec<f64> = runs.iter().map(|run| run.value).collect();
            let (mean, deviation) = mean_and_deviation(&values);
            let others = runs[0].scores.iter().filter(|s| s.name != runs[0].score);
            let others = others.map(|other| {
                let values = runs.iter().filter_map(|run| run.scores.get(&other.name));
                let (mean, _) = mean_and_deviation(&values.collect::<Vec<_>>());
                format!("{} {mean:.4}", other.name)
            });
            let others: Vec<String> = others.collect();
            let seeds: Vec<String> = runs.iter().map(|run| run.key.seed.to_string()).collect();
            println!(
                "  ours: {:<20}{:<10}{:>8}{mean:>10.4} ± {deviation:.4}  seeds {}; {}{}",
                key.model,
                key.strategy.to_string(),
                key.lookback,
                seeds.join(" "),
                key.settings(),
                others.join(", ")
            );
        }
    }
}
