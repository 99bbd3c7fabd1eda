//! Clipping by the norm.

use burn::module::Module;
use forge_nn::{ForgeError, check};
use serde_json::Value;

use super::{Decision, GradientRule, Gradients};
use crate::checkpoint::RunPart;
use crate::optimizer::clip_global_norm;
use crate::training::StepContext;

/// Scales gradients down whose norm, over all parameters together, is above a bound: see
/// [`clip_global_norm`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipNorm(f64);

impl ClipNorm {
    /// With a bound, above 0.
    ///
    /// # Errors
    /// A config error for another bound.
    pub fn new(max_norm: f64) -> Result<Self, ForgeError> {
        check::positive("clip_norm", max_norm)?;
        Ok(Self(max_norm))
    }
}

impl RunPart for ClipNorm {
    fn name(&self) -> &str {
        "clip_norm"
    }

    fn config(&self) -> Value {
        self.0.into()
    }
}

impl<M: Module> GradientRule<M> for ClipNorm {
    fn may_skip(&self) -> bool {
        false
    }

    fn apply(
        &mut self,
        module: &M,
        mut gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        (gradients.params, _) = clip_global_norm(module, gradients.params, self.0);
        Ok(Decision::Proceed(gradients))
    }
}
