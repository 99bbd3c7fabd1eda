//! A module's gradients under the names of its state.

use std::collections::BTreeMap;

use burn::module::{Module, ModuleVisitor, Param};
use burn::tensor::{Gradients, Tensor, TensorData};

/// The gradient of every parameter that has one, by the names that
/// [`StateDict`](forge_nn::StateDict) uses.
///
/// # Panics
/// If a gradient cannot be read back.
pub fn gradients_by_name<M: Module>(
    module: &M,
    gradients: &Gradients,
) -> BTreeMap<String, TensorData> {
    let mut visitor = Visitor {
        gradients,
        path: vec![],
        found: BTreeMap::new(),
    };
    module.visit(&mut visitor);
    visitor.found
}

struct Visitor<'a> {
    gradients: &'a Gradients,
    path: Vec<String>,
    found: BTreeMap<String, TensorData>,
}

impl ModuleVisitor for Visitor<'_> {
    fn enter_module(&mut self, name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.push(name.into());
        }
    }

    fn exit_module(&mut self, _name: &str, container: &str) {
        if !container.starts_with("Enum:") {
            self.path.pop();
        }
    }

    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.val().grad(self.gradients) {
            self.found.insert(self.path.join("."), gradient.into_data());
        }
    }
}
