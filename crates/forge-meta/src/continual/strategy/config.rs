//! Strategies by name.

use std::collections::BTreeMap;

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::Strategy;
use super::episodic::{Episodic, Use};
use super::importance::Elastic;
use super::lwf::WithoutForgetting;
use super::packed::Packed;
use super::plain::{Columns, FineTuning};
use super::synaptic::Synaptic;
use crate::continual::{ContinualTask, Ewc, EwcConfig, Gem, GemConfig, Keep, PackNetConfig};
use crate::continual::{RowMemory, SynapticConfig, SynapticIntelligence};

/// A strategy by its name.
///
/// ```
/// use forge_meta::continual::StrategyConfig;
///
/// let ewc = StrategyConfig::Ewc { lambda: 100.0, online: Some(0.9), fisher_rows: 200 };
/// ewc.validate(5)?;
/// let small = StrategyConfig::Gem { memory: 3, margin: 0.5, epsilon: 1e-3 };
/// assert!(small.validate(5).unwrap_err().to_string().contains("memory = 3"));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum StrategyConfig {
    /// Nothing: the baseline that forgets.
    FineTuning,
    /// Elastic weight consolidation ([`Ewc`]), the Fisher information from per-sample gradients.
    Ewc {
        /// `λ`, 0 or more.
        lambda: f64,
        /// `γ` of the online form, in `0.0..=1.0`. Default: none, one penalty per task.
        #[serde(default)]
        online: Option<f64>,
        /// Rows of each task that the Fisher information is the mean over, at least 1. Default 200.
        #[serde(default = "fisher_rows")]
        fisher_rows: usize,
    },
    /// Synaptic intelligence ([`SynapticIntelligence`]).
    SynapticIntelligence {
        /// `c`, 0 or more.
        strength: f64,
        /// `ξ`, above 0. Default 1e-3.
        #[serde(default = "xi")]
        xi: f64,
    },
    /// Each task takes some of the free weights ([`PackNet`](crate::continual::PackNet)). A task is
    /// then computed with its own part of the network.
    PackNet {
        /// Part of a task's weights that is given back, above 0 and below 1.
        prune_fraction: f64,
        /// Part of each task's steps that comes after pruning, in `0.0..1.0`. Default ⅓.
        #[serde(default = "retrain")]
        retrain: f64,
        /// Parameters that are shared out. Default: all matrices.
        #[serde(default)]
        layers: Vec<String>,
    },
    /// Gradients that raise the loss on no old task's remembered rows ([`Gem`]).
    Gem {
        /// Rows kept in all, the last of each task; at least one per task.
        memory: usize,
        /// See [`GemConfig`]. Default 0.5.
        #[serde(default = "margin")]
        margin: f64,
        /// See [`GemConfig`]. Default 1e-3.
        #[serde(default = "epsilon")]
        epsilon: f64,
    },
    /// Gradients that do not raise the mean loss on remembered rows
    /// ([`project_average`](crate::continual::project_average)).
    AGem {
        /// Rows kept in all; at least one per task.
        memory: usize,
        /// Rows that are drawn at each step, at least 1. Default 64.
        #[serde(default = "drawn")]
        batch: usize,
        /// Which rows are kept. Default the last of each task.
        #[serde(default)]
        keep: Keep,
    },
    /// Remembered rows beside the new ones, in one mean (Chaudhry et al., arXiv 1902.10486).
    Replay {
        /// Rows kept in all; at least one per task.
        memory: usize,
        /// Rows that are drawn at each step, at least 1. Default 64.
        #[serde(default = "drawn")]
        batch: usize,
        /// Which rows are kept. Default the last of each task.
        #[serde(default)]
        keep: Keep,
    },
    /// Learning without forgetting (Li & Hoiem, arXiv 1606.09282, eq. 1): what the module said of the
    /// new rows before counts on. Wants [`ContinualTask::outputs`].
    Lwf {
        /// `λ`, 0 or more. Default 1, as in the paper.
        #[serde(default = "one")]
        weight: f64,
        /// What logits are divided by, above 0. Default 2, as in the paper.
        #[serde(default = "two")]
        temperature: f64,
    },
    /// A column per task ([`Progressive`](crate::continual::Progressive)). Wants
    /// [`ContinualTask::grow`].
    Progressive,
}

fn fisher_rows() -> usize {
    200
}
fn xi() -> f64 {
    1e-3
}
fn retrain() -> f64 {
    1.0 / 3.0
}
fn margin() -> f64 {
    GemConfig::default().margin
}
fn epsilon() -> f64 {
    GemConfig::default().epsilon
}
fn drawn() -> usize {
    64
}
fn one() -> f64 {
    1.0
}
fn two() -> f64 {
    2.0
}

impl StrategyConfig {
    /// The name, as in a file.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::FineTuning => "fine_tuning",
            Self::Ewc { .. } => "ewc",
            Self::SynapticIntelligence { .. } => "synaptic_intelligence",
            Self::PackNet { .. } => "pack_net",
            Self::Gem { .. } => "gem",
            Self::AGem { .. } => "a_gem",
            Self::Replay { .. } => "replay",
            Self::Lwf { .. } => "lwf",
            Self::Progressive => "progressive",
        }
    }

    /// Checks the fields, for so many tasks.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self, tasks: usize) -> Result<(), ForgeError> {
        match self {
            Self::FineTuning | Self::Progressive => Ok(()),
            Self::Ewc {
                lambda,
                online,
                fisher_rows,
            } => {
                check::at_least_one("fisher_rows", *fisher_rows)?;
                ewc(*lambda, *online).validate()
            }
            Self::SynapticIntelligence { strength, xi } => synaptic(*strength, *xi).validate(),
            Self::PackNet {
                prune_fraction,
                retrain,
                ..
            } => {
                check::in_range("prune_fraction", *prune_fraction, f64::MIN_POSITIVE..1.0)
                    .map_err(|_| {
                        let allowed = "above 0 and below 1";
                        ForgeError::config("prune_fraction", prune_fraction, allowed)
                    })?;
                check::in_range("retrain", *retrain, 0.0..1.0)
            }
            Self::Gem {
                memory,
                margin,
                epsilon,
            } => {
                gem(*margin, *epsilon).validate()?;
                RowMemory::new(Keep::Ring, *memory, tasks).map(drop)
            }
            Self::AGem {
                memory,
                batch,
                keep,
            }
            | Self::Replay {
                memory,
                batch,
                keep,
            } => {
                check::at_least_one("batch", *batch)?;
                RowMemory::new(*keep, *memory, tasks).map(drop)
            }
            Self::Lwf {
                weight,
                temperature,
            } => {
                check::in_range("weight", *weight, 0.0..=f64::MAX)?;
                check::positive("temperature", *temperature)
            }
        }
    }

    /// The strategy, before the first of so many tasks.
    ///
    /// # Errors
    /// As [`validate`](Self::validate).
    pub fn build<T: ContinualTask>(
        &self,
        tasks: usize,
    ) -> Result<Box<dyn Strategy<T>>, ForgeError> {
        self.validate(tasks)?;
        Ok(match self.clone() {
            Self::FineTuning => Box::new(FineTuning),
            Self::Progressive => Box::new(Columns),
            Self::Ewc {
                lambda,
                online,
                fisher_rows,
            } => Box::new(Elastic {
                ewc: Ewc::new(ewc(lambda, online))?,
                fisher_rows,
            }),
            Self::SynapticIntelligence { strength, xi } => Box::new(Synaptic {
                paths: SynapticIntelligence::new(synaptic(strength, xi))?,
                pending: None,
            }),
            Self::PackNet {
                prune_fraction,
                retrain,
                layers,
            } => Box::new(Packed {
                config: PackNetConfig {
                    prune_fraction,
                    layers,
                },
                retrain,
                net: None,
                pruned: false,
            }),
            Self::Gem {
                memory,
                margin,
                epsilon,
            } => Box::new(Episodic {
                memory: RowMemory::new(Keep::Ring, memory, tasks)?,
                rows: Use::Each(Gem::new(gem(margin, epsilon))?),
            }),
            Self::AGem {
                memory,
                batch,
                keep,
            } => Box::new(Episodic {
                memory: RowMemory::new(keep, memory, tasks)?,
                rows: Use::Average(batch),
            }),
            Self::Replay {
                memory,
                batch,
                keep,
            } => Box::new(Episodic {
                memory: RowMemory::new(keep, memory, tasks)?,
                rows: Use::Replay(batch),
            }),
            Self::Lwf {
                weight,
                temperature,
            } => Box::new(WithoutForgetting {
                weight,
                temperature,
                said: vec![],
                places: BTreeMap::new(),
            }),
        })
    }
}

fn ewc(lambda: f64, online: Option<f64>) -> EwcConfig {
    EwcConfig { lambda, online }
}

fn synaptic(strength: f64, xi: f64) -> SynapticConfig {
    SynapticConfig { strength, xi }
}

fn gem(margin: f64, epsilon: f64) -> GemConfig {
    GemConfig { margin, epsilon }
}
