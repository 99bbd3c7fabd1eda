//! A fitted target as a manifest and tensors, and back. What comes back is not trusted.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use serde::{Deserialize, Serialize};

use super::class::whole;
use super::labels::{boolean, canonical};
use super::{ClassLabels, ClassTarget, NumericTargets, TargetEncoder, TargetTransform};
use crate::DataError;
use crate::preprocess::{broken, vector};

const VERSION: u32 = 2;
const CENTER: &str = "target.center";
const SCALE: &str = "target.scale";

/// What a fitted target is, without its numbers.
///
/// Reads version 1 too, which knew one numeric target: `{"version": 1, "name": …, "constant": …}`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub enum TargetManifest {
    /// Numeric columns, one per slot.
    Numeric(Vec<NumericTargetManifest>),
    /// A column of classes.
    Classes(ClassManifest),
}

/// A numeric target column.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NumericTargetManifest {
    /// Its name in tables.
    pub name: String,
    /// It was constant in training.
    pub constant: bool,
}

/// A target column of classes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassManifest {
    /// Its name in tables.
    pub name: String,
    /// The classes in order.
    pub labels: ClassLabels,
    /// Training rows of each class.
    pub counts: Vec<u64>,
}

/// The manifest as it is written: one of three forms, told apart by version and field.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    version: u32,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    constant: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    numeric: Option<Vec<NumericTargetManifest>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    classes: Option<ClassManifest>,
}

impl TryFrom<Wire> for TargetManifest {
    type Error = DataError;

    fn try_from(wire: Wire) -> Result<Self, DataError> {
        match wire {
            Wire {
                version: 1,
                name: Some(name),
                constant: Some(constant),
                numeric: None,
                classes: None,
            } => Ok(Self::Numeric(vec![NumericTargetManifest {
                name,
                constant,
            }])),
            Wire {
                version: 2,
                name: None,
                constant: None,
                numeric: Some(numeric),
                classes: None,
            } => Ok(Self::Numeric(numeric)),
            Wire {
                version: 2,
                name: None,
                constant: None,
                numeric: None,
                classes: Some(classes),
            } => Ok(Self::Classes(classes)),
            Wire { version: 1 | 2, .. } => Err(broken(
                "a target manifest has either `numeric` or `classes` (version 1: `name` and \
                 `constant`)",
            )),
            Wire { version, .. } => Err(broken(format!(
                "target version {version} is not known: this library reads versions 1 and 2"
            ))),
        }
    }
}

impl From<TargetManifest> for Wire {
    fn from(manifest: TargetManifest) -> Self {
        let (numeric, classes) = match manifest {
            TargetManifest::Numeric(numeric) => (Some(numeric), None),
            TargetManifest::Classes(classes) => (None, Some(classes)),
        };
        Self {
            version: VERSION,
            name: None,
            constant: None,
            numeric,
            classes,
        }
    }
}

impl TargetEncoder {
    /// The manifest and, for numeric targets, the f64 tensors `target.center` and `target.scale`,
    /// each `[S]`.
    #[must_use]
    pub fn to_parts(&self) -> (TargetManifest, BTreeMap<String, TensorData>) {
        match self {
            Self::Numeric(targets) => {
                let columns = targets.columns();
                let manifest = columns.iter().map(|c| NumericTargetManifest {
                    name: c.name.clone(),
                    constant: c.constant,
                });
                let center: Vec<f64> = columns.iter().map(|c| c.center).collect();
                let scale: Vec<f64> = columns.iter().map(|c| c.scale).collect();
                let tensors = [(CENTER, center), (SCALE, scale)]
                    .map(|(name, values)| (name.into(), TensorData::new(values, [columns.len()])));
                (TargetManifest::Numeric(manifest.collect()), tensors.into())
            }
            Self::Classes(target) => {
                let manifest = ClassManifest {
                    name: target.name().into(),
                    labels: target.labels().clone(),
                    counts: target.counts().to_vec(),
                };
                (TargetManifest::Classes(manifest), BTreeMap::new())
            }
        }
    }

    /// The encoder that [`to_parts`](Self::to_parts) described, now or in version 1. Tensors
    /// whose name does not start with `target.` are not looked at.
    ///
    /// # Errors
    /// A parse error for a tensor that is missing, unknown, of another type or shape, a number
    /// that is not finite, or not positive where it must be, doubled names, and labels that are
    /// not those of a fitted target (unsorted, doubled, fewer than two).
    pub fn from_parts(
        manifest: TargetManifest,
        tensors: &BTreeMap<String, TensorData>,
    ) -> Result<Self, DataError> {
        let known: &[&str] = match manifest {
            TargetManifest::Numeric(_) => &[CENTER, SCALE],
            TargetManifest::Classes(_) => &[],
        };
        let ours = |name: &&String| name.starts_with("target.");
        let stranger = |name: &&String| ours(name) && !known.contains(&name.as_str());
        if let Some(name) = tensors.keys().find(stranger) {
            return Err(broken(format!("tensor '{name}' is not known")));
        }
        match manifest {
            TargetManifest::Numeric(columns) => numeric(columns, tensors).map(Self::Numeric),
            TargetManifest::Classes(classes) => read_classes(classes).map(Self::Classes),
        }
    }
}

fn numeric(
    columns: Vec<NumericTargetManifest>,
    tensors: &BTreeMap<String, TensorData>,
) -> Result<NumericTargets, DataError> {
    let center = vector(tensors, CENTER, columns.len())?;
    let scale = vector(tensors, SCALE, columns.len())?;
    if let Some(bad) = scale.iter().find(|s| **s <= 0.0) {
        return Err(broken(format!(
            "tensor '{SCALE}' holds {bad}; allowed are values above 0"
        )));
    }
    let statistics = center.into_iter().zip(scale);
    let columns = columns.into_iter().zip(statistics);
    let columns = columns.map(|(column, (center, scale))| TargetTransform {
        name: column.name,
        center,
        scale,
        constant: column.constant,
    });
    NumericTargets::new(columns.collect()).map_err(broken)
}

fn read_classes(manifest: ClassManifest) -> Result<ClassTarget, DataError> {
    let ClassManifest {
        name,
        labels,
        counts,
    } = manifest;
    let refuse = |message: String| Err(broken(message).at_column(&name));
    if !(2..=super::class::MAX_CLASSES).contains(&labels.len()) {
        return refuse(format!(
            "it has {} classes; allowed are 2 to {}",
            labels.len(),
            super::class::MAX_CLASSES
        ));
    }
    let sorted = match &labels {
        ClassLabels::Integers(labels) => {
            labels.windows(2).all(|w| w[0] < w[1])
                && labels.iter().all(|l| whole(*l as f64) == Some(*l))
        }
        ClassLabels::Booleans => true,
        ClassLabels::Text(labels) => {
            labels.windows(2).all(|w| w[0] < w[1])
                && labels.iter().all(|l| canonical(l) == *l)
                && !labels.iter().all(|l| boolean(l).is_some())
        }
    };
    if !sorted {
        return refuse("its classes are not sorted, distinct and in their one spelling".into());
    }
    if counts.len() != labels.len() || counts.contains(&0) {
        return refuse(format!(
            "its counts {counts:?} are not one positive number for each of {} classes",
            labels.len()
        ));
    }
    Ok(ClassTarget::from_checked(name, labels, counts))
}
