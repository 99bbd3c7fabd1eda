//! Labelled rows, prepared once, and what the network says of others.

use burn::tensor::{Tensor, TensorData};
use forge_nn::{ForgeError, Network, check};
use serde::{Deserialize, Serialize};

use super::member::Member;
use super::preparation::{Preparation, moments};
use crate::{Context, TabIcl, TabularInput, TabularModel};

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
    /// Columns of the rows.
    width: usize,
    /// Those that vary.
    kept: Vec<usize>,
    /// Their preparation without and with the power transform.
    preparations: [Vec<Preparation>; 2],
    /// The labelled rows, row by row.
    rows: Vec<Vec<f64>>,
    labels: Vec<f64>,
    /// Number of classes, or mean and deviation of numbers.
    kind: Kind,
    members: Vec<Member>,
}

#[derive(Debug, Clone, Copy)]
enum Kind {
    Classes(usize),
    Numbers { mean: f64, scale: f64 },
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
        for (row, label) in labels.iter().enumerate() {
            if !(0.0..1e6).contains(label) || label.fract() != 0.0 {
                let what = format!("labels[{row}]");
                return Err(ForgeError::shape(what, label, "a class number from 0"));
            }
        }
        let largest = labels.iter().fold(0.0, |n: f64, label| n.max(*label));
        Self::new(rows, labels, Kind::Classes(largest as usize + 1), config)
    }

    /// Rows with numbers to predict.
    ///
    /// # Errors
    /// As [`of_classes`](Self::of_classes), but for class numbers.
    pub fn of_numbers<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        config: TabIclEnsembleConfig,
    ) -> Result<Self, ForgeError> {
        let (mean, deviation) = moments(labels.iter().copied(), 0);
        let scale = if deviation > 0.0 { deviation } else { 1.0 };
        Self::new(rows, labels, Kind::Numbers { mean, scale }, config)
    }

    fn new<R: AsRef<[f64]>>(
        rows: &[R],
        labels: &[f64],
        kind: Kind,
        config: TabIclEnsembleConfig,
    ) -> Result<Self, ForgeError> {
        check::at_least_one("members", config.members)?;
        check::positive("temperature", config.temperature)?;
        let width = rows.first().map_or(0, |row| row.as_ref().len());
        if labels.len() != rows.len() || rows.is_empty() {
            let found = format!("[{}]", labels.len());
            let expected = format!("[{}], one per row, of at least one", rows.len());
            return Err(ForgeError::shape("labels", found, expected));
        }
        let labels_are_numbers = labels.iter().all(|label| label.is_finite());
        if !labels_are_numbers {
            return Err(ForgeError::shape(
                "labels",
                "NaN or infinity",
                "finite numbers",
            ));
        }
        let rows = checked(rows, width)?;
        let column = |j: usize| rows.iter().map(|row| row[j]).collect::<Vec<f64>>();
        // A single row says nothing of what varies.
        let varies = |j: &usize| rows.len() == 1 || rows.iter().any(|row| row[*j] != rows[0][*j]);
        let kept: Vec<usize> = (0..width).filter(varies).collect();
        if kept.is_empty() {
            let allowed = "with at least one column that varies";
            return Err(ForgeError::shape(
                "rows",
                format!("[{}, {width}]", rows.len()),
                allowed,
            ));
        }
        let prepared = |power| {
            let columns = kept.iter().map(|j| Preparation::fit(&column(*j), power));
            columns.collect::<Vec<_>>()
        };
        let classes = match kind {
            Kind::Classes(classes) => Some(classes),
            Kind::Numbers { .. } => None,
        };
        Ok(Self {
            preparations: [prepared(false), prepared(true)],
            members: Member::draw(kept.len(), classes, config.members, config.seed),
            config,
            width,
            kept,
            labels: labels.to_vec(),
            kind,
            rows,
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
        let (classes, outputs) = (model.classes(), model.spec().d_out);
        match self.kind {
            Kind::Classes(n) if classes < n => {
                return Err(ForgeError::unsupported(format!(
                    "{n} classes, the network has {classes}: join rare classes, predict groups of \
                     them and then the class within the group, or train a model on the table"
                )));
            }
            Kind::Numbers { .. } if classes > 0 => {
                let what = "the labels are numbers, the network takes them for classes";
                return Err(ForgeError::unsupported(what));
            }
            _ => {}
        }
        let rows = checked(rows, self.width)?;
        if rows.is_empty() {
            return Ok(vec![]);
        }
        let model = model.clone().for_columns(self.kept.len());
        let width = match self.kind {
            Kind::Classes(n) => n,
            Kind::Numbers { .. } => outputs,
        };
        let mut sums = vec![vec![0.0; width]; rows.len()];
        for member in &self.members {
            let values = self.run(&model, member, &rows)?;
            for (sum, row) in sums.iter_mut().zip(values.chunks_exact(outputs)) {
                for (i, sum) in sum.iter_mut().enumerate() {
                    // A class is looked up under the name that it had.
                    let at = member.names.as_ref().map_or(i, |names| names[i]);
                    *sum += row[at] / self.members.len() as f64;
                }
            }
        }
        sums.iter_mut().for_each(|row| self.finish(row));
        Ok(sums)
    }

    fn run(
        &self,
        model: &TabIcl,
        member: &Member,
        rows: &[Vec<f64>],
    ) -> Result<Vec<f64>, ForgeError> {
        let (device, dtype) = model.place();
        let tensor = |values: Vec<f64>, width: usize| {
            let shape = [values.len() / width, width];
            let data = TensorData::new(values, shape);
            Tensor::<2>::from_data(data.convert_dtype(dtype), (&device, dtype))
        };
        let prepared = |rows: &[Vec<f64>]| {
            let rows = rows.iter().flat_map(|row| self.prepared(row, member));
            TabularInput::numeric(tensor(rows.collect(), self.kept.len()))
        };
        let label = |label: &f64| match (self.kind, &member.names) {
            (Kind::Numbers { mean, scale }, _) => (label - mean) / scale,
            (Kind::Classes(_), Some(names)) => names[*label as usize] as f64,
            (Kind::Classes(_), None) => *label,
        };
        let labels = tensor(self.labels.iter().map(label).collect(), 1);
        let context = Context::labelled(prepared(&self.rows).rows, labels);
        let y = model.try_forward(prepared(rows).with_context(context))?;
        let data = y.try_into_data();
        let data =
            data.map_err(|e| ForgeError::device(format!("predictions cannot be read: {e}")))?;
        Ok(data.iter::<f64>().collect())
    }

    /// A row as a member sees it.
    fn prepared<'a>(
        &'a self,
        row: &'a [f64],
        member: &'a Member,
    ) -> impl Iterator<Item = f64> + 'a {
        let preparations = &self.preparations[usize::from(member.power)];
        let order = member.order.iter();
        order.map(move |column| preparations[*column].apply(row[self.kept[*column]]))
    }

    /// Mean logits to probabilities, or mean quantiles to the labels' unit and in order.
    fn finish(&self, row: &mut [f64]) {
        match self.kind {
            Kind::Classes(_) => {
                let largest = row.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                for value in row.iter_mut() {
                    *value = ((*value - largest) / self.config.temperature).exp();
                }
                let sum: f64 = row.iter().sum();
                row.iter_mut().for_each(|value| *value /= sum);
            }
            Kind::Numbers { mean, scale } => {
                row.iter_mut()
                    .for_each(|value| *value = *value * scale + mean);
                row.sort_by(f64::total_cmp);
            }
        }
    }
}

fn checked<R: AsRef<[f64]>>(rows: &[R], width: usize) -> Result<Vec<Vec<f64>>, ForgeError> {
    let rows = rows.iter().enumerate().map(|(i, row)| {
        let row = row.as_ref();
        if row.len() != width {
            let found = format!("[{}]", row.len());
            return Err(ForgeError::shape(
                format!("rows[{i}]"),
                found,
                format!("[{width}]"),
            ));
        }
        match row.iter().position(|x| !x.is_finite()) {
            Some(j) => {
                let what = format!("rows[{i}][{j}]");
                Err(ForgeError::shape(
                    what,
                    row[j],
                    "finite: impute missing values",
                ))
            }
            None => Ok(row.to_vec()),
        }
    });
    rows.collect()
}
