//! A new value in an old parameter.

use burn::module::Param;
use burn::tensor::Tensor;

/// Changes the value of a parameter outside of any graph; everything else of it stays: its id,
/// whether it takes gradients, its checkpointing strategy, what `train` will restore.
///
/// `change` gets and gives tensors without autodiff. Where the parameter is on an autodiff device
/// the result is a leaf of a new graph.
pub fn replace_value<const D: usize>(
    param: Param<Tensor<D>>,
    change: impl FnOnce(Tensor<D>) -> Tensor<D>,
) -> Param<Tensor<D>> {
    param.map(|old| {
        if !old.is_autodiff() {
            return change(old);
        }
        // A tensor that enters a graph anew has neither of these two, and autodiff refuses to mix
        // strategies.
        let (trainable, strategy) = (old.is_require_grad(), old.gradient_checkpointing_strategy());
        let mut new = Tensor::from_inner(change(old.inner()));
        if let Some(strategy) = strategy {
            new = new.with_gradient_checkpointing_strategy(strategy);
        }
        new.set_require_grad(trainable)
    })
}
