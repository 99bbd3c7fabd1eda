//! A module's gradients under the names of its state.

use std::collections::BTreeMap;

use burn::module::{Module, Param};
use burn::tensor::{Gradients, Tensor, TensorData};
use forge_nn::parameters::{ParameterPath, ParameterVisitor, visit_parameters};

/// The gradient of every parameter that has one, by the names that
/// [`StateDict`](forge_nn::StateDict) uses.
///
/// # Panics
/// If a gradient cannot be read back.
pub fn gradients_by_name<M: Module>(
    module: &M,
    gradients: &Gradients,
) -> BTreeMap<String, TensorData> {
    let mut read = Read {
        gradients,
        found: BTreeMap::new(),
    };
    visit_parameters(module, &mut read);
    read.found
}

struct Read<'a> {
    gradients: &'a Gradients,
    found: BTreeMap<String, TensorData>,
}

impl ParameterVisitor for Read<'_> {
    fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
        if let Some(gradient) = param.base().grad(self.gradients) {
            self.found.insert(path.join(), gradient.into_data());
        }
    }
}
