//! Volatility smiles as tasks to adapt to.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use forge_data::{Column, ColumnValues, DataError, Table};
use forge_meta::adaptation::{Task, TaskDistribution};
use forge_nn::{ForgeError, check};
use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::TARGET;
use crate::Error;

/// What the quotes of a task have in common.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SmilesBy {
    /// Day and expiry: one smile.
    #[default]
    Expiry,
    /// The day: its whole surface.
    Day,
}

/// How an option chain is cut into tasks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmileTasksConfig {
    /// What the quotes of a task have in common. Default: day and expiry.
    pub by: SmilesBy,
    /// Quotes to adapt to, at least 1. Default: 10.
    pub n_support: usize,
    /// Further quotes of the same task, at least 1. Default: 10.
    pub n_query: usize,
}

impl Default for SmileTasksConfig {
    fn default() -> Self {
        Self {
            by: SmilesBy::default(),
            n_support: 10,
            n_query: 10,
        }
    }
}

impl SmileTasksConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_support", self.n_support)?;
        check::at_least_one("n_query", self.n_query)
    }
}

/// A quote: `k/√t`, `√t` and volatility, as the chain has them (`k` log-moneyness, `t` years).
type Quote = [f64; 3];

/// Quotes that belong together.
#[derive(Debug, Clone, PartialEq)]
pub struct Smile {
    /// The day, as the column `date` has it; 0 for a chain without one.
    pub day: i64,
    /// Years to the (first) expiry.
    pub time: f64,
    quotes: Vec<Quote>,
}

impl Smile {
    /// How many quotes it has.
    #[must_use]
    pub fn n_quotes(&self) -> usize {
        self.quotes.len()
    }
}

/// Smiles of an option chain, of which each is a task: to say volatility from log-moneyness over the
/// root of time, and that root.
///
/// Inputs and volatilities are standardised over all quotes of the smiles that they were
/// [made](Self::of) of, or [parted](Self::parted) from.
///
/// ```
/// use volatilityforge::chain::{SmileTasks, SmileTasksConfig, experiment};
/// use volatilityforge::burn::tensor::Device;
/// use volatilityforge::meta::adaptation::TaskDistribution;
///
/// let mut market = experiment().market.unwrap_or_default();
/// market.days = 5;
/// let smiles = SmileTasks::of(&market.generate()?, SmileTasksConfig::default())?;
/// let task = smiles.task(7, &Device::flex())?;
/// assert_eq!(task.support.0.dims(), [10, 2]);
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SmileTasks {
    config: SmileTasksConfig,
    smiles: Vec<Smile>,
    left_out: usize,
    /// Centre and scale of each part of a quote.
    units: [(f64, f64); 3],
}

impl SmileTasks {
    /// Of a chain with the columns `log_moneyness`, `time_to_maturity` (years), `implied_vol` (a
    /// fraction) and, if it is of several days, `date`: by day, then by expiry. Quotes with a missing
    /// value are passed over, and so are smiles of fewer quotes than a task needs
    /// ([`left_out`](Self::left_out)).
    ///
    /// # Errors
    /// A config error for a bad setting; a data error naming a column that is missing or not of numbers,
    /// a time that is not above 0, or if no smile is left.
    pub fn of(table: &Table, config: SmileTasksConfig) -> Result<Self, Error> {
        config.validate()?;
        let [k, t, vol] = ["log_moneyness", "time_to_maturity", TARGET].map(|name| {
            let column = table.column(name)?;
            match &column.values {
                ColumnValues::Numeric(values) => Ok(values),
                _ => Err(DataError::value("a chain has numbers here").at_column(name)),
            }
        });
        let (k, t, vol) = (k?, t?, vol?);
        let days = table.column("date").ok();
        let mut groups: BTreeMap<(i64, u64), Smile> = BTreeMap::new();
        for row in 0..table.n_rows() {
            let (k, t, vol) = (k[row], t[row], vol[row]);
            if k.is_nan() || t.is_nan() || vol.is_nan() {
                continue;
            }
            if t <= 0.0 {
                let message = format!("{t} years to maturity; a quote's must be above 0");
                let error = DataError::value(message).at_column("time_to_maturity");
                return Err(error.into());
            }
            let day = days.map_or(0, |days| day(days, row));
            // Times above 0 are in the order of their bits.
            let expiry = match config.by {
                SmilesBy::Expiry => t.to_bits(),
                SmilesBy::Day => 0,
            };
            let smile = groups.entry((day, expiry)).or_insert_with(|| Smile {
                day,
                time: t,
                quotes: Vec::new(),
            });
            smile.time = smile.time.min(t);
            smile.quotes.push([k / t.sqrt(), t.sqrt(), vol]);
        }
        let (all, needed) = (groups.len(), config.n_support + config.n_query);
        let smiles = groups.into_values();
        let smiles: Vec<Smile> = smiles.filter(|s| s.n_quotes() >= needed).collect();
        if smiles.is_empty() {
            return Err(DataError::value(format!(
                "none of {all} smiles has the {needed} quotes of a task: set n_support and n_query \
                 lower, or take whole days"
            ))
            .into());
        }
        let units = units(&smiles);
        Ok(Self {
            left_out: all - smiles.len(),
            config,
            smiles,
            units,
        })
    }

    /// Those to learn from, in whose units both are, and those to try on: of several days the last
    /// fifth of the days, of one day every fifth smile.
    ///
    /// # Errors
    /// A data error if one part has no smile.
    pub fn parted(mut self) -> Result<(Self, Self), Error> {
        let mut days: Vec<i64> = self.smiles.iter().map(|smile| smile.day).collect();
        days.dedup();
        let first = days[days.len() - days.len().div_ceil(5)];
        let (several, all) = (days.len() > 1, self.smiles.len());
        let smiles = std::mem::take(&mut self.smiles);
        let smiles = smiles.into_iter().enumerate();
        let (held, kept): (Vec<_>, Vec<_>) = smiles.partition(|(at, smile)| match several {
            true => smile.day >= first,
            false => at % 5 == 2,
        });
        if held.is_empty() || kept.is_empty() {
            let message = format!("{all} smiles are too few to hold some out: at least 3");
            return Err(DataError::value(message).into());
        }
        let [held, kept] = [held, kept].map(|part| part.into_iter().map(|(_, smile)| smile));
        let kept: Vec<Smile> = kept.collect();
        let learned = Self {
            units: units(&kept),
            smiles: kept,
            ..self.clone_empty()
        };
        let tried = Self {
            smiles: held.collect(),
            ..learned.clone_empty()
        };
        Ok((learned, tried))
    }

    /// The smiles.
    #[must_use]
    pub fn smiles(&self) -> &[Smile] {
        &self.smiles
    }

    /// How many were passed over because they have too few quotes.
    #[must_use]
    pub fn left_out(&self) -> usize {
        self.left_out
    }

    /// What an error of 1 in the standardised volatility is as volatility.
    #[must_use]
    pub fn unit(&self) -> f64 {
        self.units[2].1
    }

    /// Smile number `at` (0-based) as a task, its quotes parted by `seed`.
    ///
    /// # Errors
    /// A config error if there is none of that number.
    pub fn task_of(
        &self,
        at: usize,
        seed: u64,
        device: &Device,
    ) -> Result<Task<(Tensor<2>, Tensor<2>)>, ForgeError> {
        let Some(smile) = self.smiles.get(at) else {
            let allowed = format!("below {}, the number of smiles", self.smiles.len());
            return Err(ForgeError::config("smile", at, allowed));
        };
        let mut quotes = smile.quotes.clone();
        quotes.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
        let batch = |quotes: &[Quote]| {
            let standard =
                |at: usize, quote: &Quote| (quote[at] - self.units[at].0) / self.units[at].1;
            let x = quotes.iter().flat_map(|q| [standard(0, q), standard(1, q)]);
            let y = quotes.iter().map(|q| standard(2, q));
            let tensor = |values: Vec<f64>, width| {
                let data = TensorData::new(values, [quotes.len(), width]);
                let float = device.settings().float_dtype.into();
                Tensor::<2>::from_data(data.convert_dtype(float), device)
            };
            (tensor(x.collect(), 2), tensor(y.collect(), 1))
        };
        let (support, rest) = quotes.split_at(self.config.n_support);
        Ok(Task {
            support: batch(support),
            query: batch(&rest[..self.config.n_query]),
        })
    }

    fn clone_empty(&self) -> Self {
        Self {
            config: self.config.clone(),
            smiles: Vec::new(),
            left_out: self.left_out,
            units: self.units,
        }
    }
}

impl TaskDistribution for SmileTasks {
    /// Standardised inputs `[K, 2]` and volatilities `[K, 1]`.
    type Batch = (Tensor<2>, Tensor<2>);

    fn task(&self, seed: u64, device: &Device) -> Result<Task<Self::Batch>, ForgeError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let at = random.random_range(0..self.smiles.len());
        self.task_of(at, random.random(), device)
    }
}

/// Mean and standard deviation of each part of all quotes; a part that does not vary keeps its unit.
fn units(smiles: &[Smile]) -> [(f64, f64); 3] {
    let all = || smiles.iter().flat_map(|smile| &smile.quotes);
    let n = all().count() as f64;
    [0, 1, 2].map(|at| {
        let mean = all().map(|quote| quote[at] / n).sum::<f64>();
        let variance = all()
            .map(|quote| (quote[at] - mean).powi(2) / n)
            .sum::<f64>();
        let scale = variance.sqrt();
        (mean, if scale > 1e-12 { scale } else { 1.0 })
    })
}

fn day(column: &Column, row: usize) -> i64 {
    match &column.values {
        ColumnValues::DateTime(values) => values[row],
        _ => 0,
    }
}
