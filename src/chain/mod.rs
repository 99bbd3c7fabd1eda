//! Option chains: what an [experiment](crate::experiment) on one is, and how its report shows
//! smiles, quotes that are none, and smiles as tasks to adapt to. Nothing else in this crate knows what an option is.

mod quotes;
mod smile_tasks;
mod smiles;

use forge_data::{SplitConfig, SyntheticMarketConfig};

use crate::experiment::{ExperimentConfig, Summary};

pub use quotes::{DoubtfulQuotes, QUOTE_COLUMNS, doubtful_quotes, quotes_section};
pub use smile_tasks::{Smile, SmileTasks, SmileTasksConfig, SmilesBy};
pub use smiles::smiles;

/// The column that an experiment on a chain predicts: volatility as a fraction, 0.15 for 15 %.
pub const TARGET: &str = "implied_vol";

/// Columns of the synthetic market that give the answer away, and levels of the index: a model
/// that learns by them what a day's volatility was has learnt nothing about later days.
pub const NOT_FEATURES: [&str; 7] = ["bid", "ask", "mid", "discount", "strike", "spot", "forward"];

/// An experiment on a synthetic market: implied volatility from the contract, the last fifth of
/// the days held out.
///
/// 160 days of nine expiries: few strikes on many days teach more about later days than many
/// strikes on few, and a split by date has seen many levels of volatility.
#[must_use]
pub fn experiment() -> ExperimentConfig {
    ExperimentConfig {
        market: Some(SyntheticMarketConfig {
            days: 160,
            weeklies: 2,
            monthlies: 4,
            quarterlies: 3,
            strikes: 24,
            ..SyntheticMarketConfig::default()
        }),
        target: vec![TARGET.into()],
        ignore: NOT_FEATURES.map(String::from).to_vec(),
        split: Some(SplitConfig::Date {
            column: "date".into(),
            fraction: 0.2,
            resolution: Default::default(),
        }),
        ..ExperimentConfig::default()
    }
}

/// The best model's mean absolute error in volatility points (hundredths), as people speak of it,
/// where volatility is what was predicted.
#[must_use]
pub fn vol_points(summary: &Summary) -> Option<f64> {
    let best = summary.models.iter().find(|m| m.name == summary.best)?;
    let is_vol = summary.target == [TARGET];
    best.scores.get("mae").filter(|_| is_vol).map(|e| 100.0 * e)
}
