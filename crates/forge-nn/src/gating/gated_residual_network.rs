//! The gated residual network of temporal fusion transformers.

use burn::module::Module;
use burn::tensor::{Device, Tensor};

use super::{GatedLinear, GatedLinearConfig};
use crate::activation::elu;
use crate::config_macro::config;
use crate::norm::{LayerNorm, LayerNormConfig};
use crate::{ForgeError, Linear, LinearConfig, ModuleConfig, check};

config! {
    /// Recipe of a [`GatedResidualNetwork`].
    pub struct GatedResidualNetworkConfig {
        /// Width of the input, at least 1.
        pub d_input: usize,
        /// Width inside, at least 1.
        pub d_hidden: usize,
        /// Width of the output, with a projection of the input around the network; without it the
        /// output is as wide as the input, which is added as it is.
        #[config(default = None)]
        pub d_output: Option<usize>,
        /// Width of the context, if there is one.
        #[config(default = None)]
        pub d_context: Option<usize>,
        /// Dropout before the gate, in `[0, 1)`.
        #[config(default = 0.0)]
        pub dropout: f64,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-3)]
        pub eps: f64,
    }
}

/// Gated residual network: `y = LN(skip(a) + GLU(W_1 ELU(W_2 a + W_3 c + b_2) + b_1))`, by which a model
/// applies as much processing as the data needs.
///
/// Lim et al. 2021 (arXiv 1912.09363), equations (2) to (4), as in the authors' code: the skip is a
/// linear map where an output width is given, the context's map has no bias, and the normalisation's
/// epsilon is Keras's 1e-3.
#[derive(Module, Debug)]
pub struct GatedResidualNetwork {
    /// `W_2`, `[D_in, D_hidden]`.
    pub input: Linear,
    /// `W_3`, `[D_context, D_hidden]`, without bias.
    pub context: Option<Linear>,
    /// `W_1`, `[D_hidden, D_hidden]`.
    pub hidden: Linear,
    /// To the output's width.
    pub gate: GatedLinear,
    /// `[D_in, D_out]`, if an output width is given.
    pub skip: Option<Linear>,
    /// Of the sum.
    pub norm: LayerNorm,
}

impl GatedResidualNetworkConfig {
    fn output(&self) -> usize {
        self.d_output.unwrap_or(self.d_input)
    }

    fn gate(&self) -> GatedLinearConfig {
        GatedLinearConfig::new(self.d_hidden, self.output()).with_dropout(self.dropout)
    }

    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        let (input, hidden) = (self.d_input, self.d_hidden);
        (input + 1) * hidden
            + self.d_context.unwrap_or(0) * hidden
            + (hidden + 1) * hidden
            + self.gate().parameter_count()
            + self.d_output.map_or(0, |output| (input + 1) * output)
            + 2 * self.output()
    }
}

impl ModuleConfig for GatedResidualNetworkConfig {
    type Module = GatedResidualNetwork;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_hidden", self.d_hidden)?;
        check::at_least_one("d_output", self.output())?;
        check::at_least_one("d_context", self.d_context.unwrap_or(1))?;
        check::probability("dropout", self.dropout)?;
        check::positive("eps", self.eps)
    }

    fn build(&self, device: &Device) -> GatedResidualNetwork {
        let (input, hidden) = (self.d_input, self.d_hidden);
        let linear = |from, to| LinearConfig::new(from, to);
        GatedResidualNetwork {
            input: linear(input, hidden).init(device),
            context: self
                .d_context
                .map(|context| linear(context, hidden).with_bias(false).init(device)),
            hidden: linear(hidden, hidden).init(device),
            gate: self.gate().build(device),
            skip: self
                .d_output
                .map(|output| linear(input, output).init(device)),
            norm: LayerNormConfig::new(self.output())
                .with_eps(self.eps)
                .build(device),
        }
    }
}

impl GatedResidualNetwork {
    /// Applies the network.
    ///
    /// # Shapes
    /// - a: `[.., D_in]`
    /// - context: `[.., D_context]`, one where `a` has several
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// If the shapes do not fit, or a context is given to a network without one.
    pub fn forward<const D: usize>(&self, a: Tensor<D>, context: Option<Tensor<D>>) -> Tensor<D> {
        let first = self.input.forward(a.clone());
        let skip = match &self.skip {
            Some(skip) => skip.forward(a),
            None => a,
        };
        self.forward_rest(first, skip, context)
    }

    /// What follows the maps of the input: for inputs whose maps are cheaper some other way.
    ///
    /// # Shapes
    /// - first (`W_2 a + b_2`): `[.., D_hidden]`, skip: `[.., D_out]`
    /// - context: `[.., D_context]`, one where `first` has several
    /// - output: `[.., D_out]`
    ///
    /// # Panics
    /// As [`forward`](Self::forward).
    pub fn forward_rest<const D: usize>(
        &self,
        first: Tensor<D>,
        skip: Tensor<D>,
        context: Option<Tensor<D>>,
    ) -> Tensor<D> {
        let first = match (context, &self.context) {
            (None, _) => first,
            (Some(context), Some(map)) => first + map.forward(context),
            (Some(_), None) => panic!("a context for a gated residual network without one"),
        };
        let update = self.gate.forward(self.hidden.forward(elu(first)));
        self.norm.forward(skip + update)
    }
}
