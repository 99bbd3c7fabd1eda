//! The recipe of an sLSTM block.

use forge_nn::convolution::CausalConv1dConfig;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::XlstmFeedForwardConfig;
use crate::limits;
use crate::reference::KeyMap;

/// Makes an [`SlstmBlock`](super::SlstmBlock). The default is the authors' package's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SlstmConfig {
    /// Number of heads; divides the token's width.
    pub num_heads: usize,
    /// Tokens that the convolution before input and forget gates sees; 0 for none.
    pub conv1d_kernel_size: usize,
    /// Learn a scale after the norm of each head.
    pub group_norm_weight: bool,
    /// The feed-forward part. A file that names an `slstm` without it gets a block without it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub feedforward: Option<XlstmFeedForwardConfig>,
}

impl Default for SlstmConfig {
    fn default() -> Self {
        Self {
            num_heads: 4,
            conv1d_kernel_size: 4,
            group_norm_weight: true,
            feedforward: Some(XlstmFeedForwardConfig::default()),
        }
    }
}

impl SlstmConfig {
    pub(super) fn convolution(&self, d: usize) -> Option<CausalConv1dConfig> {
        let kernel = self.conv1d_kernel_size;
        (kernel > 0).then(|| CausalConv1dConfig::new(d, kernel))
    }

    pub(super) fn validate(&self, d: usize) -> Result<(), ForgeError> {
        check::in_range("num_heads", self.num_heads, limits::WIDTH)?;
        check::divides("num_heads", self.num_heads, "embedding_dim", d)?;
        let kernels = ..=*limits::WIDTH.end();
        check::in_range("conv1d_kernel_size", self.conv1d_kernel_size, kernels)?;
        match &self.feedforward {
            Some(feedforward) => feedforward.validate(d),
            None => Ok(()),
        }
    }

    pub(super) fn parameter_count(&self, d: usize) -> usize {
        let each = d / self.num_heads;
        let convolution = self.convolution(d).map_or(0, |conv| conv.parameter_count());
        let scale = usize::from(self.group_norm_weight) * d;
        let feedforward = self.feedforward.as_ref();
        let feedforward = feedforward.map_or(0, |part| part.parameter_count(d) + d);
        8 * d * each + 4 * d + d + convolution + scale + feedforward
    }

    /// Adds a block at `ours`, which the reference keeps at `theirs` (both end in a point, or are empty).
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str) -> KeyMap {
        let same = |map: KeyMap, (our, their): (&str, &str)| {
            map.same(&format!("{ours}{our}"), &format!("{theirs}{their}"))
        };
        // The reference calls the input gate's weights fgate, and the forget gate's igate.
        let always = [
            ("norm.weight", "xlstm_norm.weight"),
            ("input_gate.weight", "xlstm.fgate.weight"),
            ("forget_gate.weight", "xlstm.igate.weight"),
            ("cell_input.weight", "xlstm.zgate.weight"),
            ("output_gate.weight", "xlstm.ogate.weight"),
            ("bias", "xlstm.slstm_cell._bias_"),
            ("recurrent", "xlstm.slstm_cell._recurrent_kernel_"),
        ];
        let mut map = always.into_iter().fold(map, same);
        if self.conv1d_kernel_size > 0 {
            map = same(map, ("conv1d.weight", "xlstm.conv1d.conv.weight"));
            map = same(map, ("conv1d.bias", "xlstm.conv1d.conv.bias"));
        }
        if self.group_norm_weight {
            map = same(map, ("group_norm.weight", "xlstm.group_norm.weight"));
        }
        let Some(feedforward) = &self.feedforward else {
            return map;
        };
        let map = same(map, ("ffn_norm.weight", "ffn_norm.weight"));
        ["proj_up", "proj_down"].iter().fold(map, |map, name| {
            let (ours, theirs) = (format!("{ours}ffn.{name}"), format!("{theirs}ffn.{name}"));
            match feedforward.bias {
                true => map.linear(&ours, &theirs),
                false => map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight")),
            }
        })
    }
}
