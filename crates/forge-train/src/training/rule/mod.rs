//! What happens to gradients between the backward pass and the optimiser.

mod clip_adaptive;
mod clip_norm;
mod clip_value;
mod skip_non_finite;

pub use clip_adaptive::ClipAdaptive;
pub use clip_norm::ClipNorm;
pub use clip_value::ClipValue;
pub use skip_non_finite::SkipNonFinite;

use burn::module::Module;
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

use super::StepContext;
use crate::checkpoint::RunPart;

/// A loss and its gradients.
#[derive(Debug)]
pub struct Gradients {
    /// The loss, off the graph.
    ///
    /// # Shapes
    /// - `[1]`
    pub loss: Tensor<1>,
    /// One gradient per parameter that the loss depends on, by parameter id.
    pub params: GradientsParams,
}

/// What a rule decides.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "one per step, handed on at once")]
pub enum Decision {
    /// The step is made with these gradients, which the next rule sees.
    Proceed(Gradients),
    /// Weights, optimiser and averages stay as they are. The step counts: schedule and data go on.
    Skip,
}

/// Looks at the gradients of a step before the optimiser does; may change them, and may have the
/// step left out.
pub trait GradientRule<M: Module>: RunPart {
    /// What the loss is multiplied by before the backward pass. A rule that gives another value
    /// than 1 divides the gradients by it in [`apply`](Self::apply) (loss scaling in half
    /// precision). The loss that is reported is without it.
    fn loss_factor(&self, at: &StepContext<'_>) -> f64 {
        let _ = at;
        1.0
    }

    /// Whether [`apply`](Self::apply) ever answers [`Decision::Skip`]. Where a rule may, the
    /// batch statistics from before the forward pass are kept to be put back. Default true.
    fn may_skip(&self) -> bool {
        true
    }

    /// Decides about one step.
    ///
    /// # Errors
    /// What the rule finds wrong; it ends the run.
    fn apply(
        &mut self,
        module: &M,
        gradients: Gradients,
        at: &StepContext<'_>,
    ) -> Result<Decision, ForgeError>;
}

impl<M: Module, R: GradientRule<M> + ?Sized> GradientRule<M> for &mut R {
    fn loss_factor(&self, at: &StepContext<'_>) -> f64 {
        (**self).loss_factor(at)
    }

    fn may_skip(&self) -> bool {
        (**self).may_skip()
    }

    fn apply(
        &mut self,
        module: &M,
        gradients: Gradients,
        at: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        (**self).apply(module, gradients, at)
    }
}
