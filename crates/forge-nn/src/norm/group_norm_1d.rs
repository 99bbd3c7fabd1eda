//! Group normalisation.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::ops::{in_f32, layer_norm};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`GroupNorm1d`].
    pub struct GroupNorm1dConfig {
        /// Channels (axis 1), a multiple of `n_groups`.
        pub n_channels: usize,
        /// Groups of consecutive channels, at least 1.
        pub n_groups: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
    }
}

/// Group normalisation: statistics over the channels of a group and all positions, biased
/// variance; affine per channel.
///
/// Wu & He, arXiv 1803.08494, equation (7). Unlike Burn's it takes flat rows `[B, C]` too.
#[derive(Module, Debug)]
pub struct GroupNorm1d {
    /// `[C]`, from ones.
    pub weight: Param<Tensor<1>>,
    /// `[C]`, from zeros.
    pub bias: Param<Tensor<1>>,
    n_channels: usize,
    n_groups: usize,
    eps: f64,
}

impl ModuleConfig for GroupNorm1dConfig {
    type Module = GroupNorm1d;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::divides("n_groups", self.n_groups, "n_channels", self.n_channels)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> GroupNorm1d {
        GroupNorm1d {
            weight: Initializer::Ones.init([self.n_channels], device),
            bias: Initializer::Zeros.init([self.n_channels], device),
            n_channels: self.n_channels,
            n_groups: self.n_groups,
            eps: self.eps,
        }
    }
}

impl GroupNorm1d {
    /// Normalises every group of channels. Half precision is computed in f32.
    ///
    /// # Shapes
    /// - input and output: `[B, C]` or `[B, C, T]` (more axes count as positions)
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let shape = x.dims();
        let channels = self.n_channels;
        assert_eq!(
            shape[1], channels,
            "group norm over {channels} channels got {shape:?}"
        );
        let per_group = shape[1..].iter().product::<usize>() / self.n_groups;
        in_f32(x, |x| {
            let dtype = x.dtype();
            let groups = x.reshape([shape[0], self.n_groups, per_group]);
            let along = |of: &Param<Tensor<1>>| along_channels(of.val().cast(dtype));
            let normal = layer_norm(groups, None, None, self.eps).reshape(shape);
            normal * along(&self.weight) + along(&self.bias)
        })
    }
}
