//! What was reached, beside what the preset reached on the same rows.

use std::fmt;

use serde::{Deserialize, Serialize};
use volatilityforge::Strategy;

use crate::file::mean_and_deviation;
use crate::technique::PRESET;

/// Which run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Key {
    pub(crate) set: String,
    pub(crate) technique: String,
    pub(crate) model: String,
    pub(crate) strategy: Strategy,
    pub(crate) rows: usize,
    pub(crate) seed: u64,
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            set,
            technique,
            model,
            strategy,
            rows,
            seed,
        } = self;
        let technique = technique.replace(' ', "_");
        write!(f, "{set}-{technique}-{model}-{strategy}-{rows}-{seed}")
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
    pub(crate) epochs: usize,
    pub(crate) seconds: f64,
}

impl Entry {
    /// Less is better.
    fn loss(&self) -> f64 {
        match self.score.as_str() {
            "accuracy" => 1.0 - self.value,
            _ => self.value,
        }
    }

    /// Percent by which the preset's loss is lower on the same table, rows and seed.
    fn worse_than_preset(&self, all: &[Self]) -> Option<f64> {
        let preset = Key {
            technique: PRESET.into(),
            ..self.key.clone()
        };
        let preset = all.iter().find(|entry| entry.key == preset)?;
        Some(100.0 * (self.loss() / preset.loss() - 1.0))
    }
}

/// Prints a table for each model, strategy and number of rows: the change of the loss (RMSE, or the
/// share of wrong classes) against the preset in percent, mean and standard deviation over the seeds'
/// paired runs; below 0 is better.
pub(crate) fn print(entries: &[Entry]) {
    let mut groups = vec![];
    for Key {
        model,
        strategy,
        rows,
        ..
    } in entries.iter().map(|entry| &entry.key)
    {
        let group = (model, *strategy, *rows);
        if !groups.contains(&group) {
            groups.push(group);
        }
    }
    for (model, strategy, rows) in groups {
        let of = entries.iter().filter(|entry| {
            (&entry.key.model, entry.key.strategy, entry.key.rows) == (model, strategy, rows)
        });
        let of: Vec<&Entry> = of.collect();
        let names = |get: fn(&Key) -> &str| -> Vec<&str> {
            let mut names = vec![];
            for entry in &of {
                if !names.contains(&get(&entry.key)) {
                    names.push(get(&entry.key));
                }
            }
            names
        };
        let (sets, techniques) = (names(|key| &key.set), names(|key| &key.technique));
        println!("\n{model}, {strategy}, at most {rows} training rows\n");
        println!("| | {} | all | seconds |", sets.join(" | "));
        println!("|---|{}---:|---:|", "---:|".repeat(sets.len()));
        for technique in techniques {
            let runs = of.iter().filter(|entry| entry.key.technique == technique);
            let runs: Vec<&Entry> = runs.copied().collect();
            let mut cells = vec![];
            let mut all = vec![];
            for set in &sets {
                let of_set: Vec<&Entry> = runs
                    .iter()
                    .copied()
                    .filter(|entry| entry.key.set == *set)
                    .collect();
                if technique == PRESET {
                    let values: Vec<f64> = of_set.iter().map(|entry| entry.value).collect();
                    let (mean, deviation) = mean_and_deviation(&values);
                    cells.push(format!("{mean:.4} ± {deviation:.4}"));
                    continue;
                }
                let changes: Vec<f64> = of_set
                    .iter()
                    .filter_map(|entry| entry.worse_than_preset(entries))
                    .collect();
                if changes.is_empty() {
                    cells.push("–".into());
                    continue;
                }
                let (mean, deviation) = mean_and_deviation(&changes);
                all.push(mean);
                cells.push(format!("{mean:+.1} ± {deviation:.1}"));
            }
            let seconds = runs.iter().map(|entry| entry.seconds).sum::<f64>() / runs.len() as f64;
            let all = match all.is_empty() {
                true => String::new(),
                false => format!("{:+.1}", mean_and_deviation(&all).0),
            };
            println!(
                "| {technique} | {} | {all} | {seconds:.1} |",
                cells.join(" | ")
            );
        }
    }
}
