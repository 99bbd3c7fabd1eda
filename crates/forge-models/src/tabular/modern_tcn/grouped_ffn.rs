//! A feed-forward part for each of several groups.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::activation::gelu;
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{GroupedLinear, GroupedLinearConfig, ModuleConfig};

/// `Dropout(Linear(GELU(Dropout(Linear(x)))))`, each group with weights of its own: a pointwise
/// convolution with groups on either side of the activation.
#[derive(Module, Debug)]
pub(super) struct GroupedFfn {
    first: GroupedLinear,
    second: GroupedLinear,
    dropout: Dropout,
}

impl GroupedFfn {
    pub(super) fn new(
        groups: usize,
        width: usize,
        ratio: usize,
        dropout: f64,
        device: &Device,
    ) -> Self {
        let linear = |from, to| GroupedLinearConfig::new(groups, from, to).build(device);
        Self {
            first: linear(width, width * ratio),
            second: linear(width * ratio, width),
            dropout: DropoutConfig::new(dropout).build(device),
        }
    }

    /// # Shapes
    /// - x and output: `[G, B, D]`
    pub(super) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let hidden = gelu(self.dropout.forward(self.first.forward_apart(x)));
        self.dropout.forward(self.second.forward_apart(hidden))
    }
}
