//! What is learnt: numbers or classes, by which objective.

use forge_data::{EncodedTargets, InferredTask, Table, TaskKind, infer_task};
use forge_models::{ModelConfig, TargetKind};
use forge_nn::ForgeError;
use forge_train::objective::{Binary, Multiclass, Objective, ObjectiveConfig, Regression, Targets};

use super::preset::with_fields;
use super::{EstimatorConfig, TabularEstimator, Task};
use crate::Error;

impl TabularEstimator {
    /// Numbers or classes, and what was inferred where nobody had said.
    pub(super) fn kind(
        &self,
        table: &Table,
        rows: &[usize],
    ) -> Result<(TaskKind, Option<InferredTask>), Error> {
        let [target] = self.targets.as_slice() else {
            if self.targets.is_empty() {
                let allowed = "at least one column to predict";
                return Err(ForgeError::config("targets", "[]", allowed).into());
            }
            return Ok((self.decided().unwrap_or(TaskKind::Regression), None));
        };
        match self.decided() {
            Some(kind) => Ok((kind, None)),
            None => {
                let inferred = infer_task(table, target, rows)?;
                Ok((inferred.kind, Some(inferred)))
            }
        }
    }

    /// What the caller decided: by the task, or by an objective that is of one kind only.
    fn decided(&self) -> Option<TaskKind> {
        let task = self.task.or_else(|| self.config.implied_task())?;
        // How many classes there are is for the training rows to say.
        Some(match task {
            Task::Classification => TaskKind::Binary,
            Task::Regression => TaskKind::Regression,
        })
    }

    /// The objective as given or by the target, fitted to the training targets.
    pub(super) fn objective(
        &self,
        kind: TargetKind,
        targets: &EncodedTargets,
    ) -> Result<ObjectiveConfig, Error> {
        let targets = Targets::new(targets.slots, targets.original.clone())?;
        let classes = kind == TargetKind::Classes;
        let mut objective = match (&self.config.objective, classes) {
            (None, false) => ObjectiveConfig::Regression(Regression::default()),
            (None, true) => {
                if targets.values().iter().all(|class| *class <= 1.0) {
                    ObjectiveConfig::Binary(Binary::default())
                } else {
                    ObjectiveConfig::Multiclass(Multiclass::default())
                }
            }
            (Some(objective), classes) => {
                if objective.n_classes().is_some() != classes {
                    let allowed = if classes {
                        "binary or multiclass: the target is classes"
                    } else {
                        "regression, quantiles, distribution, bars or returns_direction: the target is \
                         numbers"
                    };
                    return Err(ForgeError::config("objective", objective, allowed).into());
                }
                let classes = targets
                    .values()
                    .iter()
                    .fold(0.0, |n: f64, c| n.max(c + 1.0));
                if matches!(objective, ObjectiveConfig::Binary(_)) && classes > 2.0 {
                    let allowed = format!("multiclass: the target has {classes} classes");
                    return Err(ForgeError::config("objective", objective, allowed).into());
                }
                objective.clone()
            }
        };
        if self.config.objective.is_none() {
            let EstimatorConfig {
                model, strategy, ..
            } = &self.config;
            let recipe = ModelConfig::recipe(model.name(), *strategy, kind)?;
            objective = with_fields(&objective, &recipe.objective)?;
        }
        objective.fit(&targets)?;
        Ok(objective)
    }
}
