//! Tables with the splits of the published comparison, or a made-up one.

use std::path::Path;

use rand::seq::SliceRandom;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use serde::Deserialize;
use serde_json::Value;
use volatilityforge::data::ColumnValues;
use volatilityforge::nn::ForgeError;
use volatilityforge::{Error, read_table};

/// A table of numbers, the last column the target.
pub(crate) struct Set {
    pub(crate) name: String,
    /// `[N x D]`, row by row.
    features: Vec<Vec<f64>>,
    targets: Vec<f64>,
    splits: Lists,
    /// RMSE and log likelihood of Monte-Carlo dropout, mean and standard error over the splits.
    pub(crate) published: Option<[(f64, f64); 2]>,
}

/// The rows of each split.
#[derive(Deserialize)]
struct Lists {
    train: Vec<Vec<usize>>,
    test: Vec<Vec<usize>>,
}

/// Standardised rows.
pub(crate) struct Rows {
    pub(crate) x: Vec<f64>,
    pub(crate) y: Vec<f64>,
}

/// One split in the units of its training rows.
pub(crate) struct Split {
    /// `D`.
    pub(crate) width: usize,
    pub(crate) train: Rows,
    /// A tenth of the training rows, which decide the noise where a method does not.
    pub(crate) validation: Rows,
    pub(crate) test: Rows,
    /// What 1 is in the target's unit.
    pub(crate) unit: f64,
}

impl Set {
    /// The table `name` in `folder`, with `data.csv` and `splits.json`, and what `published.json` beside
    /// it says.
    pub(crate) fn read(folder: &Path, name: &str) -> Result<Self, Error> {
        let own = folder.join(name);
        let (table, _) = read_table(own.join("data.csv"), &Default::default())?;
        let mut columns = Vec::new();
        for column in table.columns() {
            let ColumnValues::Numeric(values) = &column.values else {
                let what = format!("column '{}' of {name} holds no numbers", column.name);
                return Err(ForgeError::unsupported(what).into());
            };
            columns.push(values);
        }
        let Some((target, features)) = columns.split_last() else {
            return Err(ForgeError::unsupported(format!("{name} has no columns")).into());
        };
        let row = |row: usize| features.iter().map(|column| column[row]).collect();
        let published = json::<Value>(&folder.join("published.json"))?;
        let figure = |of: &str| {
            let found = &published[name]["results"][of];
            Some((found["mean"].as_f64()?, found["stderr"].as_f64()?))
        };
        Ok(Self {
            name: name.into(),
            features: (0..table.n_rows()).map(row).collect(),
            targets: target.to_vec(),
            splits: json(&own.join("splits.json"))?,
            published: figure("rmse_mc")
                .zip(figure("log_likelihood"))
                .map(<[_; 2]>::from),
        })
    }

    /// 600 rows of `sin 3x₀ + x₁ x₂` with noise that grows with `x₃`, in five splits.
    pub(crate) fn made_up() -> Self {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let features: Vec<Vec<f64>> = (0..600)
            .map(|_| (0..4).map(|_| random.random_range(-1.0..1.0)).collect())
            .collect();
        let mut targets = Vec::new();
        for x in &features {
            // The sum of twelve uniform numbers less 6 is about normal.
            let z = (0..12).map(|_| random.random::<f64>()).sum::<f64>() - 6.0;
            targets.push((3.0 * x[0]).sin() + x[1] * x[2] + 0.1 * (1.0 + x[3]) * z);
        }
        let mut splits = Lists {
            train: Vec::new(),
            test: Vec::new(),
        };
        for _ in 0..5 {
            let mut rows: Vec<usize> = (0..features.len()).collect();
            rows.shuffle(&mut random);
            splits.test.push(rows.split_off(540));
            splits.train.push(rows);
        }
        Self {
            name: "made up".into(),
            features,
            targets,
            splits,
            published: None,
        }
    }

    /// How many splits there are.
    pub(crate) fn n_splits(&self) -> usize {
        self.splits.train.len().min(self.splits.test.len())
    }

    /// Split number `at`, standardised by its training rows; a tenth of them, drawn by `at`, validates.
    pub(crate) fn split(&self, at: usize) -> Split {
        let mut train = self.splits.train[at].clone();
        train.shuffle(&mut ChaCha8Rng::seed_from_u64(at as u64));
        let validation = train.split_off(train.len() - train.len() / 10);
        let width = self.features[0].len();
        let units: Vec<(f64, f64)> = (0..width)
            .map(|column| unit(train.iter().map(|row| self.features[*row][column])))
            .collect();
        let (center, scale) = unit(train.iter().map(|row| self.targets[*row]));
        let rows = |rows: &[usize]| {
            let x = rows
                .iter()
                .flat_map(|row| self.features[*row].iter().zip(&units));
            Rows {
                x: x.map(|(x, (center, scale))| (x - center) / scale).collect(),
                y: rows
                    .iter()
                    .map(|row| (self.targets[*row] - center) / scale)
                    .collect(),
            }
        };
        Split {
            width,
            train: rows(&train),
            validation: rows(&validation),
            test: rows(&self.splits.test[at]),
            unit: scale,
        }
    }
}

/// Mean and standard deviation; 1 for what does not vary.
fn unit(values: impl Iterator<Item = f64> + Clone) -> (f64, f64) {
    let n = values.clone().count() as f64;
    let mean = values.clone().sum::<f64>() / n;
    let std = (values.map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    (mean, if std > 0.0 { std } else { 1.0 })
}

fn json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let text = std::fs::read_to_string(path).map_err(|e| ForgeError::io(path, e))?;
    Ok(serde_json::from_str(&text).map_err(|e| ForgeError::artifact(path, e))?)
}
