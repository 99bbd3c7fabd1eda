//! What all forecasting models do with what they computed.

use burn::tensor::Tensor;
use forge_nn::Forward;
use forge_nn::activation::softplus;
use forge_nn::norm::RevIn;
use forge_nn::ops::{Axes, parts};

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
    let [lowest, steps] = parts(y, D - 1, [1, width - 1]);
    Tensor::cat(vec![lowest, softplus(steps)], D - 1).cumsum(D - 1)
}

/// What each variable's head says, `[B, N, H·W]`, as `[B, H·W, N]`, ordered: what a scale per
/// variable is given back to.
pub(crate) fn by_variable(y: Tensor<3>, spec: &SeriesSpec) -> Tensor<3> {
    let [batch, variables, outputs] = y.dims();
    let y = y.reshape([batch, variables, spec.horizon, spec.n_outputs]);
    ordered(y, spec)
        .reshape([batch, variables, outputs])
        .swapped(1, 2)
}

/// Windows `[B, L, N]` less their means, and the means `[B, 1, N]`, part of the gradient.
///
/// The mean is that of differences to the first value: where all values are equal it is exactly they.
pub(crate) fn centred(past: Tensor<3>) -> (Tensor<3>, Tensor<3>) {
    let first = past.clone().narrow(1, 0, 1);
    let shifted = past - first.clone();
    let shift = shifted.clone().mean_dim(1);
    (shifted - shift.clone(), first + shift)
}

/// Level and scale of each window, to be given back to what is forecast without them.
#[derive(Debug, Clone)]
pub(crate) struct WindowScale {
    /// `[B, 1, N]`.
    pub(crate) factor: Tensor<3>,
    /// `[B, 1, N]`.
    pub(crate) offset: Tensor<3>,
}

impl WindowScale {
    /// Normalises windows `[B, L, N]`; nothing to give back without a norm.
    pub(crate) fn taken(norm: Option<&RevIn>, past: Tensor<3>) -> (Tensor<3>, Option<Self>) {
        let Some(norm) = norm else {
            return (past, None);
        };
        let (past, statistics) = norm.normalize(past);
        let (factor, offset) = norm.factor_and_offset(&statistics);
        (past, Some(Self { factor, offset }))
    }
}

/// What each variable's head says, `[B, N, H·W]`, as predictions `[B, H·N·W]`, ordered and with
/// the scale given back. The order survives a factor below 0.
pub(crate) fn scaled_back(y: Tensor<3>, scale: Option<WindowScale>, spec: &SeriesSpec) -> Forward {
    let [batch, variables, outputs] = y.dims();
    let (horizon, width) = (spec.horizon, spec.n_outputs);
    let y = y.reshape([batch, variables, horizon, width]);
    let y = match scale {
        None => ordered(y, spec),
        Some(WindowScale { factor, offset }) => {
            let each = |x: Tensor<3>| x.reshape([batch, variables, 1, 1]);
            let (factor, offset) = (each(factor), each(offset));
            if spec.rising && width > 1 {
                let [lowest, steps] = parts(y, 3, [1, width - 1]);
                let lowest = lowest * factor.clone() + offset;
                let steps = softplus(steps) * factor.abs();
                Tensor::cat(vec![lowest, steps], 3).cumsum(3)
            } else {
                y * factor + offset
            }
        }
    };
    let y = y.swapped(1, 2);
    y.reshape([batch, variables * outputs]).into()
}

/// `[B, H·W, N]` as predictions `[B, H·N·W]`.
pub(crate) fn predictions(y: Tensor<3>, spec: &SeriesSpec) -> Forward {
    let [batch, outputs, variables] = y.dims();
    y.reshape([batch, spec.horizon, spec.n_outputs, variables])
        .swapped(2, 3)
        .reshape([batch, outputs * variables])
        .into()
}
