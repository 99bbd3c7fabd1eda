//! Prices in patches.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};

use crate::forecast::{SeriesInput, SeriesSpec};

/// Numbers of a patch.
///
/// # Errors
/// A config error if the look-back is shorter than a patch.
pub(in crate::forecast) fn patch_width(
    windows: &SeriesSpec,
    patch_len: usize,
) -> Result<usize, ForgeError> {
    check::in_range("patch_len", patch_len, 1..=windows.lookback)?;
    Ok(patch_len * (windows.n_targets + windows.n_past))
}

/// The target and the covariates of the past in whole patches, step by step; steps before the first
/// whole patch are left out.
///
/// # Shapes
/// - output: `[B, patches, patch_len · V]`
pub(in crate::forecast) fn patches(input: &SeriesInput, patch_len: usize) -> Tensor<3> {
    let mut channels = vec![input.past.clone()];
    channels.extend(input.past_covariates.clone());
    let x = Tensor::cat(channels, 2);
    let [batch, steps, variables] = x.dims();
    let count = steps / patch_len;
    let kept = count * patch_len;
    x.narrow(1, steps - kept, kept)
        .reshape([batch, count, patch_len * variables])
}
