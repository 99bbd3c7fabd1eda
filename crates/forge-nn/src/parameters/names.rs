//! What a module's parameters are called.

use burn::module::{Module, Param};
use burn::tensor::Tensor;

use super::{Floats, ParameterPath, ParameterVisitor, visit_parameters};

/// The paths of the float tensors of `module` that take part, in the order of its fields.
///
/// With [`Floats::All`] no parameter is made that has not been made yet.
///
/// ```
/// use forge_nn::burn::tensor::Device;
/// use forge_nn::parameters::{Floats, names};
/// use forge_nn::{LinearConfig, ModuleConfig};
///
/// let layer = LinearConfig::new(3, 2).init(&Device::flex());
/// assert_eq!(names(&layer, Floats::All), ["weight", "bias"]);
/// ```
#[must_use]
pub fn names<M: Module>(module: &M, of: Floats) -> Vec<String> {
    struct Names {
        of: Floats,
        found: Vec<String>,
    }
    impl ParameterVisitor for Names {
        fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
            if self.of.take(param) {
                self.found.push(path.join());
            }
        }
    }
    let found = vec![];
    let mut names = Names { of, found };
    visit_parameters(module, &mut names);
    names.found
}
