//! The gradients of a module by name.

use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::Tensor;
use forge_nn::parameters::{Floats, ParameterPath, ParameterVisitor, visit_parameters};

use super::{ParamTensor, Params};

impl Params {
    /// The gradients that an optimiser of `module` would be given, zeros where there is none; the
    /// opposite of [`as_gradients`](Self::as_gradients).
    #[must_use]
    pub fn of_gradients<M: Module>(module: &M, gradients: &GradientsParams) -> Self {
        struct Read<'a> {
            gradients: &'a GradientsParams,
            entries: Vec<(String, ParamTensor)>,
        }
        impl ParameterVisitor for Read<'_> {
            fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
                if Floats::Trainable.take(param) {
                    let gradient = match self.gradients.get::<D>(param.id) {
                        Some(gradient) => ParamTensor::new(gradient),
                        None => ParamTensor::new(param.base()).zeros_like(),
                    };
                    self.entries.push((path.join(), gradient));
                }
            }
        }
        let mut read = Read {
            gradients,
            entries: vec![],
        };
        visit_parameters(module, &mut read);
        Self::from_entries(read.entries).detach()
    }
}
