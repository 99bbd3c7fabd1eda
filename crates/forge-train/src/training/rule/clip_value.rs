//! Clipping element by element.

use burn::module::{Module, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde_json::Value;

use super::{Decision, GradientRule, Gradients};
use crate::checkpoint::RunPart;
use crate::training::StepContext;

/// Moves every element of every gradient into `[-v, v]` (PyTorch's `clip_grad_value_`); NaN stays
/// NaN.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ClipValue(f64);

impl ClipValue {
    /// With `v`, above 0.
    ///
    /// # Errors
    /// A config error for another bound.
    pub fn new(bound: f64) -> Result<Self, ForgeError> {
        check::positive("clip_value", bound)?;
        Ok(Self(bound))
    }
}

impl RunPart for ClipValue {
    fn name(&self) -> &str {
        "clip_value"
    }

    fn config(&self) -> Value {
        self.0.into()
    }
}

impl<M: Module> GradientRule<M> for ClipValue {
    fn may_skip(&self) -> bool {
        false
    }

    fn apply(
        &mut self,
        module: &M,
        gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        let mut clamp = Clamp {
            from: gradients.params,
            to: GradientsParams::new(),
            bound: self.0,
        };
        module.visit(&mut clamp);
        Ok(Decision::Proceed(Gradients {
            loss: gradients.loss,
            params: clamp.to,
        }))
    }
}

struct Clamp {
    from: GradientsParams,
    to: GradientsParams,
    bound: f64,
}

impl ModuleVisitor for Clamp {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(g) = self.from.remove::<D>(param.id) {
            let clamped = g.clone().clamp(-self.bound, self.bound);
            // A clamp may lose a NaN.
            let clamped = clamped.mask_where(g.clone().is_nan(), g);
            self.to.register(param.id, clamped);
        }
    }
}
