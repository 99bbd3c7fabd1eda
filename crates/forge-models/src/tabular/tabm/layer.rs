//! A hidden layer of all members.

use burn::module::{Module, Param};
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::activation::silu;
use forge_nn::ops::{self, LinearActivation};
use forge_nn::{GroupedLinear, GroupedLinearConfig, Linear, LinearConfig, ModuleConfig};

use super::{TabMActivation, TabMArch, adapter};

/// `s_k ∘ (W (r_k ∘ x)) + b_k`: one matrix, and factors and biases of each member.
///
/// Equation 5 of Wen, Tran and Ba 2020, "BatchEnsemble" (arXiv 2002.06715 v2), with a bias per member
/// as in `tabm` 0.0.3.
#[derive(Module, Debug)]
pub struct ScaledLinear {
    /// `W`, `[D_in, D_out]`.
    pub weight: Param<Tensor<2>>,
    /// `r`, `[K, D_in]`.
    pub r: Param<Tensor<2>>,
    /// `s`, `[K, D_out]`.
    pub s: Param<Tensor<2>>,
    /// `b`, `[K, D_out]`.
    pub bias: Param<Tensor<2>>,
}

impl ScaledLinear {
    /// # Shapes
    /// - x: `[B, K, D_in]`, or `[B, 1, D_in]` for one input of all members
    /// - output: `[B, K, D_out]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let scaled = x * self.r.val().unsqueeze();
        let mixed = ops::linear(scaled, self.weight.val(), None);
        mixed * self.s.val().unsqueeze() + self.bias.val().unsqueeze()
    }
}

/// A hidden layer, as the [architecture](TabMArch) has it.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum TabMLayer {
    /// `tabm`.
    Scaled(ScaledLinear),
    /// `tabm-mini`: the same for every member.
    Shared(Linear),
    /// `tabm-packed`: each member its own.
    Apart(GroupedLinear),
}

impl TabMLayer {
    /// A layer whose factors, where it has any, start at 1.
    pub(super) fn new(
        arch: TabMArch,
        members: usize,
        from: usize,
        to: usize,
        device: &Device,
    ) -> Self {
        let linear = LinearConfig::new(from, to);
        match arch {
            TabMArch::Mini => Self::Shared(linear.build(device)),
            TabMArch::Packed => {
                Self::Apart(GroupedLinearConfig::new(members, from, to).build(device))
            }
            TabMArch::TabM => Self::Scaled(ScaledLinear {
                weight: linear.with_bias(false).build(device).weight,
                r: adapter::ones(members, from, device),
                s: adapter::ones(members, to, device),
                bias: adapter::biases(members, from, to, device),
            }),
        }
    }

    /// # Shapes
    /// - x: `[B, K, D_in]` or `[B, 1, D_in]`; members first (`[K, B, D_in]`) where they are apart
    /// - output: likewise
    pub(super) fn forward(&self, x: Tensor<3>, activation: TabMActivation) -> Tensor<3> {
        let z = match (self, activation) {
            (Self::Shared(linear), TabMActivation::ReLU) => {
                return linear.forward_activated(x, LinearActivation::Relu);
            }
            (Self::Shared(linear), TabMActivation::SiLU) => {
                return linear.forward_activated(x, LinearActivation::Silu);
            }
            (Self::Scaled(linear), _) => linear.forward(x),
            (Self::Apart(linear), _) => linear.forward_apart(x),
        };
        match activation {
            TabMActivation::ReLU => relu(z),
            TabMActivation::SiLU => silu(z),
        }
    }
}
