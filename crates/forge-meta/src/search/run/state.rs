//! What a search remembers.

use std::collections::BTreeMap;
use std::path::PathBuf;

use burn::module::Module;
use burn::tensor::TensorData;
use forge_nn::ForgeError;
use forge_train::checkpoint::{CheckpointFolder, PartState, RunPart};
use forge_train::optimizer::OptimizerState;
use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use super::search::Kind;
use super::{Search, SearchConfig};
use crate::functional::Params;
use crate::search::{LatencyTable, MovingBaseline};

const NET: &str = "net";
const CONTROLLER: &str = "controller";
const WEIGHTS: &str = "weight_optimizer/";
const ARCHITECTURE: &str = "architecture_optimizer/";

/// Beside the tensors.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    step: usize,
    weight_optimizer: BTreeMap<String, Number>,
    architecture_optimizer: BTreeMap<String, Number>,
    baseline: Option<MovingBaseline>,
    latency: Option<LatencyTable>,
}

/// The tensors under `prefix`, without it.
fn taken(prefix: &str, tensors: &mut BTreeMap<String, TensorData>) -> BTreeMap<String, TensorData> {
    let mine = tensors.extract_if(.., |name, _| name.starts_with(prefix));
    mine.map(|(name, data)| (name[prefix.len()..].to_string(), data))
        .collect()
}

fn put(
    prefix: &str,
    state: OptimizerState,
    tensors: &mut BTreeMap<String, TensorData>,
) -> BTreeMap<String, Number> {
    let named = state.tensors.into_iter();
    tensors.extend(named.map(|(name, data)| (format!("{prefix}{name}"), data)));
    state.scalars
}

/// The parameters of a module as they were saved under `section`.
fn restored<M: Module>(
    section: &str,
    module: &M,
    tensors: &mut BTreeMap<String, TensorData>,
) -> Result<M, ForgeError> {
    let device = module
        .devices()
        .into_iter()
        .next()
        .unwrap_or_default()
        .inner();
    Params::restored(section, tensors, &device).load_into(module.clone())
}

/// The saved times, where there are to be some: those of another device may differ, and the search goes on
/// with what it began with.
fn checked(
    saved: Option<LatencyTable>,
    wanted: bool,
    config: &SearchConfig,
) -> Result<Option<LatencyTable>, ForgeError> {
    match (saved, wanted) {
        (Some(table), true) => {
            table.validate(config.space.operations.len())?;
            Ok(Some(table))
        }
        (None, false) => Ok(None),
        (saved, _) => {
            let found = if saved.is_some() { "there" } else { "missing" };
            Err(ForgeError::weights(format!("the latency table is {found}")))
        }
    }
}

impl Search {
    /// Writes a checkpoint.
    ///
    /// # Errors
    /// As [`CheckpointFolder::save_part`].
    pub fn save(&self, folder: &CheckpointFolder) -> Result<PathBuf, ForgeError> {
        folder.save_part(self)
    }

    /// Goes on from the newest checkpoint in the folder; whether there was one.
    ///
    /// # Errors
    /// As [`CheckpointFolder::restore_part`]: a search with other settings or data of other sizes is not
    /// resumed.
    pub fn resume(&mut self, folder: &CheckpointFolder) -> Result<bool, ForgeError> {
        folder.restore_part(self)
    }
}

impl RunPart for Search {
    fn name(&self) -> &str {
        "search"
    }

    fn config(&self) -> Value {
        let task = &self.task;
        json!({
            "config": self.config,
            "loss": task.loss,
            "train": [task.train.x.dims().to_vec(), task.train.y.dims().to_vec()],
            "validation": [task.validation.x.dims().to_vec(), task.validation.y.dims().to_vec()],
        })
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let (weights, architecture) = (&self.optimisers.weights, &self.optimisers.architecture);
        let of = |weights: OptimizerState, architecture: OptimizerState, mut tensors| {
            let weight_optimizer = put(WEIGHTS, weights, &mut tensors);
            let architecture_optimizer = put(ARCHITECTURE, architecture, &mut tensors);
            let (mut baseline, mut latency) = (None, None);
            match &self.kind {
                Kind::Strengths(search) => latency = search.latency.clone(),
                Kind::Arcs(search) => {
                    baseline = search.proposer.as_ref().map(|p| p.baseline.clone());
                }
            }
            let saved = Saved {
                step: self.step,
                weight_optimizer,
                architecture_optimizer,
                baseline,
                latency,
            };
            Ok(PartState::from_json(&saved)?.with_tensors(tensors))
        };
        match &self.kind {
            Kind::Strengths(search) => {
                let net = &search.net;
                let tensors = Params::of(net).saved(NET);
                of(weights.state(net), architecture.state(net), tensors)
            }
            Kind::Arcs(search) => {
                let mut tensors = Params::of(&search.child).saved(NET);
                let mut of_controller = OptimizerState::default();
                if let Some(proposer) = &search.proposer {
                    tensors.extend(Params::of(&proposer.controller).saved(CONTROLLER));
                    of_controller = architecture.state(&proposer.controller);
                }
                of(weights.state(&search.child), of_controller, tensors)
            }
        }
    }

    fn restore(&mut self, mut state: PartState) -> Result<(), ForgeError> {
        let saved: Saved = state.read_json()?;
        let tensors = &mut state.tensors;
        let weights = OptimizerState {
            tensors: taken(WEIGHTS, tensors),
            scalars: saved.weight_optimizer,
        };
        let architecture = OptimizerState {
            tensors: taken(ARCHITECTURE, tensors),
            scalars: saved.architecture_optimizer,
        };
        let optimisers = &mut self.optimisers;
        match &mut self.kind {
            Kind::Strengths(search) => {
                search.net = restored(NET, &search.net, tensors)?;
                optimisers.weights.load(&search.net, weights)?;
                optimisers.architecture.load(&search.net, architecture)?;
                search.latency = checked(saved.latency, search.latency.is_some(), &self.config)?;
            }
            Kind::Arcs(search) => {
                search.child = restored(NET, &search.child, tensors)?;
                optimisers.weights.load(&search.child, weights)?;
                if let Some(proposer) = &mut search.proposer {
                    proposer.controller = restored(CONTROLLER, &proposer.controller, tensors)?;
                    optimisers
                        .architecture
                        .load(&proposer.controller, architecture)?;
                    let baseline = saved.baseline;
                    proposer.baseline =
                        baseline.ok_or_else(|| ForgeError::weights("the baseline is missing"))?;
                    proposer.baseline.validate()?;
                }
            }
        }
        if let Some(name) = tensors.keys().next() {
            return Err(ForgeError::weights(format!("{name} is not expected")));
        }
        self.step = saved.step;
        Ok(())
    }
}
