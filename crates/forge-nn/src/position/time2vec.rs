//! Time2Vec.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::{Activation, activated, parts};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`Time2Vec`].
    pub struct Time2VecConfig {
        /// Features of the code, at least 1: one linear, the rest periodic.
        pub d_out: usize,
    }
}

/// Time2Vec: a learnable code of a scalar time `τ`.
///
/// `t2v(τ)[0] = ω₀ τ + φ₀`, `t2v(τ)[i] = sin(ω_i τ + φ_i)` for `i ≥ 1`.
///
/// Kazemi et al., arXiv 1907.05321, equation (1). Frequencies start at `N(0, 1)` and phases
/// uniformly over a turn; bring `τ` to the order of 1 (the paper does not state either).
#[derive(Module, Debug)]
pub struct Time2Vec {
    /// `ω`, `[K]`.
    pub frequency: Param<Tensor<1>>,
    /// `φ`, `[K]`, in radians.
    pub phase: Param<Tensor<1>>,
}

impl ModuleConfig for Time2VecConfig {
    type Module = Time2Vec;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_out", self.d_out)
    }

    fn build(&self, device: &Device) -> Time2Vec {
        let normal = Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        };
        let turn = Initializer::Uniform {
            min: -std::f64::consts::PI,
            max: std::f64::consts::PI,
        };
        Time2Vec {
            frequency: normal.init([self.d_out], device),
            phase: turn.init([self.d_out], device),
        }
    }
}

impl Time2Vec {
    /// The code of every time.
    ///
    /// # Shapes
    /// - time: `[.., 1]`
    /// - output: `[.., K]`
    ///
    /// # Panics
    /// If the last axis is not 1.
    pub fn forward<const D: usize>(&self, time: Tensor<D>) -> Tensor<D> {
        assert_eq!(
            time.dims()[D - 1],
            1,
            "time2vec takes one time per place, not {:?}",
            time.dims()
        );
        let phase = time * self.frequency.val().unsqueeze() + self.phase.val().unsqueeze();
        let features = phase.dims()[D - 1];
        if features == 1 {
            return phase;
        }
        let [linear, periodic] = parts(phase, D - 1, [1, features - 1]);
        Tensor::cat(vec![linear, activated(periodic, Activation::Sin)], D - 1)
    }
}
