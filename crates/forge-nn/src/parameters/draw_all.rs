//! Initial weights drawn at once.

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Bool, Int, Tensor};

/// `module` with every parameter drawn now, in the order of its fields.
///
/// Burn draws a parameter's initial value when it is first read, from the generator of its device. Drawn
/// here, right after [`Device::seed`](burn::tensor::Device::seed), the weights depend on nothing but that
/// seed, whoever reads them first. (Burn 0.22's `Module::materialize` does something else: it undoes
/// reparameterisations, and leaves a parameter without one as lazy as it was.)
///
/// ```
/// use forge_nn::burn::tensor::Device;
/// use forge_nn::{LinearConfig, ModuleConfig};
/// use forge_nn::parameters::draw_all;
///
/// let device = Device::flex();
/// device.seed(7);
/// let layer = draw_all(LinearConfig::new(3, 2).init(&device));
/// # let _ = layer;
/// ```
#[must_use]
pub fn draw_all<M: Module>(module: M) -> M {
    struct Read;
    impl ModuleVisitor for Read {
        fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
            let _ = param.base();
        }

        fn visit_int<const D: usize>(&mut self, param: &Param<Tensor<D, Int>>) {
            let _ = param.base();
        }

        fn visit_bool<const D: usize>(&mut self, param: &Param<Tensor<D, Bool>>) {
            let _ = param.base();
        }
    }
    module.visit(&mut Read);
    module
}
