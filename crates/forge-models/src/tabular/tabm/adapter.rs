//! Factors that differ from member to member.

use burn::module::Param;
use burn::tensor::{Device, Distribution, Int, Tensor, TensorData};
use forge_nn::parameters::drawn;

use super::StartScaling;

/// Factors `[K, D]` that all start at 1.
pub(super) fn ones(members: usize, width: usize, device: &Device) -> Param<Tensor<2>> {
    let shape = [members, width];
    drawn(shape, device, move |device| Tensor::ones(shape, device))
}

/// Factors `[K, D]` on the input, for which each member draws one number per feature: the columns of
/// one feature, `widths` of them, share it.
pub(super) fn first(
    members: usize,
    widths: &[usize],
    start: StartScaling,
    device: &Device,
) -> Param<Tensor<2>> {
    let features = widths.len();
    let of_column: Vec<i32> = (0..)
        .zip(widths)
        .flat_map(|(feature, width)| std::iter::repeat_n(feature, *width))
        .collect();
    drawn([members, of_column.len()], device, move |device| {
        let draw = |distribution| Tensor::<2>::random([members, features], distribution, device);
        let numbers = match start {
            StartScaling::Normal => draw(Distribution::Normal(0.0, 1.0)),
            StartScaling::RandomSigns => {
                let fair = draw(Distribution::Uniform(-1.0, 1.0)).greater_equal_elem(0.0);
                fair.float().mul_scalar(2.0).sub_scalar(1.0)
            }
        };
        let columns = TensorData::new(of_column.clone(), [of_column.len()]);
        numbers.select(1, Tensor::<1, Int>::from_data(columns, device))
    })
}

/// Biases `[K, D]`, uniform in `±1/√d_input` and at first the same for all members.
pub(super) fn biases(
    members: usize,
    d_input: usize,
    width: usize,
    device: &Device,
) -> Param<Tensor<2>> {
    let bound = (d_input as f64).sqrt().recip();
    drawn([members, width], device, move |device| {
        let one = Tensor::random([1, width], Distribution::Uniform(-bound, bound), device);
        one.repeat_dim(0, members)
    })
}
