//! Elastic weight consolidation.

use std::collections::BTreeMap;

use burn::tensor::{Device, Tensor, TensorData};
use forge_graph::{AnyTensor, Tensors};
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use serde::{Deserialize, Serialize};

use crate::functional::{Functional, Params};

/// The diagonal of the empirical Fisher information: the mean over the rows of `inputs` of the
/// squared gradient of each row's own negative log-likelihood. Never the square of the mean
/// gradient, which is near 0 where training has ended.
///
/// `loss` gives the negative log-likelihood of a batch of one.
///
/// # Errors
/// As [`Functional::per_sample_grad`]; a config error if there is no row.
pub fn empirical_fisher<I: Tensors + 'static>(
    loss: &Functional<I, Tensor<1>>,
    params: &Params,
    inputs: I,
) -> Result<Params, ForgeError> {
    let each = loss.per_sample_grad(params, inputs)?;
    check::at_least_one("rows of inputs", each.len())?;
    let mut sum = params.detach().zeros_like();
    for gradient in &each {
        sum = sum.add_scaled(&squared(gradient), 1.0 / each.len() as f64)?;
    }
    Ok(sum)
}

/// The diagonal of the Fisher information of a classifier: the mean over the rows of `inputs` of
/// `Σ_c p_c (∇ log p_c)²`, the expectation over what the model itself says, for which no labels are
/// needed.
///
/// `log_probabilities` gives `[B, C]`.
///
/// # Errors
/// As [`Functional::vjp`]; a config error if there is no row.
pub fn categorical_fisher<I: Tensors + 'static>(
    log_probabilities: &Functional<I, Tensor<2>>,
    params: &Params,
    inputs: I,
) -> Result<Params, ForgeError> {
    let params = params.detach();
    let mut list = vec![];
    inputs.list(&mut list);
    let mut sum = params.zeros_like();
    let rows = list
        .first()
        .and_then(|input| input.shape().first().copied())
        .unwrap_or_default();
    check::at_least_one("rows of inputs", rows)?;
    for row in 0..rows {
        let one = || {
            let one: Vec<AnyTensor> = list.iter().map(|input| input.clone().row(row)).collect();
            I::restore(&mut one.into_iter())
        };
        let says = log_probabilities.call(&params, one()?)?;
        let (device, dtype, shape) = (says.device(), says.dtype(), says.dims());
        let says: Vec<f64> = says.into_data().iter().collect();
        for (class, says) in says.iter().enumerate() {
            let mut unit = vec![0.0; shape[0] * shape[1]];
            unit[class] = 1.0;
            let unit = TensorData::new::<f64, _>(unit, shape).convert_dtype(dtype);
            let unit = Tensor::<2>::from_data(unit, (&device, dtype));
            let (_, gradient) = log_probabilities.vjp(&params, one()?, unit)?;
            sum = sum.add_scaled(&squared(&gradient), says.exp() / rows as f64)?;
        }
    }
    Ok(sum)
}

fn squared(gradient: &Params) -> Params {
    gradient.map(|_, g| g.clone().mul(g))
}

/// How an [`Ewc`] holds on to old tasks.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EwcConfig {
    /// `λ`, how much old tasks count against the new one, 0 or more.
    pub lambda: f64,
    /// `γ` of the online form, in `0.0..=1.0`: one Fisher information for all tasks, the old one
    /// times `γ` plus the new one, around the latest optimum (Schwarz et al., arXiv 1805.06370, eq.
    /// 8 and 9). Default: none, which keeps one penalty per task.
    #[serde(default)]
    pub online: Option<f64>,
}

impl EwcConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("lambda", self.lambda, 0.0..=f64::MAX)?;
        match self.online {
            Some(gamma) => check::in_range("online", gamma, 0.0..=1.0),
            None => Ok(()),
        }
    }
}

/// Elastic weight consolidation: `λ/2 Σ F (θ - θ*)²` is added to the loss of a new task, where `θ*`
/// is the optimum of an old one and `F` the diagonal of its Fisher information.
///
/// Kirkpatrick et al., arXiv 1612.00796, eq. 3.
#[derive(Debug, Clone)]
pub struct Ewc {
    config: EwcConfig,
    /// Fisher information and optimum, task by task.
    tasks: Vec<(Params, Params)>,
}

impl Ewc {
    /// Before the first task.
    ///
    /// # Errors
    /// As [`EwcConfig::validate`].
    pub fn new(config: EwcConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            tasks: vec![],
        })
    }

    /// A task has been learned: `fisher` of it at its optimum.
    ///
    /// # Errors
    /// A weights error if the two, or those of old tasks, are of different modules.
    pub fn consolidate(&mut self, fisher: &Params, optimum: &Params) -> Result<(), ForgeError> {
        fisher.same_as(optimum, "the optimum")?;
        let (fisher, optimum) = (fisher.detach(), optimum.detach());
        match (self.config.online, self.tasks.pop()) {
            (Some(gamma), Some((old, _))) => {
                let fisher = old.scale(gamma).add_scaled(&fisher, 1.0)?;
                self.tasks.push((fisher, optimum));
            }
            (_, old) => {
                self.tasks.extend(old);
                self.tasks.push((fisher, optimum));
            }
        }
        Ok(())
    }

    /// The penalty `[1]` at `params`, on their graph; none before the first task.
    ///
    /// # Errors
    /// A weights error if `params` are of another module.
    pub fn penalty(&self, params: &Params) -> Result<Option<Tensor<1>>, ForgeError> {
        let mut sum: Option<Tensor<1>> = None;
        for (fisher, optimum) in &self.tasks {
            let way = params.add_scaled(optimum, -1.0)?;
            let weighted = way.zip(fisher, |_, way, fisher| way.mul(fisher))?;
            let one = weighted.dot(&way)? * (0.5 * self.config.lambda);
            sum = Some(match sum {
                Some(sum) => sum + one,
                None => one,
            });
        }
        Ok(sum)
    }

    /// The gradient of [`penalty`](Self::penalty) at `params`, `λ Σ F (θ - θ*)` over the tasks, off the
    /// graph; none before the first task.
    ///
    /// # Errors
    /// A weights error if `params` are of another module.
    pub fn penalty_gradient(&self, params: &Params) -> Result<Option<Params>, ForgeError> {
        let params = params.detach();
        let mut sum: Option<Params> = None;
        for (fisher, optimum) in &self.tasks {
            let way = params.add_scaled(optimum, -1.0)?;
            let one = way.zip(fisher, |_, way, fisher| way.mul(fisher))?;
            let one = one.scale(self.config.lambda);
            sum = Some(match sum {
                Some(sum) => sum.add_scaled(&one, 1.0)?,
                None => one,
            });
        }
        Ok(sum)
    }

    /// All that it remembers: Fisher information and optimum of each task.
    ///
    /// # Errors
    /// A training error if it cannot be written.
    pub fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = BTreeMap::new();
        for (task, (fisher, optimum)) in self.tasks.iter().enumerate() {
            tensors.extend(fisher.saved(&format!("{task:06}.fisher")));
            tensors.extend(optimum.saved(&format!("{task:06}.optimum")));
        }
        Ok(PartState::from_json(&self.tasks.len())?.with_tensors(tensors))
    }

    /// Goes on from what [`state`](Self::state) gave, with tensors on `device`.
    ///
    /// # Errors
    /// A weights error for a state of something else.
    pub fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let tasks: usize = state.read_json()?;
        let mut tensors = state.tensors;
        let mut restored = vec![];
        for task in 0..tasks {
            let mut take = |what| {
                let section = format!("{task:06}.{what}");
                Params::restored(&section, &mut tensors, device)
            };
            let (fisher, optimum) = (take("fisher"), take("optimum"));
            if fisher.is_empty() {
                let missing = format!("the Fisher information of task {task} is missing");
                return Err(ForgeError::weights(missing));
            }
            fisher.same_as(&optimum, "the optimum")?;
            restored.push((fisher, optimum));
        }
        PartState::default().with_tensors(tensors).into_nothing()?;
        self.tasks = restored;
        Ok(())
    }
}
