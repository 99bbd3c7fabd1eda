//! What all forecasting models do with what they computed.

use burn::tensor::Tensor;
use forge_nn::Forward;
use forge_nn::activation::softplus;

use super::SeriesSpec;

/// Outputs of each step and target as `spec` wants them: rising, or as they are.
///
/// # Shapes
/// - y and output: `[…, W]`
pub(crate) fn ordered<const D: usize>(y: Tensor<D>, spec: &SeriesSpec) -> Tensor<D> {
    let width = y.dims()[D - 1];
    if !spec.rising || width < 2 {
        return y;
    }
    let lowest = y.clone().narrow(D - 1, 0, 1);
    let steps = softplus(y.narrow(D - 1, 1, width - 1));
    Tensor::cat(vec![lowest, steps], D - 1).cumsum(D - 1)
}

/// What each variable's head says, `[B, N, H·W]`, as `[B, H·W, N]`, ordered: what a scale per
/// variable is given back to.
pub(crate) fn by_variable(y: Tensor<3>, spec: &SeriesSpec) -> Tensor<3> {
    let [batch, variables, outputs] = y.dims();
    let y = y.reshape([batch, variables, spec.horizon, spec.n_outputs]);
    ordered(y, spec)
        .reshape([batch, variables, outputs])
        .swap_dims(1, 2)
}

/// `[B, H·W, N]` as predictions `[B, H·N·W]`.
pub(crate) fn predictions(y: Tensor<3>, spec: &SeriesSpec) -> Forward {
    let [batch, outputs, variables] = y.dims();
    y.reshape([batch, spec.horizon, spec.n_outputs, variables])
        .swap_dims(2, 3)
        .reshape([batch, outputs * variables])
        .into()
}
