//! Few classes of many, with few samples each.

use std::collections::BTreeMap;

use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::{ForgeError, check};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::{Task, TaskDistribution};

/// How large an episode of [`ClassEpisodes`] is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ClassEpisodesConfig {
    /// Classes of an episode, at least 2 and at most those with enough rows. Default: 5.
    pub ways: usize,
    /// Samples of each class in the support, at least 1. Default: 5.
    pub shots: usize,
    /// Further samples of each class in the query, at least 1. Default: 15.
    pub queries: usize,
}

impl Default for ClassEpisodesConfig {
    fn default() -> Self {
        Self {
            ways: 5,
            shots: 5,
            queries: 15,
        }
    }
}

/// Episodes of `N` classes with `K` samples each, drawn from labelled rows, as matching and
/// [prototypical](super::prototypical) networks learn from (Vinyals et al., arXiv 1606.04080; Snell et al.,
/// arXiv 1703.05175).
///
/// ```
/// use forge_meta::adaptation::{ClassEpisodes, ClassEpisodesConfig, TaskDistribution, prototypical};
/// use forge_nn::burn::tensor::Device;
///
/// // Three classes of four rows, apart in their first column.
/// let rows: Vec<f64> = (0..12).flat_map(|i| [f64::from(i / 4), f64::from(i % 4) * 0.1]).collect();
/// let classes: Vec<usize> = (0..12).map(|i| i / 4).collect();
/// let config = ClassEpisodesConfig { ways: 2, shots: 3, queries: 1 };
/// let episodes = ClassEpisodes::new(config, &rows, &classes)?;
/// let device = Device::flex();
/// let task = episodes.task(0, &device)?;
/// let [ways, queries, width] = task.query.dims();
/// let said = prototypical(task.support, task.query.reshape([ways * queries, width]))?;
/// assert_eq!(said.accuracy(episodes.query_classes(&device)).into_scalar::<f32>(), 1.0);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClassEpisodes {
    config: ClassEpisodesConfig,
    width: usize,
    rows: Vec<f64>,
    /// The rows of each class that has enough.
    classes: Vec<Vec<usize>>,
}

impl ClassEpisodes {
    /// Of features `[R x D]`, row by row, and the class of each row. Classes with fewer rows than
    /// `shots + queries` are left out.
    ///
    /// # Errors
    /// A config error for `ways` below 2 or above the classes with enough rows, or for 0 `shots` or `queries`;
    /// a shape error if the features do not fill rows, a training error for one that is not finite.
    pub fn new(
        config: ClassEpisodesConfig,
        rows: &[f64],
        classes: &[usize],
    ) -> Result<Self, ForgeError> {
        check::at_least_one("shots", config.shots)?;
        check::at_least_one("queries", config.queries)?;
        check::in_range("ways", config.ways, 2..=usize::MAX)?;
        let n = classes.len();
        if n == 0 || rows.is_empty() || !rows.len().is_multiple_of(n) {
            let found = format!("{} features for {n} classes", rows.len());
            return Err(ForgeError::shape(
                "the rows",
                found,
                "as many for each, above 0",
            ));
        }
        let width = rows.len() / n;
        if let Some(bad) = rows.iter().position(|value| !value.is_finite()) {
            let (row, column, value) = (bad / width, bad % width, rows[bad]);
            return Err(ForgeError::training(format!(
                "feature {column} of row {row} is {value}; features must be finite"
            )));
        }
        let mut by_class: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for (row, class) in classes.iter().enumerate() {
            by_class.entry(*class).or_default().push(row);
        }
        let (all, needed) = (by_class.len(), config.shots + config.queries);
        let enough = by_class.into_values().filter(|rows| rows.len() >= needed);
        let classes: Vec<Vec<usize>> = enough.collect();
        if config.ways > classes.len() {
            let allowed = format!(
                "at most {}: so many of {all} classes have the {needed} rows of an episode (shots + queries)",
                classes.len()
            );
            return Err(ForgeError::config("ways", config.ways, allowed));
        }
        Ok(Self {
            config,
            width,
            rows: rows.to_vec(),
            classes,
        })
    }

    /// How many classes have enough rows.
    #[must_use]
    pub fn n_classes(&self) -> usize {
        self.classes.len()
    }

    /// The class, within its episode, of each query once `[N, Q, D]` is `[N Q, D]`.
    ///
    /// # Shapes
    /// - output: `[N Q]`
    #[must_use]
    pub fn query_classes(&self, device: &Device) -> Tensor<1, Int> {
        let ClassEpisodesConfig { ways, queries, .. } = self.config;
        let ways = Tensor::<1, Int>::arange(0..ways as i64, device);
        ways.unsqueeze_dim::<2>(1)
            .repeat_dim(1, queries)
            .flatten(0, 1)
    }

    fn batch(&self, rows: &[&[usize]], device: &Device) -> Tensor<3> {
        let shape = [
            rows.len(),
            rows.first().map_or(0, |rows| rows.len()),
            self.width,
        ];
        let features = |row: &usize| &self.rows[row * self.width..][..self.width];
        let values = rows.iter().flat_map(|rows| rows.iter().flat_map(features));
        let data = TensorData::new(values.copied().collect(), shape);
        let float = device.settings().float_dtype.into();
        Tensor::from_data(data.convert_dtype(float), device)
    }
}

impl TaskDistribution for ClassEpisodes {
    /// Class by class, `[N, K, D]` and `[N, Q, D]`.
    type Batch = Tensor<3>;

    fn task(&self, seed: u64, device: &Device) -> Result<Task<Tensor<3>>, ForgeError> {
        let ClassEpisodesConfig {
            ways,
            shots,
            queries,
        } = self.config;
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let mut classes: Vec<&Vec<usize>> = self.classes.iter().collect();
        let drawn: Vec<Vec<usize>> = classes
            .partial_shuffle(&mut random, ways)
            .0
            .iter()
            .map(|rows| {
                let mut rows = (*rows).clone();
                rows.partial_shuffle(&mut random, shots + queries)
                    .0
                    .to_vec()
            })
            .collect();
        let (support, query): (Vec<_>, Vec<_>) =
            drawn.iter().map(|rows| rows.split_at(shots)).unzip();
        Ok(Task {
            support: self.batch(&support, device),
            query: self.batch(&query, device),
        })
    }
}
