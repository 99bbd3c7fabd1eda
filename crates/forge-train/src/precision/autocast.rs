//! A module that computes in half precision with weights in f32.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Tensor};

use super::Precision;

/// `module` with its f32 weights cast to `precision`, on the same graph: gradients of what it
/// computes reach the f32 weights. In f32 it is a clone.
///
/// Weights of norms stay f32: the norms of `forge_nn` compute in f32 then, whatever comes in, and so
/// do softmax and (where the caller casts the outputs, as the library's tasks do) losses. Buffers stay
/// what they are. Cast float inputs with [`Precision::cast`].
///
/// Read the result, do not train it: its parameters are no leaves.
#[must_use]
pub fn autocast<M: Module>(module: &M, precision: Precision) -> M {
    let module = module.clone();
    if !precision.is_half() {
        return module;
    }
    module.map(&mut Cast {
        dtype: precision.dtype(),
        path: Vec::new(),
    })
}

struct Cast {
    dtype: DType,
    /// Names, and the container that each is in.
    path: Vec<(String, String)>,
}

/// The norms of `forge_nn`, which take f32 weights beside half-precision inputs. Burn's own have
/// other names for theirs and do not.
const NORMS: [&str; 4] = ["LayerNorm", "RmsNorm", "BatchNorm", "GroupNorm1d"];

impl Cast {
    fn is_of_norm(&self) -> bool {
        self.path.last().is_some_and(|(name, container)| {
            let container = container.strip_prefix("Struct:").unwrap_or(container);
            NORMS.contains(&container) && (name == "weight" || name == "bias")
        })
    }
}

impl ModuleMapper for Cast {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.push((name.into(), container.into()));
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.pop();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        let value = param.base();
        if self.is_of_norm() || !value.is_require_grad() || value.dtype() != DType::F32 {
            return param;
        }
        Param::initialized(param.id, value.cast(self.dtype))
    }
}

/// `module` with the running statistics that a forward pass of its cast `copy` left behind.
pub(crate) fn take_statistics<M: Module>(module: M, copy: &M) -> M {
    let mut take = Statistics(GradientsParams::new());
    // `valid` writes pending updates in.
    let _ = copy.valid();
    copy.visit(&mut take);
    module.map(&mut take)
}

/// Buffers by id.
struct Statistics(GradientsParams);

impl ModuleVisitor for Statistics {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        if !value.is_tracked() {
            self.0.register(param.id, value);
        }
    }
}

impl ModuleMapper for Statistics {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.remove::<D>(param.id) {
            Some(value) if !param.is_require_grad() => param.map(|_| value),
            _ => param,
        }
    }
}
