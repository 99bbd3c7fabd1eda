//! Labelled rows, prepared once, and what the network says of others.

use burn::tensor::{DType, Device};
use forge_nn::host::softmax;
use forge_nn::{BarDistribution, ForgeError, Network, check};
use serde::{Deserialize, Serialize};

use super::features::{Features, Recipe};
use super::member::Member;
use super::target::PowerTarget;
use crate::TabPfnV2;
use crate::tabular::in_context::{
    Cells, InContext, Kind, LabelledTable, Question, ROWS_PER_PASS, add, ask,
};

/// How many ways to look at a table are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabPfnV2EnsembleConfig {
    /// Passes, at least 1; absent: 4 for classes and 8 for numbers, the package's.
    pub members: Option<usize>,
    /// Logits are divided by this before the softmax, above 0. Default 0.9, the package's.
    pub temperature: f64,
    /// What the orders depend on. Default 0.
    pub seed: u64,
    /// Memory that a pass may take, in GB, above 0; a table that needs more is refused. Default 8.
    pub gigabytes: f64,
}

impl Default for TabPfnV2EnsembleConfig {
    fn default() -> Self {
        Self {
            members: None,
            temperature: 0.9,
            seed: 0,
            gigabytes: 8.0,
        }
    }
}

/// Labelled rows of numbers as the package's estimators give them to a released checkpoint: columns
/// that never vary left out, two preparations of the others, a fingerprint per row, the features in
/// several orders, the classes under several names, half of the passes over numbers through a power
/// transform of the target; mean probabilities.
///
/// Categories have to be numbered before; NaN where a value is missing. Orders and fingerprints are
/// drawn as the package does but with other random numbers, so that single members differ.
///
/// ```
/// use forge_models::{TabPfnV2Config, TabPfnV2Ensemble, TabPfnV2EnsembleConfig};
/// use forge_nn::burn::tensor::Device;
/// use forge_nn::{BarDistribution, ModuleConfig};
///
/// let device = Device::flex();
/// let small = TabPfnV2Config { n_num_features: 2, emsize: 24, nlayers: 2, ..Default::default() };
/// let rows = [[0.0, 1.0], [1.0, f64::NAN], [2.0, -1.0], [3.0, 0.5]];
/// let ask = TabPfnV2EnsembleConfig::default();
///
/// let model = small.try_init(&device)?;
/// let ensemble = TabPfnV2Ensemble::of_classes(&rows, &[0.0, 0.0, 1.0, 1.0], ask)?;
/// let probabilities = ensemble.predict(&model, &[[1.5, 0.0]])?;
/// assert_eq!(probabilities[0].len(), 2);
///
/// // The borders are the checkpoint's: `BarDistribution::of_checkpoint`.
/// let bars = BarDistribution::new((-4..=4).map(f64::from).collect())?;
/// let config = TabPfnV2Config { max_num_classes: 0, num_buckets: 8, ..small };
/// let model = config.try_init(&device)?;
/// let ensemble = TabPfnV2Ensemble::of_numbers(&rows, &[10.0, 20.0, 30.0, 40.0], bars, ask)?;
/// let p = &ensemble.predict(&model, &[[1.5, 0.0]])?[0];
/// let bars = ensemble.bars().ok_or("numbers have buckets")?;
/// println!("mean {}, median {}, mode {}", bars.mean(p), bars.quantile(p, 0.5), bars.mode(p));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone)]
pub struct TabPfnV2Ensemble {
    config: TabPfnV2EnsembleConfig,
    table: LabelledTable,
    /// Of numbers.
    buckets: Option<Buckets>,
    preparations: Vec<Features>,
    members: Vec<Member>,
}

/// The network's buckets.
#[derive(Debug, Clone)]
struct Buckets {
    /// On the standardised scale.
    standard: BarDistribution,
    /// In the labels' unit.
    own: BarDistribution,
    power: PowerTarget,
}

impl InContext for TabPfnV2 {
    fn place(&self) -> (Device, DType) {
        self.place()
    }
}

impl TabPfnV2Ensemble {
    /// Rows with classes numbered from 0.
    ///
    /// # Errors
    /// A config error for a setting, a shape error for rows and labels that do not fit each other
    /// or are none, an infinite value, a label that is no class number, or columns that never vary.
    pub fn of_classes<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        config: TabPfnV2EnsembleConfig,
    ) -> Result<Self, ForgeError> {
        let table = LabelledTable::of_classes(rows, labels, Cells::MayBeMissing)?;
        let with_quantiles = Recipe::WithQuantiles {
            rows_per_quantile: 10,
        };
        Self::new(table, None, [with_quantiles, Recipe::Plain], config)
    }

    /// Rows with numbers to predict, and the buckets of the network's checkpoint.
    ///
    /// # Errors
    /// As [`of_classes`](Self::of_classes), but for class numbers; a shape error for labels that are all
    /// the same.
    pub fn of_numbers<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        bars: BarDistribution,
        config: TabPfnV2EnsembleConfig,
    ) -> Result<Self, ForgeError> {
        let table = LabelledTable::of_numbers(rows, labels, Cells::MayBeMissing)?;
        let with_quantiles = Recipe::WithQuantiles {
            rows_per_quantile: 5,
        };
        let own = match table.kind() {
            Kind::Numbers { mean, scale } => bars.moved(scale, mean)?,
            Kind::Classes(_) => bars.clone(),
        };
        let buckets = Buckets {
            power: PowerTarget::new(&table.labels(None), &bars)?,
            standard: bars,
            own,
        };
        Self::new(
            table,
            Some(buckets),
            [with_quantiles, Recipe::Power],
            config,
        )
    }

    fn new(
        table: LabelledTable,
        buckets: Option<Buckets>,
        recipes: [Recipe; 2],
        config: TabPfnV2EnsembleConfig,
    ) -> Result<Self, ForgeError> {
        let count = config
            .members
            .unwrap_or(if buckets.is_some() { 8 } else { 4 });
        check::at_least_one("members", count)?;
        check::positive("temperature", config.temperature)?;
        check::positive("gigabytes", config.gigabytes)?;
        let draws_in = buckets.is_none();
        let fit = |recipe| Features::fit(recipe, table.rows(), draws_in);
        let preparations = recipes.map(fit).to_vec();
        let widths: Vec<usize> = preparations.iter().map(|features| features.width).collect();
        Ok(Self {
            members: Member::draw(&widths, table.classes(), count, config.seed),
            config,
            table,
            buckets,
            preparations,
        })
    }

    /// The buckets in the labels' unit, to read probabilities by; absent for classes.
    #[must_use]
    pub fn bars(&self) -> Option<&BarDistribution> {
        self.buckets.as_ref().map(|buckets| &buckets.own)
    }

    /// For each row the probabilities of the classes, or of the [buckets](Self::bars).
    ///
    /// # Errors
    /// A shape error for rows of another width or infinite values, a table of more columns or
    /// labelled rows than the network takes, or other buckets than its; a config error if that needs
    /// more memory than allowed; an unsupported error if the network takes labels for something else
    /// or has fewer classes.
    pub fn predict<R: AsRef<[f64]>>(
        &self,
        model: &TabPfnV2,
        rows: &[R],
    ) -> Result<Vec<Vec<f64>>, ForgeError> {
        self.table.suits(model.classes())?;
        let [columns, labelled] = model.limits();
        self.table.within(columns, labelled)?;
        let outputs = model.spec().d_out;
        let width = match &self.buckets {
            Some(buckets) if buckets.standard.len() != outputs => {
                let found = format!("{} buckets", buckets.standard.len());
                let expected = format!("{outputs}, the network's outputs");
                return Err(ForgeError::shape("bars", found, expected));
            }
            Some(_) => outputs,
            None => self.table.classes().unwrap_or(outputs),
        };
        let rows = self.table.others(rows)?;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        self.fits(model, rows.len())?;
        let mut sums = vec![vec![0.0; width]; rows.len()];
        for member in &self.members {
            let said = self.said(model, member, &rows)?;
            let share = 1.0 / self.members.len() as f64;
            add(&mut sums, &said, member.names.as_deref(), share);
        }
        Ok(sums)
    }

    /// Refuses what would not fit into memory.
    fn fits(&self, model: &TabPfnV2, rows: usize) -> Result<(), ForgeError> {
        let labelled = self.table.rows().len();
        let widths = self.preparations.iter().map(|features| features.width);
        let columns = widths.max().unwrap_or(1);
        let bytes = model.pass_bytes(rows.min(ROWS_PER_PASS), labelled, columns);
        let (needed, gigabytes) = (bytes as f64 / 1e9, self.config.gigabytes);
        if needed <= gigabytes {
            return Ok(());
        }
        let allowed = format!(
            "at least {needed:.1} for {labelled} labelled rows of {columns} features: take fewer \
             rows or columns"
        );
        Err(ForgeError::config("gigabytes", gigabytes, allowed))
    }

    /// A member's probabilities, of classes under its names.
    fn said(
        &self,
        model: &TabPfnV2,
        member: &Member,
        rows: &[Vec<f64>],
    ) -> Result<Vec<Vec<f64>>, ForgeError> {
        let features = &self.preparations[member.preparation];
        let ordered = |row: &[f64]| member.order.iter().map(|j| row[*j]).collect::<Vec<_>>();
        let labels = self.table.labels(member.names.as_deref());
        let power = self.buckets.as_ref().filter(|_| member.power);
        let question = Question {
            labelled: features.labelled.iter().map(|row| ordered(row)).collect(),
            labels: power.map_or_else(|| labels.clone(), |b| b.power.labels(&labels)),
            rows: rows
                .iter()
                .map(|row| ordered(&features.apply(row)))
                .collect(),
        };
        let model = model.clone().for_columns(features.width);
        let mut said = ask(&model, question)?;
        for row in &mut said {
            row.truncate(self.table.classes().unwrap_or(row.len()));
            *row = softmax(row, 1.0 / self.config.temperature);
            if let Some(buckets) = power {
                *row = buckets
                    .power
                    .probabilities(std::mem::take(row), &buckets.standard);
            }
        }
        Ok(said)
    }
}
