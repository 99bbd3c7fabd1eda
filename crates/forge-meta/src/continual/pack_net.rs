//! A network packed with tasks.

use std::collections::BTreeMap;

use burn::tensor::{Device, TensorData};
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use serde::{Deserialize, Serialize};

use crate::functional::{ParamTensor, Params};

/// How a [`PackNet`] prunes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PackNetConfig {
    /// Part of a task's weights that is given back for later tasks, in `0.0..1.0`. The paper has 0.5
    /// and 0.75.
    pub prune_fraction: f64,
    /// Names of the parameters that are shared out, all weight matrices as a rule; at least one.
    /// Biases and norms belong to the first task.
    pub layers: Vec<String>,
}

/// Several tasks in one network: each is trained on all weights that no task owns, then gives those
/// of the smallest magnitude back, layer by layer; what a task owns is never changed again.
///
/// Mallya & Lazebnik, arXiv 1711.05769. `k = round(fraction · count)` (half to even) weights go, and
/// with them all that are as small as the largest of these, as in the authors' code.
///
/// The order is: train with [`masked_gradient`](Self::masked_gradient), [`prune`](Self::prune), a
/// few more steps if wanted, [`next_task`](Self::next_task).
#[derive(Debug, Clone)]
pub struct PackNet {
    config: PackNetConfig,
    /// Which task owns each weight; 0 is free.
    owners: BTreeMap<String, Vec<u32>>,
    /// What was last pruned: the weights of old tasks.
    kept: Option<Params>,
    task: u32,
}

impl PackNet {
    /// For the first task, which all weights belong to.
    ///
    /// # Errors
    /// A config error if a field is out of its range or a layer is no parameter of the module.
    pub fn new(config: PackNetConfig, params: &Params) -> Result<Self, ForgeError> {
        check::in_range("prune_fraction", config.prune_fraction, 0.0..1.0)?;
        check::at_least_one("layers", config.layers.len())?;
        let mut owners = BTreeMap::new();
        for layer in &config.layers {
            let Some((_, tensor)) = params.iter().find(|(name, _)| name == layer) else {
                let names: Vec<_> = params.names().collect();
                let allowed = format!("one of {}", names.join(", "));
                return Err(ForgeError::config("layers", layer, allowed));
            };
            owners.insert(layer.clone(), vec![1; tensor.shape().iter().product()]);
        }
        Ok(Self {
            config,
            owners,
            kept: None,
            task: 1,
        })
    }

    /// The number of the task that is trained; the first is 1.
    #[must_use]
    pub fn task(&self) -> u32 {
        self.task
    }

    /// The task that owns each weight of a layer, 0 where none does.
    #[must_use]
    pub fn owners(&self, layer: &str) -> Option<&[u32]> {
        self.owners.get(layer).map(Vec::as_slice)
    }

    /// How many weights nobody owns.
    #[must_use]
    pub fn free(&self) -> usize {
        let all = self.owners.values().flatten();
        all.filter(|owner| **owner == 0).count()
    }

    /// `gradient` with zeros where a weight belongs to another task. Parameters that are not shared
    /// out move in the first task only.
    #[must_use]
    pub fn masked_gradient(&self, gradient: &Params) -> Params {
        gradient.map(|name, tensor| match self.owners.get(name) {
            Some(owners) => tensor.times(owners.iter().map(|owner| *owner == self.task)),
            None if self.task == 1 => tensor,
            None => tensor.zeros_like(),
        })
    }

    /// Gives the smallest weights of this task back. What comes out has zeros there and the old
    /// tasks' weights as they were.
    ///
    /// # Errors
    /// A weights error if `params` are of another module.
    pub fn prune(&mut self, params: &Params) -> Result<Params, ForgeError> {
        let kept = self.kept.clone().unwrap_or_else(|| params.clone());
        let (task, fraction) = (self.task, self.config.prune_fraction);
        let owners = &mut self.owners;
        let pruned = params.zip(&kept, |name, new, old| {
            let Some(owners) = owners.get_mut(name) else {
                // Shared by all, and settled in the first task.
                return if task == 1 { new } else { old };
            };
            let (device, dtype, shape) = (new.device(), new.dtype(), new.shape());
            let new: Vec<f64> = new.into_data().iter().collect();
            let old: Vec<f64> = old.into_data().iter().collect();
            if let Some(largest) = threshold(&new, owners, task, fraction) {
                for (owner, weight) in owners.iter_mut().zip(&new) {
                    if *owner == task && weight.abs() <= largest {
                        *owner = 0;
                    }
                }
            }
            let values = owners.iter().zip(new.into_iter().zip(old));
            let values = values.map(|(owner, (new, old))| match *owner {
                0 => 0.0,
                owner if owner == task => new,
                _ => old,
            });
            let data = TensorData::new(values.collect::<Vec<f64>>(), shape);
            ParamTensor::from_data(data, &device, dtype)
        })?;
        self.kept = Some(pruned.detach());
        Ok(pruned)
    }

    /// `params` with what the task in progress does not own as it was when last pruned or settled: an
    /// optimiser with momentum or decay moves weights that have no gradient.
    ///
    /// # Errors
    /// A weights error if `params` are of another module.
    pub fn held(&self, params: &Params) -> Result<Params, ForgeError> {
        let Some(kept) = &self.kept else {
            return Ok(params.clone());
        };
        params.zip(kept, |name, new, old| match self.owners.get(name) {
            None if self.task == 1 => new,
            None => old,
            Some(owners) => {
                // A choice, and no sum of products: what is kept has to stay to the bit.
                let (device, dtype, shape) = (new.device(), new.dtype(), new.shape());
                let new: Vec<f64> = new.into_data().iter().collect();
                let old: Vec<f64> = old.into_data().iter().collect();
                let values = owners.iter().zip(new.into_iter().zip(old));
                let values = values.map(|(owner, (new, old))| match *owner == self.task {
                    true => new,
                    false => old,
                });
                let data = TensorData::new(values.collect::<Vec<f64>>(), shape);
                ParamTensor::from_data(data, &device, dtype)
            }
        })
    }

    /// The task in progress ends with these weights, which are kept from now on.
    pub fn settle(&mut self, params: &Params) {
        self.kept = Some(params.detach());
    }

    /// All that it remembers: owners, kept weights, the task in progress.
    ///
    /// # Errors
    /// A training error if it cannot be written.
    pub fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = BTreeMap::new();
        for (layer, owners) in &self.owners {
            let owners: Vec<i64> = owners.iter().map(|owner| i64::from(*owner)).collect();
            let shape = [owners.len()];
            tensors.insert(format!("owners/{layer}"), TensorData::new(owners, shape));
        }
        if let Some(kept) = &self.kept {
            tensors.extend(kept.saved("kept"));
        }
        Ok(PartState::from_json(&self.task)?.with_tensors(tensors))
    }

    /// Goes on from what [`state`](Self::state) gave, with tensors on `device`.
    ///
    /// # Errors
    /// A weights error for a state of something else.
    pub fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let task: u32 = state.read_json()?;
        let mut tensors = state.tensors;
        let kept = Params::restored("kept", &mut tensors, device);
        let mut restored = BTreeMap::new();
        for (layer, own) in &self.owners {
            let found = tensors.remove(&format!("owners/{layer}"));
            let found = found.map(|data| data.iter::<i64>().collect::<Vec<_>>());
            let numbers = found.and_then(|found| {
                let numbers = found.into_iter().map(u32::try_from);
                numbers.collect::<Result<Vec<u32>, _>>().ok()
            });
            match numbers {
                Some(numbers) if numbers.len() == own.len() => {
                    restored.insert(layer.clone(), numbers);
                }
                _ => {
                    let what = format!("the owners of {layer} are not {} numbers", own.len());
                    return Err(ForgeError::weights(what));
                }
            }
        }
        PartState::default().with_tensors(tensors).into_nothing()?;
        self.owners = restored;
        self.kept = (!kept.is_empty()).then_some(kept);
        self.task = task;
        Ok(())
    }

    /// Gives all free weights to a new task.
    ///
    /// # Errors
    /// A training error if there is none.
    pub fn next_task(&mut self) -> Result<(), ForgeError> {
        if self.free() == 0 {
            return Err(ForgeError::training(format!(
                "task {} owns every weight that is left; prune it, with a prune_fraction above {}, \
                 or widen the network",
                self.task, self.config.prune_fraction
            )));
        }
        self.task += 1;
        for owner in self.owners.values_mut().flatten() {
            if *owner == 0 {
                *owner = self.task;
            }
        }
        Ok(())
    }

    /// The network of one task: zeros where a weight is free or belongs to a later one.
    ///
    /// # Errors
    /// A config error if there is no such task.
    pub fn network_of(&self, task: u32, params: &Params) -> Result<Params, ForgeError> {
        check::in_range("task", task, 1..=self.task)?;
        Ok(params.map(|name, tensor| match self.owners.get(name) {
            Some(owners) => tensor.times(owners.iter().map(|owner| (1..=task).contains(owner))),
            None => tensor,
        }))
    }
}

/// The largest magnitude that goes.
fn threshold(weights: &[f64], owners: &[u32], task: u32, fraction: f64) -> Option<f64> {
    let own = weights
        .iter()
        .zip(owners)
        .filter(|(_, owner)| **owner == task);
    let mut own: Vec<f64> = own.map(|(weight, _)| weight.abs()).collect();
    let count = (fraction * own.len() as f64).round_ties_even() as usize;
    own.sort_by(f64::total_cmp);
    count.checked_sub(1).and_then(|last| own.get(last).copied())
}
