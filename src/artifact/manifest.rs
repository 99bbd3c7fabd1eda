//! What the header of an artifact says beside the tensors.

use forge_data::{PreprocessorManifest, ReadOptions, TargetManifest};
use forge_models::ModelConfig;
use forge_train::objective::{ObjectiveConfig, Regression};
use serde::{Deserialize, Serialize};

use crate::{Calibration, Task};

/// What the header says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(try_from = "Wire", into = "Wire")]
pub(super) struct Manifest {
    pub(super) model: ModelConfig,
    /// Networks of this config in the file, at least 1.
    pub(super) members: usize,
    pub(super) objective: ObjectiveConfig,
    pub(super) preprocessing: PreprocessorManifest,
    pub(super) target: TargetManifest,
    /// Training rows in the file that the model looks at.
    pub(super) context: Option<ContextManifest>,
    /// What predictions are put right by.
    pub(super) calibration: Option<Calibration>,
    /// How the training table was read.
    pub(super) read: ReadOptions,
    /// Written by version 1, whose tensors are named otherwise.
    pub(super) first_version: bool,
}

/// Training rows that belong to the model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ContextManifest {
    pub(super) rows: usize,
    /// Targets per row; absent for rows without targets.
    pub(super) slots: Option<usize>,
    pub(super) masks: bool,
}

/// As it is written. Version 1 has the first four fields alone; its objective is regression with
/// one target.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Wire {
    task: Task,
    model: ModelConfig,
    preprocessing: PreprocessorManifest,
    target: TargetManifest,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    members: Option<usize>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    objective: Option<ObjectiveConfig>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    context: Option<ContextManifest>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    calibration: Option<Calibration>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    read: Option<ReadOptions>,
}

impl TryFrom<Wire> for Manifest {
    type Error = String;

    fn try_from(wire: Wire) -> Result<Self, String> {
        let classes = matches!(wire.target, TargetManifest::Classes(_));
        if classes != (wire.task == Task::Classification) {
            return Err(format!("the task is {}, the target is not", wire.task));
        }
        let first_version = wire.objective.is_none() && wire.members.is_none();
        let objective = match wire.objective {
            Some(objective) => objective,
            None if first_version && !classes => ObjectiveConfig::Regression(Regression::default()),
            None => return Err("the objective is missing".into()),
        };
        let members = if first_version {
            1
        } else {
            wire.members.ok_or("the number of members is missing")?
        };
        Ok(Self {
            model: wire.model,
            members,
            objective,
            preprocessing: wire.preprocessing,
            target: wire.target,
            context: wire.context,
            calibration: wire.calibration,
            read: wire.read.unwrap_or_default(),
            first_version,
        })
    }
}

impl From<Manifest> for Wire {
    fn from(manifest: Manifest) -> Self {
        Self {
            task: match manifest.target {
                TargetManifest::Classes(_) => Task::Classification,
                TargetManifest::Numeric(_) => Task::Regression,
            },
            model: manifest.model,
            preprocessing: manifest.preprocessing,
            target: manifest.target,
            members: Some(manifest.members),
            objective: Some(manifest.objective),
            context: manifest.context,
            calibration: manifest.calibration,
            read: Some(manifest.read),
        }
    }
}
