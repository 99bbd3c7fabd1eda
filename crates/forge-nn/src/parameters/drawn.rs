//! Parameters that start in a way of their own.

use burn::module::{Param, ParamId};
use burn::tensor::{Device, Tensor};

/// A parameter that starts as what `draw` makes, which happens when it is first used, as with
/// Burn's initialisers: seed the device before that.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::parameters::drawn;
///
/// let rising = drawn([5], &Device::flex(), |device| {
///     Tensor::<1, forge_nn::burn::tensor::Int>::arange(0..5, device).float()
/// });
/// assert_eq!(rising.val().dims(), [5]);
/// ```
pub fn drawn<const D: usize>(
    shape: [usize; D],
    device: &Device,
    draw: impl Fn(&Device) -> Tensor<D> + Send + Sync + 'static,
) -> Param<Tensor<D>> {
    let start = move |device: &Device, trained: bool| {
        device.memory_persistent_allocations((), move |()| {
            let values = draw(device);
            match trained {
                true => values.require_grad(),
                false => values,
            }
        })
    };
    Param::uninitialized(ParamId::new(), start, device.clone(), true, shape.into())
}
