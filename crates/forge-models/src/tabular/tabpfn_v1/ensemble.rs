//! Predicting with the released checkpoint as its authors do.

use burn::tensor::{DType, Device, Tensor};
use forge_nn::host::softmax;
use forge_nn::{ForgeError, Network, check};
use serde::{Deserialize, Serialize};

use crate::TabPfnV1;
use crate::tabular::in_context::{
    Cells, Habits, InContext, LabelledTable, Preparation, Question, SplitMix, add, ask, shifted,
};

/// As `transformer_predict` prepares columns.
const HABITS: Habits = Habits {
    lost: 1,
    least: 0.0,
};

/// How many ways to look at a table are averaged.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct TabPfnV1EnsembleConfig {
    /// Passes, at least 1; there are no more than there are shifts and transforms. Default 3, the
    /// authors' (their paper's results are of 32).
    pub members: usize,
    /// Logits are divided by this before the softmax, above 0. Default 0.8, the authors'.
    pub temperature: f64,
    /// What the shifts depend on. Default 0.
    pub seed: u64,
}

impl Default for TabPfnV1EnsembleConfig {
    fn default() -> Self {
        Self {
            members: 3,
            temperature: 0.8,
            seed: 0,
        }
    }
}

/// Labelled rows of numbers as the authors' classifier gives them to its network: columns that never
/// vary left out, the others standardised, every other member after a power transform, far values
/// drawn in, missing values (NaN) as 0; columns and classes moved round, and mean logits.
///
/// Categories have to be numbered before. Shifts are drawn as the authors do but with other random
/// numbers, so that single members differ.
///
/// ```
/// use forge_models::{TabPfnV1Config, TabPfnV1Ensemble, TabPfnV1EnsembleConfig};
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::Device;
///
/// let config = TabPfnV1Config { emsize: 16, nlayers: 2, ..TabPfnV1Config::default() };
/// let model = config.try_init(&Device::flex())?;
/// let rows = [[0.0, 1.0], [1.0, f64::NAN], [2.0, -1.0], [3.0, 0.5]];
/// let labels = [0.0, 0.0, 1.0, 1.0];
/// let ensemble = TabPfnV1Ensemble::new(&rows, &labels, TabPfnV1EnsembleConfig::default())?;
/// let probabilities = ensemble.predict(&model, &[[1.5, 0.0]])?;
/// assert!((probabilities[0].iter().sum::<f64>() - 1.0).abs() < 1e-9);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct TabPfnV1Ensemble {
    config: TabPfnV1EnsembleConfig,
    table: LabelledTable,
    /// The columns' preparation without and with the power transform.
    preparations: [Vec<Preparation>; 2],
    members: Vec<Member>,
}

/// One way to look at a table.
#[derive(Debug, Clone)]
struct Member {
    /// The column that comes first.
    first: usize,
    /// What each class is called.
    names: Vec<usize>,
    power: bool,
}

impl InContext for TabPfnV1 {
    fn place(&self) -> (Device, DType) {
        let weight = self.x_encoder.weight.val();
        (weight.device(), weight.dtype())
    }

    fn shaped(&self, x: Tensor<2>) -> Result<Tensor<2>, ForgeError> {
        self.widen(x)
    }
}

impl TabPfnV1Ensemble {
    /// Rows with classes numbered from 0; NaN where a value is missing.
    ///
    /// # Errors
    /// A config error for a setting, a shape error for rows and labels that do not fit each other
    /// or are none, an infinite value, a label that is no class number, or columns that never vary.
    pub fn new<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        config: TabPfnV1EnsembleConfig,
    ) -> Result<Self, ForgeError> {
        check::at_least_one("members", config.members)?;
        check::positive("temperature", config.temperature)?;
        let table = LabelledTable::of_classes(rows, labels, Cells::MayBeMissing)?;
        let columns = table.columns();
        let prepared = |power| {
            let column = |j| Preparation::fit(&table.column(j), power, HABITS);
            (0..columns).map(column).collect::<Vec<_>>()
        };
        Ok(Self {
            preparations: [prepared(false), prepared(true)],
            members: members(columns, table.classes().unwrap_or(1), config),
            table,
            config,
        })
    }

    /// For each row the probabilities of the classes.
    ///
    /// # Errors
    /// A shape error for rows of another width or infinite values, or a table of more columns or
    /// labelled rows than the network takes; an unsupported error if it has fewer classes.
    pub fn predict<R: AsRef<[f64]>>(
        &self,
        model: &TabPfnV1,
        rows: &[R],
    ) -> Result<Vec<Vec<f64>>, ForgeError> {
        let spec = model.spec();
        self.table.suits(spec.d_out)?;
        self.table.within(spec.n_num_features, model.row_limit)?;
        let rows = self.table.others(rows)?;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let classes = self.table.classes().unwrap_or(1);
        let mut sums = vec![vec![0.0; classes]; rows.len()];
        for member in &self.members {
            let seen = |rows: &[Vec<f64>]| rows.iter().map(|row| self.seen(row, member)).collect();
            let question = Question {
                labelled: seen(self.table.rows()),
                labels: self.table.labels(Some(&member.names)),
                rows: seen(&rows),
            };
            let share = 1.0 / self.members.len() as f64;
            add(
                &mut sums,
                &ask(model, question)?,
                Some(&member.names),
                share,
            );
        }
        for row in &mut sums {
            *row = softmax(row, 1.0 / self.config.temperature);
        }
        Ok(sums)
    }

    /// A row as a member sees it.
    fn seen(&self, row: &[f64], member: &Member) -> Vec<f64> {
        let preparations = &self.preparations[usize::from(member.power)];
        let order = (member.first..row.len()).chain(0..member.first);
        let value = |j: usize| match preparations[j].apply(row[j]) {
            x if x.is_nan() => 0.0,
            x => x,
        };
        order.map(value).collect()
    }
}

/// All pairs of shifts, shuffled, each first without and then with the power transform, until there
/// are enough.
fn members(columns: usize, classes: usize, config: TabPfnV1EnsembleConfig) -> Vec<Member> {
    let mut random = SplitMix(config.seed);
    let mut pairs: Vec<(usize, usize)> = (0..classes)
        .flat_map(|shift| (0..columns).map(move |first| (shift, first)))
        .collect();
    random.shuffle(&mut pairs);
    let both = pairs
        .into_iter()
        .flat_map(|pair| [(pair, false), (pair, true)]);
    let member = |((shift, first), power)| Member {
        first,
        names: shifted(classes, shift),
        power,
    };
    both.take(config.members).map(member).collect()
}
