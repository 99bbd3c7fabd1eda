//! Leaving out steps that would spoil the weights.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use forge_nn::ForgeError;

use super::{Decision, GradientRule, Gradients};
use crate::checkpoint::{PartState, RunPart};
use crate::training::StepContext;

/// Skips a step whose loss or gradients are not finite (optax's `apply_if_finite`).
///
/// Reads one number back from the device per step, which a GPU waits for.
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
        let mut look = Look {
            grads: &gradients.params,
            sums: vec![zero_if_finite(gradients.loss.clone())],
        };
        module.visit(&mut look);
        let sum: f64 = Tensor::cat(look.sums, 0)
            .sum()
            .try_into_scalar::<f64>()
            .map_err(|e| ForgeError::device(format!("gradients cannot be read back: {e}")))?;
        if sum.is_finite() {
            Ok(Decision::Proceed(gradients))
        } else {
            self.skipped += 1;
            Ok(Decision::Skip)
        }
    }
}

/// 0, or NaN where any element is not finite. Unlike the elements' own sum it cannot overflow.
fn zero_if_finite<const D: usize>(tensor: Tensor<D>) -> Tensor<1> {
    tensor.mul_scalar(0.0).sum().cast(DType::F32)
}

struct Look<'a> {
    grads: &'a GradientsParams,
    sums: Vec<Tensor<1>>,
}

impl ModuleVisitor for Look<'_> {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.grads.get::<D>(param.id) {
            self.sums.push(zero_if_finite(g));
        }
    }
}
