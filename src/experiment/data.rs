//! The table of a run and its split.

use forge_data::{Split, SplitConfig, SyntheticMarketConfig, Table, read_table};

use super::ExperimentConfig;
use crate::Error;

/// Columns of the synthetic market that give the answer away, and levels of the index: a model
/// that learns by them what a day's volatility was has learnt nothing about later days.
const NOT_FEATURES: [&str; 8] = [
    "bid", "ask", "mid", "true_vol", "discount", "strike", "spot", "forward",
];

/// A table, how its rows are used, and what there is to say about both.
#[derive(Debug, Clone)]
pub struct ExperimentData {
    /// All rows.
    pub table: Table,
    /// Training, validation and hold-out rows.
    pub split: Split,
    /// The rule behind the split.
    pub rule: SplitConfig,
    /// Columns that are not features.
    pub ignore: Vec<String>,
    /// Where the data come from, how they are split, what was repaired.
    pub notes: Vec<String>,
}

impl ExperimentData {
    /// Reads or makes the table and splits it.
    ///
    /// # Errors
    /// Bad data, naming file, row and column; a split that the table does not allow.
    pub fn load(config: &ExperimentConfig) -> Result<Self, Error> {
        let mut ignore = config.ignore.clone();
        let mut notes = Vec::new();
        let table = if let Some(path) = &config.data {
            let (table, report) = read_table(path, &config.read)?;
            let name = path.file_name().unwrap_or(path.as_os_str());
            notes.push(format!(
                "data: {} ({} rows)",
                name.to_string_lossy(),
                table.n_rows()
            ));
            notes.extend(report.to_string().lines().map(String::from));
            table
        } else {
            let market = SyntheticMarketConfig {
                seed: config.seed,
                ..config.market.clone()
            };
            let table = market.generate()?;
            notes.push(format!(
                "data: SYNTHETIC option chain, {} quotes (seed {}); no market was observed",
                table.n_rows(),
                config.seed
            ));
            let known = |name: &&&str| table.column(name).is_ok();
            ignore.extend(NOT_FEATURES.iter().filter(known).map(ToString::to_string));
            table
        };
        let rule = config
            .split
            .clone()
            .unwrap_or_else(|| config.default_split());
        let split = rule.split(&table, config.validation_fraction)?;
        notes.push(format!(
            "split: {rule}; {} training, {} validation, {} hold-out rows",
            split.train.len(),
            split.validation.len(),
            split.test.len()
        ));
        ignore.sort();
        ignore.dedup();
        if !ignore.is_empty() {
            notes.push(format!("not features: {}", ignore.join(", ")));
        }
        Ok(Self {
            table,
            split,
            rule,
            ignore,
            notes,
        })
    }
}
