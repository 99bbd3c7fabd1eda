//! One block.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::Axes;

use super::grouped_ffn::GroupedFfn;
use super::kernels::Kernels;
use super::sizes::BlockSizes;

/// `x ← x + ConvFFN2(ConvFFN1(BatchNorm(DWConv(x))))`: along time each feature of each variable by
/// itself, then the features of each variable, then each feature over the variables.
#[derive(Module, Debug)]
pub struct ModernTcnBlock {
    kernels: Kernels,
    norm: BatchNorm,
    ffn1: GroupedFfn,
    ffn2: GroupedFfn,
}

impl ModernTcnBlock {
    pub(super) fn new(sizes: &BlockSizes, device: &Device) -> Self {
        let (variables, width) = (sizes.n_variables, sizes.d_model);
        let ffn =
            |groups, width| GroupedFfn::new(groups, width, sizes.ffn_ratio, sizes.dropout, device);
        Self {
            kernels: Kernels::new(sizes, device),
            norm: BatchNormConfig::new(width).build(device),
            ffn1: ffn(variables, width),
            ffn2: ffn(width, variables),
        }
    }

    /// # Shapes
    /// - x and output: `[B, M, D, N]`, valid: `[B, N]`
    pub(super) fn forward(&self, x: Tensor<4>, valid: Option<Tensor<2, Bool>>) -> Tensor<4> {
        let [batch, variables, width, time] = x.dims();
        let y = match &valid {
            None => x.clone(),
            Some(valid) => {
                // As beyond the ends of a sequence.
                let absent = valid.clone().bool_not().reshape([batch, 1, 1, time]);
                x.clone().mask_fill(absent.expand(x.dims()), 0.0)
            }
        };
        let y = y.reshape([batch, variables * width, time]);
        let y = self.kernels.forward(y, valid.clone());
        let y = y.reshape([batch * variables, width, time]);
        let y = match valid {
            None => self.norm.forward(y),
            Some(valid) => {
                let valid = valid.unsqueeze_dim::<3>(1).expand([batch, variables, time]);
                self.norm
                    .forward_valid(y, valid.reshape([batch * variables, time]))
            }
        };
        let y = y.reshape([batch, variables, width, time]);
        // [M, B·N, D]
        let y = y
            .permuted([1, 0, 3, 2])
            .reshape([variables, batch * time, width]);
        let y = self.ffn1.forward(y);
        // [D, B·N, M]
        let y = self.ffn2.forward(y.permuted([2, 1, 0]));
        let y = y.reshape([width, batch, time, variables]);
        x + y.permuted([1, 3, 0, 2])
    }

    /// The block with its two kernels made one, for evaluation: the norms' running statistics are
    /// folded in.
    pub(super) fn merged(self) -> Self {
        Self {
            kernels: self.kernels.merged(),
            ..self
        }
    }
}
