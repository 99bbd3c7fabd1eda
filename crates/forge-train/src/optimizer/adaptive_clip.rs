//! Clipping by the size of the weights.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::PathPattern;
use super::global_norm::off_graph;

/// Adaptive gradient clipping (Brock et al. 2021, equation 3): the gradient `g` of a unit with weights
/// `w` becomes `λ max(‖w‖, ε)/‖g‖ · g` where `‖g‖` is longer than `λ max(‖w‖, ε)`.
///
/// A unit is what one output has: a column of a matrix `[inputs, outputs]` (all but the first axis
/// of a convolution's weights, one per entry of the axes before the last two elsewhere), and the
/// whole of a parameter of rank 0 or 1, as in the authors' code.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AdaptiveClip {
    /// `λ`, above 0. Default 0.01.
    pub factor: f64,
    /// `ε`, above 0: weights that are 0 may move too. Default 1e-3.
    pub epsilon: f64,
    /// [Patterns](PathPattern) over the paths of parameters that are left alone. Default: `head` and
    /// `*.head`, since the paper spares the last layer.
    pub except: Vec<String>,
}

impl Default for AdaptiveClip {
    fn default() -> Self {
        Self {
            factor: 0.01,
            epsilon: 1e-3,
            except: ["head", "*.head"].map(String::from).to_vec(),
        }
    }
}

impl AdaptiveClip {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::positive("clip_adaptive.factor", self.factor)?;
        check::positive("clip_adaptive.epsilon", self.epsilon)?;
        match self.except.iter().position(String::is_empty) {
            Some(i) => {
                let field = format!("clip_adaptive.except[{i}]");
                Err(ForgeError::config(&field, "\"\"", "a pattern"))
            }
            None => Ok(()),
        }
    }
}

/// The gradients clipped by [`AdaptiveClip`]; those that are not finite stay so.
pub fn clip_adaptive<M: Module>(
    module: &M,
    grads: GradientsParams,
    config: &AdaptiveClip,
) -> GradientsParams {
    let mut clip = Clip {
        config,
        except: config.except.iter().map(PathPattern::new).collect(),
        from: grads,
        to: GradientsParams::new(),
    };
    visit_parameters(module, &mut clip);
    clip.to
}

struct Clip<'a> {
    config: &'a AdaptiveClip,
    except: Vec<PathPattern>,
    from: GradientsParams,
    to: GradientsParams,
}

/// Norms of units, 1 long along the axes of one.
fn unit_norms<const D: usize>(tensor: Tensor<D>, is_convolution: bool) -> Tensor<D> {
    let squares = tensor.square();
    let sums = match D {
        0 | 1 => squares.sum().reshape([1; D]),
        _ if is_convolution => (1..D).fold(squares, |sums, axis| sums.sum_dim(axis)),
        _ => squares.sum_dim(D - 2),
    };
    sums.sqrt()
}

impl ParameterVisitor for Clip<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        let Some(grad) = self.from.remove::<D>(param.id) else {
            return;
        };
        let name = path.join();
        if self.except.iter().any(|pattern| pattern.fits(&name)) {
            self.to.register(param.id, grad);
            return;
        }
        let is_convolution = path.holder().starts_with("Conv");
        let of_weights = unit_norms(off_graph(param.base()), is_convolution);
        let longest = of_weights
            .clamp_min(self.config.epsilon)
            .mul_scalar(self.config.factor);
        let length = unit_norms(grad.clone(), is_convolution);
        // As in the authors' code; a length of 0 is not above any bound.
        let factor = longest.clone().div(length.clone().clamp_min(1e-6));
        let fits = length.clone().lower_equal(longest);
        // A mask may hide a NaN; 0 · length brings it back.
        let factor = factor.mask_fill(fits, 1.0).add(length.mul_scalar(0.0));
        self.to.register(param.id, grad.mul(factor));
    }
}
