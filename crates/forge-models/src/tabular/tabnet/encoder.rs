//! Sequential attention over the columns.

use burn::module::Module;
use burn::tensor::activation::relu;
use burn::tensor::{Device, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::{Linear, ModuleConfig};

use super::{FeatureTransformer, GhostBatchNorm, MaskType, TabNetColumns, TabNetConfig, linear};

/// Momentum of the first norm: fixed in the package.
const INPUT_MOMENTUM: f64 = 0.01;

/// The encoder: columns in, a decision per step out. The part that pre-training trains.
///
/// Arik & Pfister 2021 (arXiv 1908.07442 v5), figure 4 (a).
#[derive(Module, Debug)]
pub struct TabNetEncoder {
    pub(super) columns: TabNetColumns,
    norm: BatchNorm,
    /// The linear layers that all feature transformers share.
    shared: Vec<Linear>,
    /// The feature transformer before the first step, of which only the part for attention counts.
    splitter: FeatureTransformer,
    steps: Vec<TabNetStep>,
    n_d: usize,
    gamma: f64,
    epsilon: f64,
    #[module(skip)]
    mask_type: MaskType,
}

/// One step: which columns, and what follows from them.
#[derive(Module, Debug)]
pub struct TabNetStep {
    attention: AttentiveTransformer,
    features: FeatureTransformer,
}

/// The attentive transformer: a score per column from the last step's features.
#[derive(Module, Debug)]
pub struct AttentiveTransformer {
    linear: Linear,
    norm: GhostBatchNorm,
}

/// What the steps give.
pub(super) struct Steps {
    /// Each step's decision after the ReLU, `[B, N_d]`.
    pub(super) decisions: Vec<Tensor<2>>,
    /// Each step's mask over the columns, `[B, F]`.
    pub(super) masks: Vec<Tensor<2>>,
    /// `Σ M log(M + ε)` over the columns, averaged over rows and steps, `[1]`: minus the entropy of
    /// the masks.
    pub(super) negative_entropy: Tensor<1>,
}

impl Steps {
    /// The sum of the decisions, `[B, N_d]`.
    pub(super) fn decision(&self) -> Tensor<2> {
        let later = self.decisions[1..].iter().cloned();
        later.fold(self.decisions[0].clone(), |sum, decision| sum + decision)
    }
}

impl TabNetEncoder {
    pub(super) fn new(config: &TabNetConfig, device: &Device) -> Self {
        let width = config.embedded_width();
        let norm = BatchNormConfig::new(width).with_momentum(INPUT_MOMENTUM);
        let stack = config.encoder_stack();
        let step = |_| TabNetStep {
            attention: AttentiveTransformer::new(config, device),
            features: stack.transformer(device),
        };
        Self {
            columns: TabNetColumns::new(config, device),
            norm: norm.build(device),
            shared: stack.shared(device),
            splitter: stack.transformer(device),
            steps: (0..config.n_steps).map(step).collect(),
            n_d: config.n_d,
            gamma: config.gamma,
            epsilon: config.epsilon,
            mask_type: config.mask_type,
        }
    }

    /// The steps over embedded columns. The prior says how much each column may still be used,
    /// from 1; absent: all ones.
    ///
    /// # Shapes
    /// - x: `[B, E]`
    /// - prior: `[B, F]`
    pub(super) fn run(&self, x: Tensor<2>, prior: Option<Tensor<2>>) -> Steps {
        let x = self.norm.forward(x);
        let rows = x.dims()[0];
        let options = (&x.device(), x.dtype());
        let mut prior = prior.unwrap_or_else(|| Tensor::ones([rows, self.columns.len()], options));
        let mut hidden = self.splitter.forward(&self.shared, x.clone());
        let (mut decisions, mut masks) = (vec![], vec![]);
        let mut negative_entropy = Tensor::zeros([1], options);
        for step in &self.steps {
            let scores = step.attention.forward(self.attention_part(hidden));
            let mask = self.mask_type.apply(scores * prior.clone());
            // The mask used the prior as it was; what it took is now less free (section 3, after
            // equation 1).
            prior = prior * (mask.clone().neg() + self.gamma);
            let log = (mask.clone() + self.epsilon).log();
            negative_entropy = negative_entropy + (mask.clone() * log).sum_dim(1).mean();
            let masked = self.columns.spread(mask.clone()) * x.clone();
            hidden = step.features.forward(&self.shared, masked);
            decisions.push(relu(hidden.clone().narrow(1, 0, self.n_d)));
            masks.push(mask);
        }
        Steps {
            decisions,
            masks,
            negative_entropy: negative_entropy * (1.0 / self.steps.len() as f64),
        }
    }

    /// The features that the next step's attention reads: all after the first `N_d`.
    fn attention_part(&self, hidden: Tensor<2>) -> Tensor<2> {
        let width = hidden.dims()[1];
        hidden.narrow(1, self.n_d, width - self.n_d)
    }
}

impl AttentiveTransformer {
    fn new(config: &TabNetConfig, device: &Device) -> Self {
        Self {
            linear: linear::plain(config.n_a, config.input_dim, device),
            norm: GhostBatchNorm::new(
                config.input_dim,
                config.virtual_batch_size,
                config.momentum,
                device,
            ),
        }
    }

    /// # Shapes
    /// - features: `[B, N_a]`
    /// - output: `[B, F]`
    fn forward(&self, features: Tensor<2>) -> Tensor<2> {
        self.norm.forward(self.linear.forward(features))
    }
}
