//! What Adam remembers within and between tasks.

use forge_nn::ForgeError;
use forge_train::checkpoint::PartState;

use crate::functional::Params;

#[derive(Debug, Clone)]
pub(super) struct Moments {
    first: Params,
    second: Params,
    steps: i32,
}

const FIRST: &str = "first";
const SECOND: &str = "second";

impl Moments {
    /// After one more gradient; from zeros if there was none.
    pub(super) fn next(
        old: Option<Self>,
        gradient: &Params,
        [beta_1, beta_2]: [f64; 2],
    ) -> Result<Self, ForgeError> {
        let old = old.unwrap_or_else(|| Self {
            first: gradient.zeros_like(),
            second: gradient.zeros_like(),
            steps: 0,
        });
        let square = gradient.map(|_, g| g.clone().mul(g));
        Ok(Self {
            first: old.first.scale(beta_1).add_scaled(gradient, 1.0 - beta_1)?,
            second: old.second.scale(beta_2).add_scaled(&square, 1.0 - beta_2)?,
            steps: old.steps.saturating_add(1),
        })
    }

    /// Where to go, up to the rate.
    pub(super) fn step(
        &self,
        [beta_1, beta_2]: [f64; 2],
        epsilon: f64,
    ) -> Result<Params, ForgeError> {
        let first = self.first.scale(1.0 / (1.0 - beta_1.powi(self.steps)));
        let second = self.second.scale(1.0 / (1.0 - beta_2.powi(self.steps)));
        first.zip(&second, |_, m, v| m.div(v.sqrt().add_scalar(epsilon)))
    }

    pub(super) fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = self.first.saved(FIRST);
        tensors.extend(self.second.saved(SECOND));
        Ok(PartState::from_json(&self.steps)?.with_tensors(tensors))
    }

    /// That a state is of moments, whichever module they are of.
    pub(super) fn check(state: &PartState) -> Result<(), ForgeError> {
        let steps: i32 = state.read_json()?;
        if steps < 1 {
            return Err(ForgeError::weights(format!("moments after {steps} steps")));
        }
        let known = |name: &&String| [FIRST, SECOND].iter().any(|of| name.starts_with(of));
        match state.tensors.keys().find(|name| !known(name)) {
            Some(name) => Err(ForgeError::weights(format!("{name} is not expected"))),
            None => Ok(()),
        }
    }

    /// Those of [`state`](Self::state), which must be of parameters like `params`, on their device.
    pub(super) fn restored(state: PartState, params: &Params) -> Result<Option<Self>, ForgeError> {
        let steps = state.read_json()?;
        let device = params.iter().next().map(|(_, tensor)| tensor.device());
        let device = device.unwrap_or_default();
        let mut tensors = state.tensors;
        let mut of = |section| {
            let found = Params::restored(section, &mut tensors, &device);
            found.same_as(params, "the module").map(|()| found)
        };
        Ok(Some(Self {
            first: of(FIRST)?,
            second: of(SECOND)?,
            steps,
        }))
    }
}
