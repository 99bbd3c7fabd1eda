//! Binary gates on the operations of an edge.

use forge_nn::{ForgeError, check};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How many operations of an edge take part in a step of the strengths.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum GateMode {
    /// All: every operation is computed for the gradients of its gate.
    Full,
    /// Two, drawn by their probabilities, as if there were no others.
    #[default]
    TwoPaths,
}

/// A draw on one edge: the operation whose gate is open, and the one that it is compared with in
/// [`GateMode::TwoPaths`].
///
/// Cai, Zhu & Han, "ProxylessNAS", arXiv 1812.00332, sections 3.2 and 3.3.1, as in
/// mit-han-lab/proxylessnas, `search/modules/mix_op.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GatedPaths {
    /// Its gate is 1, all others are 0.
    pub active: usize,
    /// The other of two; absent where all take part.
    pub inactive: Option<usize>,
}

/// `softmax(strengths)`.
#[must_use]
pub fn path_probabilities(strengths: &[f64]) -> Vec<f64> {
    let most = strengths.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let raised: Vec<f64> = strengths.iter().map(|s| (s - most).exp()).collect();
    let sum: f64 = raised.iter().sum();
    raised.iter().map(|r| r / sum).collect()
}

/// A place by its probability.
fn drawn(probabilities: &[f64], random: &mut ChaCha8Rng) -> usize {
    let mut left = random.random::<f64>() * probabilities.iter().sum::<f64>();
    for (place, probability) in probabilities.iter().enumerate() {
        left -= probability;
        if left < 0.0 {
            return place;
        }
    }
    // What rounding left over.
    probabilities.iter().rposition(|p| *p > 0.0).unwrap_or(0)
}

impl GatedPaths {
    /// Draws the active operation by `softmax(strengths)`; with two paths first a pair without
    /// replacement, then the active one by the softmax over the two.
    ///
    /// # Errors
    /// A config error if there is no operation, or only one for two paths; a training error if a
    /// strength is not finite.
    pub fn draw(
        strengths: &[f64],
        mode: GateMode,
        random: &mut ChaCha8Rng,
    ) -> Result<Self, ForgeError> {
        let least = match mode {
            GateMode::Full => 1,
            GateMode::TwoPaths => 2,
        };
        check::in_range("number of operations", strengths.len(), least..)?;
        if let Some(bad) = strengths.iter().find(|s| !s.is_finite()) {
            let reason = format!("a strength of the architecture is {bad}");
            return Err(ForgeError::training(reason));
        }
        let mut probabilities = path_probabilities(strengths);
        let first = drawn(&probabilities, random);
        if mode == GateMode::Full {
            return Ok(Self {
                active: first,
                inactive: None,
            });
        }
        probabilities[first] = 0.0;
        let mut second = drawn(&probabilities, random);
        if second == first {
            // The others' probabilities are all 0 in floating point.
            second = usize::from(first == 0);
        }
        let pair = [first, second];
        let of_pair = path_probabilities(&pair.map(|k| strengths[k]));
        let chosen = drawn(&of_pair, random);
        Ok(Self {
            active: pair[chosen],
            inactive: Some(pair[1 - chosen]),
        })
    }

    /// The operations, of `count`, that take part.
    #[must_use]
    pub fn members(&self, count: usize) -> Vec<usize> {
        match self.inactive {
            Some(inactive) => vec![self.active, inactive],
            None => (0..count).collect(),
        }
    }

    /// The gates: 1 for the active operation, 0 for the others.
    #[must_use]
    pub fn gates(&self, count: usize) -> Vec<f64> {
        let gate = |k| f64::from(u8::from(k == self.active));
        (0..count).map(gate).collect()
    }

    /// The gradient for the strengths, `∂L/∂α_i = Σ_j v_j p_j (δ_ij - p_i)` over the operations that take
    /// part, whose probabilities `p` are among themselves; 0 for the others (equation 3).
    ///
    /// `values` are what each operation costs: the gradients of the gates, `∂L/∂g_j`, and whatever is
    /// charged by probability, as λ times its latency.
    ///
    /// # Errors
    /// A shape error if there is not a value for each strength.
    pub fn strength_gradient(
        &self,
        strengths: &[f64],
        values: &[f64],
    ) -> Result<Vec<f64>, ForgeError> {
        if strengths.len() != values.len() {
            let found = values.len();
            return Err(ForgeError::shape("values", found, strengths.len()));
        }
        let members = self.members(strengths.len());
        let own: Vec<f64> = members.iter().map(|k| strengths[*k]).collect();
        let probabilities = path_probabilities(&own);
        let each = || members.iter().zip(&probabilities);
        let mean: f64 = each().map(|(k, p)| values[*k] * p).sum();
        let mut gradient = vec![0.0; strengths.len()];
        for (k, p) in each() {
            gradient[*k] = p * (values[*k] - mean);
        }
        Ok(gradient)
    }

    /// The strengths after a step. With two paths both are shifted so that the sum of their `exp` is as
    /// before, and the others keep theirs: the probabilities of those that took no part stay.
    #[must_use]
    pub fn rescaled(&self, before: &[f64], after: &[f64]) -> Vec<f64> {
        let Some(inactive) = self.inactive else {
            return after.to_vec();
        };
        let total = |of: &[f64]| {
            let (a, b) = (of[self.active], of[inactive]);
            let most = a.max(b);
            most + ((a - most).exp() + (b - most).exp()).ln()
        };
        let shift = total(before) - total(after);
        let mut strengths = before.to_vec();
        for k in [self.active, inactive] {
            strengths[k] = after[k] + shift;
        }
        strengths
    }
}
