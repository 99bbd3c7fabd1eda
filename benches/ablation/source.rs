//! Which tables, and which of their rows.

use std::path::{Path, PathBuf};

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use volatilityforge::data::{ColumnValues, Split, SplitConfig, TargetTransform};
use volatilityforge::{Error, ReadOptions, Table, Task, read_table};

use crate::set::{self, Set};

/// A table of the ablation.
#[derive(Debug)]
pub(crate) enum Source {
    /// One with a published split.
    Published(&'static str),
    /// The chain of S&P 500 options, split at random by the seed: implied volatility.
    Chain,
}

pub(crate) const ALL: &[Source] = &[
    Source::Chain,
    Source::Published("california_housing"),
    Source::Published("cpu_act"),
    Source::Published("churn_modelling"),
    Source::Published("phoneme"),
    Source::Published("letter"),
];

const CHAIN: &str = "spx_options";

impl Source {
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Published(name) => name,
            Self::Chain => CHAIN,
        }
    }

    fn set(&self) -> Option<&'static Set> {
        set::ALL.iter().find(|set| set.name == self.name())
    }

    pub(crate) fn task(&self) -> Task {
        self.set().map_or(Task::Regression, |set| set.task)
    }

    pub(crate) fn target(&self) -> &'static str {
        self.set().map_or("implied_vol", |set| set.target)
    }

    pub(crate) fn score(&self) -> &'static str {
        self.set().map_or("rmse", |set| set.score)
    }

    pub(crate) fn ignore(&self) -> &'static [&'static str] {
        // Prices, of which the volatility is computed.
        self.set().map_or(&["bid", "ask", "mid"], |set| set.ignore)
    }

    fn folder(&self, data: &Path) -> PathBuf {
        match data.join("tables") {
            tables if tables.join(self.name()).exists() => tables,
            _ => data.into(),
        }
    }

    pub(crate) fn is_in(&self, data: &Path) -> bool {
        match self {
            Self::Published(name) => self.folder(data).join(name).exists(),
            Self::Chain => data.join(CHAIN).with_extension("csv").exists(),
        }
    }

    /// The table and its parts: at most `rows` of them to train, as many to test, half as many to
    /// validate.
    pub(crate) fn load(
        &self,
        data: &Path,
        seed: u64,
        rows: usize,
    ) -> Result<(Table, Split), Error> {
        let (table, mut split) = match self.set() {
            Some(set) => set.load(&self.folder(data), seed)?,
            None => {
                let path = data.join(CHAIN).with_extension("csv");
                let (table, _) = read_table(path, &ReadOptions::default())?;
                let random = SplitConfig::Random {
                    fraction: 0.2,
                    seed,
                    stratify: None,
                };
                let split = random.split(&table, 0.15)?;
                (table, split)
            }
        };
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let parts = [
            (&mut split.train, rows),
            (&mut split.validation, rows / 2),
            (&mut split.test, rows),
        ];
        for (part, most) in parts {
            part.shuffle(&mut rng);
            part.truncate(most);
        }
        Ok((table, split))
    }

    /// How many classes there are; none where numbers are predicted.
    pub(crate) fn classes(&self, table: &Table) -> Result<Option<usize>, Error> {
        if self.task() != Task::Classification {
            return Ok(None);
        }
        let column = table.column(self.target())?;
        if let ColumnValues::Categorical(labels) = &column.values {
            return Ok(Some(labels.categories.len()));
        }
        let mut values = TargetTransform::read(table, self.target(), None)?;
        values.sort_by(f64::total_cmp);
        values.dedup();
        Ok(Some(values.len()))
    }
}
