//! Sharpness-aware minimisation.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};
use forge_nn::parameters::{
    ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, replace_value,
    visit_parameters,
};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::global_norm::off_graph;

/// Sharpness-aware minimisation: the gradient of a step is taken where the loss of the same rows is
/// worst nearby (Foret et al. 2021, algorithm 1), at `p + ε` with
///
/// ```text
/// ε = ρ g/‖g‖                     adaptive (Kwon et al. 2021):  ε = ρ p²∘g/‖|p|∘g‖
/// ```
///
/// over all parameters together; whatever optimiser then moves `p`. A step costs two.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SamConfig {
    /// `ρ`, how far to look. Above 0. Default 0.05; the adaptive form wants about ten times as much.
    pub rho: f64,
    /// Measure distances in units of the weights. Default false.
    pub adaptive: bool,
}

impl Default for SamConfig {
    fn default() -> Self {
        Self {
            rho: 0.05,
            adaptive: false,
        }
    }
}

impl SamConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::positive("sam.rho", self.rho)
    }
}

/// `module` at `p + ε` of [`SamConfig`], by the gradients at `p`; parameters without a gradient stay.
/// As in the authors' code, `‖·‖ + 1e-12` is divided by.
pub fn ascend<M: Module>(module: M, grads: &GradientsParams, config: &SamConfig) -> M {
    let mut squares = Squares {
        grads,
        adaptive: config.adaptive,
        sums: Vec::new(),
    };
    visit_parameters(&module, &mut squares);
    if squares.sums.is_empty() {
        return module;
    }
    let norm = Tensor::cat(squares.sums, 0).sum().sqrt();
    let mut ascend = Ascend {
        grads,
        adaptive: config.adaptive,
        factor: norm.add_scalar(1e-12).recip().mul_scalar(config.rho),
    };
    map_parameters(module, &mut ascend)
}

struct Squares<'a> {
    grads: &'a GradientsParams,
    adaptive: bool,
    sums: Vec<Tensor<1>>,
}

impl ParameterVisitor for Squares<'_> {
    fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(grad) = self.grads.get::<D>(param.id) {
            // Half precision overflows at 65504: sums are taken in f32 there.
            let wide = if grad.dtype() == DType::F64 {
                DType::F64
            } else {
                DType::F32
            };
            let mut vector = grad.cast(wide);
            if self.adaptive {
                vector = vector.mul(off_graph(param.base()).cast(wide));
            }
            self.sums.push(vector.square().sum());
        }
    }
}

struct Ascend<'a> {
    grads: &'a GradientsParams,
    adaptive: bool,
    factor: Tensor<1>,
}

impl ParameterMapper for Ascend<'_> {
    fn map<const D: usize>(
        &mut self,
        _: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>> {
        let Some(grad) = self.grads.get::<D>(param.id) else {
            return param;
        };
        let factor = self.factor.clone().cast(grad.dtype()).reshape([1; D]);
        let adaptive = self.adaptive;
        replace_value(param, |value| {
            let grad = if adaptive {
                grad.mul(value.clone().square())
            } else {
                grad
            };
            value.add(grad.mul(factor))
        })
    }
}
