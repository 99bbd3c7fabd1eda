//! Which variables count, sample by sample and step by step.

use burn::module::Module;
use burn::tensor::activation::softmax;
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::gating::{GatedResidualNetwork, GatedResidualNetworkConfig};
use forge_nn::ops::split;

use super::TftConfig;
use super::numbers::Numbers;

/// Weights `v = softmax(GRN(all variables, context))`, and the sum over the variables of
/// `v_j · GRN_j(variable j)`.
///
/// Lim et al. 2021, equations (6) to (8).
#[derive(Module, Debug)]
pub(super) struct VariableSelection {
    /// Absent where there is one variable: its weight is 1.
    pub(super) joint: Option<GatedResidualNetwork>,
    pub(super) each: Vec<GatedResidualNetwork>,
}

/// What is selected, `[B, T, D]`, and the weights of the variables, `[B, T, V]`.
pub(super) type Selected = (Tensor<3>, Tensor<3>);

impl VariableSelection {
    pub(super) fn joint_config(
        config: &TftConfig,
        variables: usize,
        context: bool,
    ) -> GatedResidualNetworkConfig {
        let width = config.hidden_size;
        GatedResidualNetworkConfig::new(variables * width, width)
            .with_d_output(Some(variables))
            .with_d_context(context.then_some(width))
            .with_dropout(config.dropout)
    }

    pub(super) fn new(
        config: &TftConfig,
        variables: usize,
        context: bool,
        device: &Device,
    ) -> Self {
        let each = |_| config.residual_network(false).build(device);
        Self {
            joint: (variables > 1)
                .then(|| Self::joint_config(config, variables, context).build(device)),
            each: (0..variables).map(each).collect(),
        }
    }

    pub(super) fn parameter_count(config: &TftConfig, variables: usize, context: bool) -> usize {
        let joint = match variables {
            1 => 0,
            _ => Self::joint_config(config, variables, context).parameter_count(),
        };
        joint + variables * config.residual_network(false).parameter_count()
    }

    /// Of variables that are vectors.
    ///
    /// # Shapes
    /// - tokens: `[B, T, V, D]`
    /// - context: `[B, 1, D]`
    pub(super) fn of_vectors(&self, tokens: Tensor<4>, context: Option<Tensor<3>>) -> Selected {
        let [batch, time, variables, width] = tokens.dims();
        let flat = tokens.reshape([batch, time, variables * width]);
        let weights = match &self.joint {
            Some(joint) => softmax(joint.forward(flat.clone(), context), 2),
            None => one(&flat),
        };
        let tokens = split(flat, width, 2).into_iter();
        let transformed = tokens
            .zip(&self.each)
            .map(|(token, network)| network.forward(token, None));
        (sum(transformed, &weights), weights)
    }

    /// Of variables that are numbers.
    ///
    /// # Shapes
    /// - context: `[B, 1, D]`
    pub(super) fn of_numbers(&self, numbers: &Numbers, context: Option<Tensor<3>>) -> Selected {
        let weights = match &self.joint {
            Some(joint) => {
                let first = numbers.through(&joint.input);
                let skip = match &joint.skip {
                    Some(skip) => numbers.through(skip),
                    None => numbers.clone().vectors(),
                };
                softmax(joint.forward_rest(first, skip, context), 2)
            }
            None => one(&numbers.clone().vectors()),
        };
        let transformed = self.each.iter().enumerate().map(|(j, network)| {
            let number = numbers.part(j, 1);
            network.forward_rest(number.through(&network.input), number.vectors(), None)
        });
        (sum(transformed, &weights), weights)
    }
}

/// The weights `[B, T, 1]` of one variable.
fn one(vectors: &Tensor<3>) -> Tensor<3> {
    vectors.clone().narrow(2, 0, 1).ones_like()
}

/// `Σ_j weights_j · transformed_j`.
fn sum(transformed: impl Iterator<Item = Tensor<3>>, weights: &Tensor<3>) -> Tensor<3> {
    let weighted = transformed
        .zip(split(weights.clone(), 1, 2))
        .map(|(token, weight)| token * weight);
    let zeros = weights.clone().narrow(2, 0, 1).zeros_like();
    weighted.reduce(|all, token| all + token).unwrap_or(zeros)
}
