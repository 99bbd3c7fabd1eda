//! The recipe of an mLSTM block.

use forge_nn::convolution::CausalConv1dConfig;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::rounded_up;
use crate::limits;
use crate::reference::KeyMap;

/// Makes a [`MlstmBlock`](super::MlstmBlock). The default is the authors' package's.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct MlstmConfig {
    /// Number of heads; divides the width inside.
    pub num_heads: usize,
    /// Tokens that the convolution sees, at least 1.
    pub conv1d_kernel_size: usize,
    /// Queries, keys and values are made from this many channels each; divides the width inside.
    pub qkv_proj_blocksize: usize,
    /// Width inside as a factor of the token's, above 0; rounded up to a multiple of the field
    /// below.
    pub proj_factor: f64,
    /// At least 1.
    pub round_proj_up_to_multiple_of: usize,
}

impl Default for MlstmConfig {
    fn default() -> Self {
        Self {
            num_heads: 4,
            conv1d_kernel_size: 4,
            qkv_proj_blocksize: 4,
            proj_factor: 2.0,
            round_proj_up_to_multiple_of: 64,
        }
    }
}

impl MlstmConfig {
    /// Width inside, for tokens `d` wide.
    #[must_use]
    pub fn inner_embedding_dim(&self, d: usize) -> usize {
        rounded_up(d, self.proj_factor, self.round_proj_up_to_multiple_of)
    }

    pub(super) fn convolution(&self, d: usize) -> CausalConv1dConfig {
        CausalConv1dConfig::new(self.inner_embedding_dim(d), self.conv1d_kernel_size)
    }

    pub(super) fn validate(&self, d: usize) -> Result<(), ForgeError> {
        check::positive("proj_factor", self.proj_factor)?;
        let unit = self.round_proj_up_to_multiple_of;
        check::in_range("round_proj_up_to_multiple_of", unit, limits::WIDTH)?;
        let (name, inner) = ("proj_factor x embedding_dim", self.inner_embedding_dim(d));
        check::in_range(name, inner, limits::WIDTH)?;
        check::in_range("num_heads", self.num_heads, limits::WIDTH)?;
        check::divides("num_heads", self.num_heads, name, inner)?;
        let block = self.qkv_proj_blocksize;
        check::in_range("qkv_proj_blocksize", block, limits::WIDTH)?;
        check::divides("qkv_proj_blocksize", block, name, inner)?;
        let kernel = self.conv1d_kernel_size;
        check::in_range("conv1d_kernel_size", kernel, limits::WIDTH)
    }

    pub(super) fn parameter_count(&self, d: usize, bias: bool) -> usize {
        let inner = self.inner_embedding_dim(d);
        let biases = usize::from(bias) * (5 * inner + d);
        let gates = 2 * (3 * inner + 1) * self.num_heads;
        let convolution = self.convolution(d).parameter_count();
        3 * d * inner
            + 3 * inner * self.qkv_proj_blocksize
            + biases
            + gates
            + convolution
            + 2 * inner
            + d
    }

    /// Adds a block at `ours`, which the reference keeps at `theirs` (both end in a point, or are empty).
    #[must_use]
    pub fn key_map(&self, map: KeyMap, ours: &str, theirs: &str, bias: bool) -> KeyMap {
        let same = |map: KeyMap, our: &str, their: &str| {
            map.same(&format!("{ours}{our}"), &format!("{theirs}{their}"))
        };
        let map = same(map, "norm.weight", "xlstm_norm.weight");
        let map = ["proj_up", "proj_down"].iter().fold(map, |map, name| {
            let (ours, theirs) = (format!("{ours}{name}"), format!("{theirs}xlstm.{name}"));
            match bias {
                true => map.linear(&ours, &theirs),
                false => map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight")),
            }
        });
        let map = ["weight", "bias"].iter().fold(map, |map, kind| {
            let their = format!("xlstm.conv1d.conv.{kind}");
            same(map, &format!("conv1d.{kind}"), &their)
        });
        let map = ["q_proj", "k_proj", "v_proj"]
            .iter()
            .fold(map, |map, name| {
                let map = same(
                    map,
                    &format!("{name}.weight"),
                    &format!("xlstm.{name}.weight"),
                );
                match bias {
                    true => same(map, &format!("{name}.bias"), &format!("xlstm.{name}.bias")),
                    false => map,
                }
            });
        let map = ["igate", "fgate"].iter().fold(map, |map, name| {
            let theirs = format!("{theirs}xlstm.mlstm_cell.{name}");
            map.linear(&format!("{ours}{name}"), &theirs)
        });
        let map = same(map, "outnorm.weight", "xlstm.mlstm_cell.outnorm.weight");
        same(map, "learnable_skip", "xlstm.learnable_skip")
    }
}
