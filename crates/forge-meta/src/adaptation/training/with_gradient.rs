//! A gradient that was found by other means, for an engine that goes by a loss.

use burn::module::Module;
use burn::tensor::Tensor;
use forge_nn::ForgeError;

use crate::functional::{ParamTensor, Params};

/// A loss of this value whose gradient for the parameters of `module`, in their order, is `gradient`:
/// `value + Σ (θ - stop(θ)) g`, of which the sum is 0.
///
/// # Errors
/// A weights error if there is not one of the same shape for each parameter.
pub(super) fn with_gradient<M: Module>(
    value: f64,
    module: &M,
    gradient: impl IntoIterator<Item = ParamTensor>,
) -> Result<Tensor<1>, ForgeError> {
    let params = Params::on_graph(module);
    let named = params.names().map(str::to_string);
    let gradient = Params::from_entries(named.zip(gradient));
    params.same_as(&gradient, "the gradient")?;
    let flat = |tensor: &ParamTensor| Tensor::<1>::from_dispatch(tensor.clone().flat());
    let pairs = params.iter().zip(gradient.iter());
    let terms = pairs.map(|((_, param), (_, gradient))| {
        let (param, gradient) = (flat(param), Tensor::from_inner(flat(gradient)));
        ((param.clone() - param.detach()) * gradient).sum()
    });
    let none = || ForgeError::weights("there is no trainable parameter");
    let sum = terms.reduce(Tensor::add).ok_or_else(none)?;
    Ok(sum.add_scalar(value))
}
