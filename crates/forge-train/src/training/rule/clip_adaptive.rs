//! Clipping by the size of the weights.

use burn::module::Module;
use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::{Decision, GradientRule, Gradients};
use crate::checkpoint::RunPart;
use crate::optimizer::{AdaptiveClip, clip_adaptive};
use crate::training::StepContext;

/// Shortens gradients that are long beside the weights they move: see [`AdaptiveClip`].
#[derive(Debug, Clone, PartialEq)]
pub struct ClipAdaptive(AdaptiveClip);

impl ClipAdaptive {
    /// With these settings.
    ///
    /// # Errors
    /// What [`AdaptiveClip::validate`] finds.
    pub fn new(config: AdaptiveClip) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self(config))
    }
}

impl RunPart for ClipAdaptive {
    fn name(&self) -> &str {
        "clip_adaptive"
    }

    fn config(&self) -> Value {
        json!(self.0)
    }
}

impl<M: Module> GradientRule<M> for ClipAdaptive {
    fn may_skip(&self) -> bool {
        false
    }

    fn apply(
        &mut self,
        module: &M,
        mut gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        gradients.params = clip_adaptive(module, gradients.params, &self.0);
        Ok(Decision::Proceed(gradients))
    }
}
