//! Sizes of a block.

use forge_nn::{ForgeError, check};

use crate::limits;
use crate::reference::KeyMap;

/// What a block is made of, whichever config asks for it.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockSizes {
    /// Variables of the series, `M`.
    pub(super) n_variables: usize,
    /// Width of a patch, `D`.
    pub(super) d_model: usize,
    pub(super) large_size: usize,
    pub(super) small_size: usize,
    pub(super) ffn_ratio: usize,
    pub(super) dropout: f64,
}

impl BlockSizes {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("d_model", self.d_model, limits::WIDTH)?;
        check_kernels("", self.large_size, self.small_size)?;
        check::in_range("ffn_ratio", self.ffn_ratio, limits::WIDTH)?;
        check::probability("dropout", self.dropout)
    }

    /// Channels of the depthwise convolution.
    pub(super) fn channels(&self) -> usize {
        self.n_variables * self.d_model
    }

    pub(super) fn parameter_count(&self) -> usize {
        let (variables, width, ratio) = (self.n_variables, self.d_model, self.ffn_ratio);
        let kernels = self.channels() * (self.large_size + self.small_size + 4);
        // Of the two layers of a feed-forward part with so many groups of such a width.
        let ffn = |groups: usize, width: usize| groups * width * (2 * ratio * width + ratio + 1);
        kernels + 2 * width + ffn(variables, width) + ffn(width, variables)
    }

    /// Adds a block at `ours` under the authors' names at `theirs`.
    pub(super) fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let kernels = [("large", "lkb_origin"), ("small", "small_conv")];
        let map = kernels.iter().fold(map, |map, (kernel, name)| {
            let (ours, theirs) = (
                format!("{ours}.kernels.{kernel}"),
                format!("{theirs}.dw.{name}"),
            );
            let weight = format!("{theirs}.conv.weight");
            map.same(&format!("{ours}.weight"), &weight)
                .batch_norm(&format!("{ours}.norm"), &format!("{theirs}.bn"))
        });
        let map = map.batch_norm(&format!("{ours}.norm"), &format!("{theirs}.norm"));
        let (variables, width) = (self.n_variables, self.d_model);
        let parts = [("ffn1", variables, width), ("ffn2", width, variables)];
        parts.into_iter().fold(map, |map, (ffn, groups, inner)| {
            let hidden = inner * self.ffn_ratio;
            let layers = [
                ("first", "pw1", inner, hidden),
                ("second", "pw2", hidden, inner),
            ];
            layers
                .into_iter()
                .fold(map, |map, (layer, name, from, to)| {
                    let (ours, theirs) = (
                        format!("{ours}.{ffn}.{layer}"),
                        format!("{theirs}.{ffn}{name}"),
                    );
                    let shape = [groups * to, from, 1];
                    map.transposed_groups(
                        &format!("{ours}.weight"),
                        &format!("{theirs}.weight"),
                        shape,
                    )
                    .reshaped(
                        &format!("{ours}.bias"),
                        &format!("{theirs}.bias"),
                        [groups * to],
                    )
                })
        })
    }
}

/// Checks a pair of kernel sizes; `at` says which of several it is.
pub(super) fn check_kernels(at: &str, large: usize, small: usize) -> Result<(), ForgeError> {
    for (field, size) in [("large_size", large), ("small_size", small)] {
        let field = format!("{field}{at}");
        check::in_range(&field, size, limits::WIDTH)?;
        check::odd(&field, size)?;
    }
    if small > large {
        let allowed = format!("at most large_size{at} = {large}");
        return Err(ForgeError::config(
            &format!("small_size{at}"),
            small,
            allowed,
        ));
    }
    Ok(())
}
