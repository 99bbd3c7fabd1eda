//! Burn's walks over a module, with names.

use burn::module::{Module, ModuleMapper, ModuleVisitor, Param};
use burn::tensor::Tensor;

use super::{AnyMapper, AnyVisitor, Erased, ParameterPath};

/// Looks at the float tensors of a module: its parameters and its float buffers (running
/// statistics), of any rank.
pub trait ParameterVisitor {
    /// Takes one.
    ///
    /// A parameter that has not been made yet is made when its value is read: `lazy_shape` and
    /// `lazy_device` do not.
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>);
}

/// Changes the float tensors of a module: its parameters and its float buffers, of any rank.
pub trait ParameterMapper {
    /// Takes one and gives back what stands in its place. [`replace_value`](super::replace_value)
    /// changes a value and keeps everything else.
    fn map<const D: usize>(
        &mut self,
        path: &ParameterPath,
        param: Param<Tensor<D>>,
    ) -> Param<Tensor<D>>;
}

/// Shows all float tensors of `module` to `visitor`, in the order of its fields.
///
/// # Panics
/// For a tensor of more than eight axes.
pub fn visit_parameters<M: Module, V: ParameterVisitor>(module: &M, visitor: &mut V) {
    let path = ParameterPath::default();
    let walk: &mut dyn AnyVisitor = &mut Visit { path, visitor };
    module.visit(&mut Erased(walk));
}

/// Sends all float tensors of `module` through `mapper`, in the order of its fields. Integers,
/// booleans and flags stay as they are.
///
/// # Panics
/// For a tensor of more than eight axes.
pub fn map_parameters<M: Module, P: ParameterMapper>(module: M, mapper: &mut P) -> M {
    let path = ParameterPath::default();
    let walk: &mut dyn AnyMapper = &mut Map { path, mapper };
    module.map(&mut Erased(walk))
}

/// A visitor of parameters on a walk of Burn's.
struct Visit<'a, V> {
    path: ParameterPath,
    visitor: &'a mut V,
}

impl<V: ParameterVisitor> ModuleVisitor for Visit<'_, V> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        self.visitor.visit(&self.path, param);
    }
}

/// A mapper of parameters on a walk of Burn's.
struct Map<'a, P> {
    path: ParameterPath,
    mapper: &'a mut P,
}

impl<P: ParameterMapper> ModuleMapper for Map<'_, P> {
    fn enter_module(&mut self, name: &str, container: &str) {
        self.path.enter(name, container);
    }

    fn exit_module(&mut self, _: &str, _: &str) {
        self.path.exit();
    }

    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        self.mapper.map(&self.path, param)
    }
}
