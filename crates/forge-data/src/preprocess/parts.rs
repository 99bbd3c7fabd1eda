//! A fitted preprocessor as a manifest and tensors, and back. What comes back is not trusted.

use std::collections::{BTreeMap, HashSet};

use burn::tensor::{DType, TensorData};
use serde::{Deserialize, Serialize};

use super::categorical::CategoricalColumn;
use super::numeric::NumericColumn;
use super::{NumericTransform, PreprocessConfig, Preprocessor};
use crate::DataError;

const VERSION: u32 = 1;
const IMPUTE: &str = "numeric.impute";
const CENTER: &str = "numeric.center";
const SCALE: &str = "numeric.scale";
const QUANTILES: &str = "numeric.quantiles";

/// What a fitted preprocessor is, without its numbers.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PreprocessorManifest {
    /// Version of this format; 1.
    pub version: u32,
    /// The config it was fitted with.
    pub config: PreprocessConfig,
    /// The numeric columns in order.
    pub numeric: Vec<NumericManifest>,
    /// The categorical columns in order.
    pub categorical: Vec<CategoricalManifest>,
}

/// A numeric column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericManifest {
    /// Its name in tables.
    pub name: String,
    /// The value is a feature.
    pub value: bool,
    /// Its 0/1 missing indicator is a feature.
    pub indicator: bool,
}

/// A categorical column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CategoricalManifest {
    /// Its name in tables.
    pub name: String,
    /// The labels with a code of their own, sorted.
    pub labels: Vec<String>,
    /// Missing cells have code 1 rather than the unknown bucket's 0.
    pub missing: bool,
}

impl Preprocessor {
    /// The manifest, and the statistics as f64 tensors: `numeric.impute`, `numeric.center`,
    /// `numeric.scale` (each `[columns]`) and, for the quantile transform, `numeric.quantiles`
    /// (`[columns, n_quantiles]`). Without numeric columns there is no tensor.
    #[must_use]
    pub fn to_parts(&self) -> (PreprocessorManifest, BTreeMap<String, TensorData>) {
        let numeric = self.numeric.iter().map(|c| NumericManifest {
            name: c.name.clone(),
            value: c.value,
            indicator: c.indicator,
        });
        let categorical = self.categorical.iter().map(|c| CategoricalManifest {
            name: c.name.clone(),
            labels: c.labels.clone(),
            missing: c.missing,
        });
        let manifest = PreprocessorManifest {
            version: VERSION,
            config: self.config.clone(),
            numeric: numeric.collect(),
            categorical: categorical.collect(),
        };
        let n = self.numeric.len();
        let mut tensors = BTreeMap::new();
        if let Some(first) = self.numeric.first() {
            let mut put = |name: &str, statistic: fn(&NumericColumn) -> f64| {
                let values: Vec<f64> = self.numeric.iter().map(statistic).collect();
                tensors.insert(name.into(), TensorData::new(values, [n]));
            };
            put(IMPUTE, |c| c.impute);
            put(CENTER, |c| c.center);
            put(SCALE, |c| c.scale);
            if self.config.numeric == NumericTransform::Quantile {
                let columns = self.numeric.iter();
                let all: Vec<f64> = columns.flat_map(|c| c.quantiles.iter().copied()).collect();
                let shape = [n, first.quantiles.len()];
                tensors.insert(QUANTILES.into(), TensorData::new(all, shape));
            }
        }
        (manifest, tensors)
    }

    /// The preprocessor that [`to_parts`](Self::to_parts) described: transforms bit by bit as the
    /// original. Tensors whose name does not start with `numeric.` are not looked at.
    ///
    /// # Errors
    /// A parse error if anything is inconsistent: an unknown version, a config out of range,
    /// doubled or empty names, unsorted labels, a tensor missing, unknown, of another type or
    /// shape, or a statistic that is not finite, not positive or not monotone where it must be.
    pub fn from_parts(
        manifest: PreprocessorManifest,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<Self, DataError> {
        let PreprocessorManifest {
            version,
            config,
            numeric,
            categorical,
        } = manifest;
        if version != VERSION {
            return Err(broken(format!(
                "version {version} is not known: this library reads version {VERSION}"
            )));
        }
        config.validate().map_err(broken)?;
        if numeric.is_empty() && categorical.is_empty() {
            return Err(broken("it has no columns"));
        }
        let mut names = HashSet::new();
        let all = numeric.iter().map(|c| &c.name);
        for name in all.chain(categorical.iter().map(|c| &c.name)) {
            if !names.insert(name) {
                return Err(broken("the name occurs twice").at_column(name));
            }
        }
        let numeric = read_numeric(numeric, &config, tensors)?;
        let categorical = categorical
            .into_iter()
            .map(|column| read_categorical(column, &config))
            .collect::<Result<_, _>>()?;
        Ok(Self {
            config,
            numeric,
            categorical,
        })
    }
}

fn read_numeric(
    columns: Vec<NumericManifest>,
    config: &PreprocessConfig,
    tensors: &BTreeMap<String, TensorData>,
) -> Result<Vec<NumericColumn>, DataError> {
    let quantile = config.numeric == NumericTransform::Quantile;
    let expected: &[&str] = match (columns.is_empty(), quantile) {
        (true, _) => &[],
        (false, false) => &[IMPUTE, CENTER, SCALE],
        (false, true) => &[IMPUTE, CENTER, SCALE, QUANTILES],
    };
    let ours = |name: &&String| name.starts_with("numeric.");
    if let Some(name) = tensors
        .keys()
        .filter(ours)
        .find(|n| !expected.contains(&n.as_str()))
    {
        return Err(broken(format!("tensor '{name}' is not known")));
    }
    if columns.is_empty() {
        return Ok(Vec::new());
    }
    let n = columns.len();
    let impute = vector(tensors, IMPUTE, n)?;
    let center = vector(tensors, CENTER, n)?;
    let scale = vector(tensors, SCALE, n)?;
    if let Some(bad) = scale.iter().find(|s| **s <= 0.0) {
        return Err(broken(format!(
            "tensor '{SCALE}' holds {bad}; allowed are values above 0"
        )));
    }
    let quantiles = if quantile {
        let (rows, width, values) = matrix(tensors, QUANTILES)?;
        if rows != n || !(2..=100_000).contains(&width) {
            return Err(broken(format!(
                "tensor '{QUANTILES}' has shape [{rows}, {width}]; expected [{n}, 2 to 100000]"
            )));
        }
        if values
            .chunks_exact(width)
            .any(|q| q.windows(2).any(|w| w[0] > w[1]))
        {
            return Err(broken(format!(
                "tensor '{QUANTILES}' has a row that decreases"
            )));
        }
        values.chunks_exact(width).map(<[f64]>::to_vec).collect()
    } else {
        vec![Vec::new(); n]
    };
    let statistics = impute.into_iter().zip(center).zip(scale).zip(quantiles);
    columns
        .into_iter()
        .zip(statistics)
        .map(|(column, (((impute, center), scale), quantiles))| {
            if !column.value && !column.indicator {
                return Err(broken("it gives no feature").at_column(column.name));
            }
            if column.value && quantile && quantiles.first() == quantiles.last() {
                return Err(broken("its quantiles are all equal").at_column(column.name));
            }
            Ok(NumericColumn {
                name: column.name,
                value: column.value,
                indicator: column.indicator,
                impute,
                center,
                scale,
                quantiles,
            })
        })
        .collect()
}

fn read_categorical(
    column: CategoricalManifest,
    config: &PreprocessConfig,
) -> Result<CategoricalColumn, DataError> {
    let CategoricalManifest {
        name,
        labels,
        missing,
    } = column;
    if labels.is_empty() || labels.len() > config.label_cap() {
        return Err(broken(format!(
            "has {} labels; allowed are 1 to {}",
            labels.len(),
            config.label_cap()
        ))
        .at_column(name));
    }
    if labels.windows(2).any(|w| w[0] >= w[1]) {
        return Err(broken("its labels are not sorted and distinct").at_column(name));
    }
    Ok(CategoricalColumn {
        name,
        labels,
        missing,
    })
}

pub(crate) fn broken(message: impl std::fmt::Display) -> DataError {
    DataError::parse(format!("broken preprocessing data: {message}"))
}

/// The `n` finite f64 of tensor `name`.
pub(crate) fn vector(
    tensors: &BTreeMap<String, TensorData>,
    name: &str,
    n: usize,
) -> Result<Vec<f64>, DataError> {
    let (shape, values) = tensor(tensors, name)?;
    if shape != [n] {
        return Err(broken(format!(
            "tensor '{name}' has shape {shape:?}; expected [{n}]"
        )));
    }
    Ok(values)
}

fn matrix(
    tensors: &BTreeMap<String, TensorData>,
    name: &str,
) -> Result<(usize, usize, Vec<f64>), DataError> {
    let (shape, values) = tensor(tensors, name)?;
    match shape[..] {
        [rows, columns] => Ok((rows, columns, values)),
        _ => Err(broken(format!(
            "tensor '{name}' has shape {shape:?}; expected two axes"
        ))),
    }
}

fn tensor(
    tensors: &BTreeMap<String, TensorData>,
    name: &str,
) -> Result<(Vec<usize>, Vec<f64>), DataError> {
    let data = tensors
        .get(name)
        .ok_or_else(|| broken(format!("tensor '{name}' is missing")))?;
    if data.dtype() != DType::F64 {
        return Err(broken(format!(
            "tensor '{name}' is of type {:?}; expected F64",
            data.dtype()
        )));
    }
    // Read from bytes: a tensor taken from a file need not be aligned for f64.
    let values: Vec<f64> = data
        .as_bytes()
        .chunks_exact(8)
        .map(|b| f64::from_ne_bytes([b[0], b[1], b[2], b[3], b[4], b[5], b[6], b[7]]))
        .collect();
    if let Some(bad) = values.iter().find(|v| !v.is_finite()) {
        return Err(broken(format!(
            "tensor '{name}' holds {bad}; allowed are finite numbers"
        )));
    }
    Ok((data.shape().to_vec(), values))
}
