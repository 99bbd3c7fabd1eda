//! Labelled rows, prepared once, and what the network says of others.

use burn::tensor::{DType, Device};
use forge_nn::host::softmax;
use forge_nn::{ForgeError, Network, check};
use serde::{Deserialize, Serialize};

use super::member::Member;
use crate::TabIcl;
use crate::tabular::in_context::{
    Cells, Habits, InContext, Kind, LabelledTable, Preparation, Question, add, ask,
};

/// As the package prepares columns.
const HABITS: Habits = Habits {
    lost: 0,
    least: 1e-6,
};

/// How many ways to look at a table are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabIclEnsembleConfig {
    /// Passes, at least 1; there are no more than there are orders, namings and transforms.
    /// Default 8, the package's.
    pub members: usize,
    /// Logits are divided by this before the softmax, above 0. Default 0.9, the package's.
    pub temperature: f64,
    /// What the orders depend on. Default 0.
    pub seed: u64,
}

impl Default for TabIclEnsembleConfig {
    fn default() -> Self {
        Self {
            members: 8,
            temperature: 0.9,
            seed: 0,
        }
    }
}

/// Labelled rows of numbers, as the package's estimators give them to a released checkpoint: columns
/// that never vary left out, the others standardised (every other member after a power transform)
/// with far values drawn in, in several orders, the classes under several names.
///
/// Categories have to be numbered and missing cells imputed before. Orders are drawn as the
/// package does but with other random numbers, so that single members differ.
///
/// ```
/// use forge_models::{TabIclConfig, TabIclEnsemble, TabIclEnsembleConfig, TabularConfig, TabularSpec};
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::Device;
///
/// let config = TabIclConfig { embed_dim: 16, n_num_features: 2, ..TabIclConfig::second_version() };
/// let model = config.try_init(&Device::flex())?;
/// let rows = [[0.0, 1.0], [1.0, 3.0], [2.0, -1.0], [3.0, 0.5]];
/// let labels = [0.0, 0.0, 1.0, 1.0];
/// let ensemble = TabIclEnsemble::of_classes(&rows, &labels, TabIclEnsembleConfig::default())?;
/// let probabilities = ensemble.predict(&model, &[[1.5, 0.0]])?;
/// assert_eq!(probabilities[0].len(), 2);
/// assert!((probabilities[0].iter().sum::<f64>() - 1.0).abs() < 1e-9);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TabIclEnsemble {
    config: TabIclEnsembleConfig,
    table: LabelledTable,
    /// The columns' preparation without and with the power transform.
    preparations: [Vec<Preparation>; 2],
    members: Vec<Member>,
}

impl InContext for TabIcl {
    fn place(&self) -> (Device, DType) {
        self.place()
    }
}

impl TabIclEnsemble {
    /// Rows with classes numbered from 0.
    ///
    /// # Errors
    /// A config error for a setting, a shape error for rows and labels that do not fit each other
    /// or are none, a value that is not finite or a label that is no class number.
    pub fn of_classes<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        config: TabIclEnsembleConfig,
    ) -> Result<Self, ForgeError> {
        Self::new(
            LabelledTable::of_classes(rows, labels, Cells::Whole)?,
            config,
        )
    }

    /// Rows with numbers to predict.
    ///
    /// # Errors
    /// As [`of_classes`](Self::of_classes), but for class numbers; a shape error for labels that are all
    /// the same.
    pub fn of_numbers<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        config: TabIclEnsembleConfig,
    ) -> Result<Self, ForgeError> {
        Self::new(
            LabelledTable::of_numbers(rows, labels, Cells::Whole)?,
            config,
        )
    }

    fn new(table: LabelledTable, config: TabIclEnsembleConfig) -> Result<Self, ForgeError> {
        check::at_least_one("members", config.members)?;
        check::positive("temperature", config.temperature)?;
        let columns = table.columns();
        let prepared = |power| {
            let column = |j| Preparation::fit(&table.column(j), power, HABITS);
            (0..columns).map(column).collect::<Vec<_>>()
        };
        Ok(Self {
            preparations: [prepared(false), prepared(true)],
            members: Member::draw(columns, table.classes(), config.members, config.seed),
            table,
            config,
        })
    }

    /// For each row the probabilities of the classes, or the network's quantiles in the labels'
    /// unit, lowest first.
    ///
    /// # Errors
    /// A shape error for rows of another width or values that are not finite; an unsupported error
    /// if the network takes labels for something else or has fewer classes.
    pub fn predict<R: AsRef<[f64]>>(
        &self,
        model: &TabIcl,
        rows: &[R],
    ) -> Result<Vec<Vec<f64>>, ForgeError> {
        self.table.suits(model.classes())?;
        let rows = self.table.others(rows)?;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let model = model.clone().for_columns(self.table.columns());
        let width = self.table.classes().unwrap_or(model.spec().d_out);
        let mut sums = vec![vec![0.0; width]; rows.len()];
        for member in &self.members {
            let seen = |rows: &[Vec<f64>]| rows.iter().map(|row| self.seen(row, member)).collect();
            let names = member.names.as_deref();
            let question = Question {
                labelled: seen(self.table.rows()),
                labels: self.table.labels(names),
                rows: seen(&rows),
            };
            let share = 1.0 / self.members.len() as f64;
            add(&mut sums, &ask(&model, question)?, names, share);
        }
        sums.iter_mut().for_each(|row| self.finish(row));
        Ok(sums)
    }

    /// A row as a member sees it.
    fn seen(&self, row: &[f64], member: &Member) -> Vec<f64> {
        let preparations = &self.preparations[usize::from(member.power)];
        let order = member.order.iter();
        order.map(|j| preparations[*j].apply(row[*j])).collect()
    }

    /// Mean logits to probabilities, or mean quantiles to the labels' unit and in order.
    fn finish(&self, row: &mut [f64]) {
        match self.table.kind() {
            Kind::Classes(_) => row.copy_from_slice(&softmax(row, 1.0 / self.config.temperature)),
            Kind::Numbers { mean, scale } => {
                row.iter_mut()
                    .for_each(|value| *value = *value * scale + mean);
                row.sort_by(f64::total_cmp);
            }
        }
    }
}
