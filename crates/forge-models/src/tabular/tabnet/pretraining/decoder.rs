//! From the steps' decisions back to the columns.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::Linear;

use super::TabNetPretrainerConfig;
use crate::tabular::tabnet::{FeatureTransformer, linear};

/// A feature transformer per step, their sum, and a linear layer.
///
/// Arik & Pfister 2021 (arXiv 1908.07442 v5), figure 4 (b), as in `pytorch-tabnet` 4.1.0: the
/// paper's linear layer per step is one layer on the sum.
#[derive(Module, Debug)]
pub struct TabNetDecoder {
    /// The linear layers that all feature transformers share.
    shared: Vec<Linear>,
    steps: Vec<FeatureTransformer>,
    output: Linear,
}

impl TabNetDecoder {
    pub(super) fn new(config: &TabNetPretrainerConfig, device: &Device) -> Self {
        let (stack, model) = (config.decoder_stack(), &config.model);
        Self {
            shared: stack.shared(device),
            steps: (0..model.n_steps)
                .map(|_| stack.transformer(device))
                .collect(),
            output: linear::plain(model.n_d, model.embedded_width(), device),
        }
    }

    /// # Shapes
    /// - decisions: `[B, N_d]` per step
    /// - output: `[B, E]`
    pub(super) fn forward(&self, decisions: Vec<Tensor<2>>) -> Tensor<2> {
        let steps = self.steps.iter().zip(decisions);
        let features = steps.map(|(step, decision)| step.forward(&self.shared, decision));
        let sum = features.reduce(|sum, features| sum + features);
        match sum {
            Some(sum) => self.output.forward(sum),
            None => panic!("a decoder of no steps"),
        }
    }
}
