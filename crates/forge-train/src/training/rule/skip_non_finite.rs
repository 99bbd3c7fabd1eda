//! Leaving out steps that would spoil the weights.

use burn::module::Module;
use forge_nn::ForgeError;

use super::{Decision, GradientRule, Gradients};
use crate::checkpoint::{PartState, RunPart};
use crate::optimizer::is_finite;
use crate::training::StepContext;

/// Skips a step whose loss or gradients are not finite (optax's `apply_if_finite`).
///
/// Reads two numbers back from the device per step, which a GPU waits for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct SkipNonFinite {
    skipped: u64,
}

impl SkipNonFinite {
    /// A rule that has skipped nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Steps skipped so far.
    #[must_use]
    pub fn skipped(&self) -> u64 {
        self.skipped
    }
}

impl RunPart for SkipNonFinite {
    fn name(&self) -> &str {
        "skip_non_finite"
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.skipped)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.skipped = state.into_json()?;
        Ok(())
    }
}

impl<M: Module> GradientRule<M> for SkipNonFinite {
    fn apply(
        &mut self,
        module: &M,
        gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        let loss = gradients.loss.clone().try_into_scalar::<f64>();
        let loss =
            loss.map_err(|e| ForgeError::device(format!("the loss cannot be read back: {e}")))?;
        if loss.is_finite() && is_finite(module, &gradients.params)? {
            Ok(Decision::Proceed(gradients))
        } else {
            self.skipped += 1;
            Ok(Decision::Skip)
        }
    }
}
