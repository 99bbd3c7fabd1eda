//! A hidden layer of all members.

use burn::module::{Module, Param};
use burn::tensor::{Device, Tensor};
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
        self.forward_activated(x, LinearActivation::Identity)
    }

    /// `activation` of the [output](Self::forward), in one pass with the factors and biases.
    ///
    /// # Shapes
    /// - as [`forward`](Self::forward)
    #[must_use]
    pub fn forward_activated(&self, x: Tensor<3>, activation: LinearActivation) -> Tensor<3> {
        let [rows, given, from] = x.dims();
        let [members, to] = self.s.val().dims();
        let flat = |of: &Param<Tensor<2>>| of.val().flatten(0, 1);
        let scaled = if given == members {
            let x = x.reshape([rows, members * from]);
            let plain = LinearActivation::Identity;
            let scaled = ops::channel_affine(x, None, flat(&self.r), None, plain);
            scaled.reshape([rows, members, from])
        } else {
            x * self.r.val().unsqueeze()
        };
        let mixed = ops::linear(scaled, self.weight.val(), None);
        let mixed = mixed.reshape([rows, members * to]);
        let bias = Some(flat(&self.bias));
        let y = ops::channel_affine(mixed, None, flat(&self.s), bias, activation);
        y.reshape([rows, members, to])
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
        let activation = match activation {
            TabMActivation::ReLU => LinearActivation::Relu,
            TabMActivation::SiLU => LinearActivation::Silu,
        };
        match self {
            Self::Scaled(linear) => linear.forward_activated(x, activation),
            Self::Shared(linear) => linear.forward_activated(x, activation),
            Self::Apart(linear) => linear.forward_apart_activated(x, activation),
        }
    }
}
