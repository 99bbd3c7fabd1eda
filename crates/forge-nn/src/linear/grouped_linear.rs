//! Several linear layers side by side.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use crate::config_macro::config;
use crate::ops::{Axes, LinearActivation, activated, linear_activation, matmul};
use crate::{ForgeError, ModuleConfig, check};

config! {
    /// Recipe of a [`GroupedLinear`].
    pub struct GroupedLinearConfig {
        /// Number of groups (features, members), at least 1.
        pub n_groups: usize,
        /// Input width of a group, at least 1.
        pub d_input: usize,
        /// Output width of a group, at least 1.
        pub d_output: usize,
        /// Learn a bias per group.
        #[config(default = true)]
        pub bias: bool,
        /// How weight and bias start: uniform in `±1/√d_input`, as one linear layer does.
        #[config(default = Initializer::KaimingUniform { gain: 1.0 / 3.0_f64.sqrt(), fan_out_only: false })]
        pub initializer: Initializer,
    }
}

/// A linear layer for each of `G` groups: `y_g = x_g W_g + b_g`.
///
/// `NLinear` of `rtdl_num_embeddings` 0.0.12 and `LinearEnsemble` of `tabm` 0.0.3.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{GroupedLinearConfig, ModuleConfig};
///
/// let device = Device::flex();
/// let layer = GroupedLinearConfig::new(3, 5, 7).init(&device);
/// let y = layer.forward(Tensor::<3>::ones([11, 3, 5], &device));
/// assert_eq!(y.dims(), [11, 3, 7]);
/// ```
#[derive(Module, Debug)]
pub struct GroupedLinear {
    /// `W`, `[G, D_in, D_out]`.
    pub weight: Param<Tensor<3>>,
    /// `b`, `[G, D_out]`.
    pub bias: Option<Param<Tensor<2>>>,
    n_groups: usize,
    d_input: usize,
    d_output: usize,
}

impl GroupedLinearConfig {
    /// Number of trainable parameters.
    #[must_use]
    pub fn parameter_count(&self) -> usize {
        self.n_groups * (self.d_input + usize::from(self.bias)) * self.d_output
    }
}

impl ModuleConfig for GroupedLinearConfig {
    type Module = GroupedLinear;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_groups", self.n_groups)?;
        check::at_least_one("d_input", self.d_input)?;
        check::at_least_one("d_output", self.d_output)
    }

    fn build(&self, device: &Device) -> GroupedLinear {
        let (groups, from, to) = (self.n_groups, self.d_input, self.d_output);
        let start = &self.initializer;
        GroupedLinear {
            weight: start.init_with([groups, from, to], Some(from), Some(to), device),
            bias: self
                .bias
                .then(|| start.init_with([groups, to], Some(from), Some(to), device)),
            n_groups: groups,
            d_input: from,
            d_output: to,
        }
    }
}

impl GroupedLinear {
    /// Number of groups, `G`.
    #[must_use]
    pub fn n_groups(&self) -> usize {
        self.n_groups
    }

    /// Input width, `D_in`.
    #[must_use]
    pub fn d_input(&self) -> usize {
        self.d_input
    }

    /// Output width, `D_out`.
    #[must_use]
    pub fn d_output(&self) -> usize {
        self.d_output
    }

    /// Applies the layers to groups that stand beside each other in a row.
    ///
    /// # Shapes
    /// - x: `[B, G, D_in]`
    /// - output: `[B, G, D_out]`
    ///
    /// # Panics
    /// If the groups or their width are not those of the layer.
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_apart(x.swapped(0, 1)).swapped(0, 1)
    }

    /// Applies the layers to the rows of one group after those of another, which is how they are
    /// computed: cheaper than [`forward`](Self::forward) where several layers follow each other.
    ///
    /// # Shapes
    /// - x: `[G, B, D_in]`
    /// - output: `[G, B, D_out]`
    ///
    /// # Panics
    /// If the groups or their width are not those of the layer.
    #[must_use]
    pub fn forward_apart(&self, x: Tensor<3>) -> Tensor<3> {
        self.forward_apart_activated(x, LinearActivation::Identity)
    }

    /// `activation(x_g W_g + b_g)`, shapes as in [`forward_apart`](Self::forward_apart).
    ///
    /// # Panics
    /// If the groups or their width are not those of the layer.
    #[must_use]
    pub fn forward_apart_activated(&self, x: Tensor<3>, activation: LinearActivation) -> Tensor<3> {
        let [groups, _, width] = x.dims();
        // One group would broadcast.
        assert!(
            [groups, width] == [self.n_groups, self.d_input],
            "x has {groups} groups of width {width}, expected {} of {}",
            self.n_groups,
            self.d_input
        );
        let bias = self.bias.as_ref().map(Param::val);
        if groups == 1 {
            let bias = bias.map(|bias| bias.squeeze_dim(0));
            let weight = self.weight.val().squeeze_dim(0);
            return linear_activation(x, weight, bias, activation);
        }
        let y = matmul(x, self.weight.val());
        let y = match bias {
            Some(bias) => y + bias.unsqueeze_dim(1),
            None => y,
        };
        match activation.on_its_own() {
            Some(activation) => activated(y, activation),
            None => y,
        }
    }
}
