//! Synaptic intelligence.

use burn::tensor::Device;
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::PartState;
use serde::{Deserialize, Serialize};

use crate::functional::Params;

/// How a [`SynapticIntelligence`] holds on to old tasks.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SynapticConfig {
    /// `c`, how much old tasks count against the new one, 0 or more. The paper has 0.1 to 1.
    pub strength: f64,
    /// `ξ`, which keeps the division finite where a weight has hardly moved, above 0. Default 1e-3.
    #[serde(default = "xi")]
    pub xi: f64,
}

fn xi() -> f64 {
    1e-3
}

impl SynapticConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("strength", self.strength, 0.0..=f64::MAX)?;
        check::positive("xi", self.xi)
    }
}

/// Synaptic intelligence: `c Σ Ω (θ - θ̃)²` is added to the loss of a new task, where `θ̃` are the
/// weights at the end of the last one, and `Ω` sums over tasks `ω / (Δ² + ξ)`: `ω` is what a weight
/// has lowered the task's loss by on its way, the sum over steps of `-g · δ` with the gradient `g` of
/// the task's own loss and the movement `δ`, and `Δ` is the whole way. What comes out below 0 counts
/// as 0, as in the authors' code.
///
/// Zenke et al., arXiv 1703.04200, eq. 3 to 5.
#[derive(Debug, Clone)]
pub struct SynapticIntelligence {
    config: SynapticConfig,
    /// `Ω` and `θ̃`, once a task has been learned.
    learned: Option<(Params, Params)>,
    /// `ω` and the weights that the task began with.
    path: Option<(Params, Params)>,
}

impl SynapticIntelligence {
    /// Before the first task.
    ///
    /// # Errors
    /// As [`SynapticConfig::validate`].
    pub fn new(config: SynapticConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            learned: None,
            path: None,
        })
    }

    /// A task begins at these weights.
    ///
    /// # Errors
    /// A weights error if those of earlier tasks are of another module.
    pub fn begin(&mut self, weights: &Params) -> Result<(), ForgeError> {
        if let Some((importance, _)) = &self.learned {
            importance.same_as(weights, "the module")?;
        }
        let weights = weights.detach();
        self.path = Some((weights.zeros_like(), weights));
        Ok(())
    }

    /// A step has been made, by the `gradient` of the task's own loss at `before`.
    ///
    /// # Errors
    /// A training error if no task has begun; a weights error for those of another module.
    pub fn moved(
        &mut self,
        gradient: &Params,
        before: &Params,
        after: &Params,
    ) -> Result<(), ForgeError> {
        let Some((path, _)) = &mut self.path else {
            return Err(not_begun());
        };
        let way = after.detach().add_scaled(&before.detach(), -1.0)?;
        let lowered = gradient.detach().zip(&way, |_, g, way| g.mul(way))?;
        *path = path.add_scaled(&lowered, -1.0)?;
        Ok(())
    }

    /// The task has been learned, at these weights.
    ///
    /// # Errors
    /// As [`moved`](Self::moved).
    pub fn consolidate(&mut self, weights: &Params) -> Result<(), ForgeError> {
        let Some((path, start)) = self.path.take() else {
            return Err(not_begun());
        };
        let weights = weights.detach();
        let way = weights.add_scaled(&start, -1.0)?;
        let xi = self.config.xi;
        let new = path.zip(&way, |_, path, way| {
            path.div(way.clone().mul(way).add_scalar(xi))
        })?;
        let sum = match &self.learned {
            None => new,
            Some((old, _)) => old.add_scaled(&new, 1.0)?,
        };
        let importance = sum.map(|_, sum| sum.clamp_min(0.0));
        self.learned = Some((importance, weights));
        Ok(())
    }

    /// `Ω`, how much each weight matters to the tasks so far; none before the first has ended.
    #[must_use]
    pub fn importance(&self) -> Option<&Params> {
        self.learned.as_ref().map(|(importance, _)| importance)
    }

    /// The gradient of the penalty, `2c Ω (θ - θ̃)`; none before the first task has ended.
    ///
    /// # Errors
    /// A weights error if `weights` are of another module.
    pub fn penalty_gradient(&self, weights: &Params) -> Result<Option<Params>, ForgeError> {
        let Some((importance, end)) = &self.learned else {
            return Ok(None);
        };
        let way = weights.detach().add_scaled(end, -1.0)?;
        let pull = way.zip(importance, |_, way, importance| way.mul(importance))?;
        Ok(Some(pull.scale(2.0 * self.config.strength)))
    }

    /// All that it remembers.
    ///
    /// # Errors
    /// A training error if it cannot be written.
    pub fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = std::collections::BTreeMap::new();
        let pairs = [("learned", &self.learned), ("path", &self.path)];
        for (name, pair) in pairs {
            if let Some((sums, weights)) = pair {
                tensors.extend(sums.saved(&format!("{name}.sums")));
                tensors.extend(weights.saved(&format!("{name}.weights")));
            }
        }
        Ok(PartState::default().with_tensors(tensors))
    }

    /// Goes on from what [`state`](Self::state) gave.
    ///
    /// # Errors
    /// A weights error for a state of something else.
    pub fn restore(&mut self, state: PartState, device: &Device) -> Result<(), ForgeError> {
        let mut tensors = state.tensors;
        let mut pair = |name: &str| -> Result<Option<(Params, Params)>, ForgeError> {
            let sums = Params::restored(&format!("{name}.sums"), &mut tensors, device);
            let weights = Params::restored(&format!("{name}.weights"), &mut tensors, device);
            sums.same_as(&weights, "the weights")?;
            Ok((!sums.is_empty()).then_some((sums, weights)))
        };
        (self.learned, self.path) = (pair("learned")?, pair("path")?);
        PartState::default().with_tensors(tensors).into_nothing()
    }
}

fn not_begun() -> ForgeError {
    ForgeError::training("synaptic intelligence: no task has begun; call `begin` first")
}
