//! What a reward is compared with.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// A moving average of rewards: REINFORCE steps along `(reward - average) ∇ log p(arc)`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MovingBaseline {
    /// The average.
    pub value: f64,
    /// What of it stays at each reward, in `[0, 1)`.
    pub decay: f64,
    /// Times the entropy of the controller's choices, which is added to the reward; at least 0.
    pub entropy_weight: f64,
}

/// What a reward says.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Advantage {
    /// The reward with its entropy bonus.
    pub reward: f64,
    /// The average, this reward in it.
    pub baseline: f64,
    /// The difference.
    pub advantage: f64,
}

impl MovingBaseline {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("baseline", self.value, f64::MIN..=f64::MAX)?;
        check::probability("baseline_decay", self.decay)?;
        check::in_range("entropy_weight", self.entropy_weight, 0.0..=f64::MAX)
    }

    /// Takes a reward in: `r = reward + entropy_weight · entropy`, then `b ← b - (1 - decay) (b - r)`, then
    /// the advantage is `r - b`.
    ///
    /// # Errors
    /// A training error if the reward or the entropy is not finite.
    pub fn take(&mut self, reward: f64, entropy: f64) -> Result<Advantage, ForgeError> {
        let reward = reward + self.entropy_weight * entropy;
        if !reward.is_finite() {
            let reason = format!("the reward of an arc is {reward}");
            return Err(ForgeError::training(reason));
        }
        self.value -= (1.0 - self.decay) * (self.value - reward);
        Ok(Advantage {
            reward,
            baseline: self.value,
            advantage: reward - self.value,
        })
    }
}
