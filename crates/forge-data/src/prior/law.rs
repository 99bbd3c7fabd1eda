//! What is drawn before a graph is: the distributions of `get_diff_causal` of `automl/TabPFN` at
//! ddf5e85.

use rand::{Rng, RngExt};
use rand_distr::{Beta, Distribution, Gamma, StandardNormal};

/// Depth and width are cut here: the distributions have no end, and time does.
const DEEPEST: usize = 12;
const WIDEST: usize = 256;

/// What stands between two layers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Activation {
    Tanh,
    Identity,
    Relu,
}

impl Activation {
    pub(super) fn apply(self, x: f64) -> f64 {
        match self {
            Self::Tanh => x.tanh(),
            Self::Identity => x,
            Self::Relu => x.max(0.0),
        }
    }
}

/// The law of one table.
#[derive(Debug, Clone, Copy)]
pub(super) struct Law {
    /// Features and target are nodes, and not inputs and output.
    pub(super) causal: bool,
    pub(super) layers: usize,
    pub(super) width: usize,
    /// Root causes of a causal graph.
    pub(super) causes: usize,
    /// Part of the edges that are dropped.
    pub(super) dropout: f64,
    /// Edges stay in blocks, and not anywhere.
    pub(super) in_blocks: bool,
    /// Deviation of weights.
    pub(super) weight: f64,
    /// Deviation of noise.
    pub(super) noise: f64,
    /// Each node has a noise of its own size.
    pub(super) noise_per_node: bool,
    pub(super) activation: Activation,
    /// Causes may be categories or heavy-tailed.
    pub(super) mixed_causes: bool,
    /// The target is the last node.
    pub(super) effect: bool,
    /// Features and target are neighbours.
    pub(super) clique: bool,
    /// Features are in the graph's order.
    pub(super) sorted: bool,
}

impl Law {
    pub(super) fn draw(rng: &mut impl Rng, causal: bool) -> Self {
        let [tanh, relu] = [uniform(rng, -5.0, 6.0), uniform(rng, -5.0, 6.0)];
        Self {
            causal,
            layers: (2 + meta_gamma(rng, 2.0, 3.0)).min(DEEPEST),
            width: (4 + meta_gamma(rng, 3.0, 100.0)).min(WIDEST),
            causes: (2 + meta_gamma(rng, 3.0, 7.0)).min(WIDEST),
            dropout: {
                let (a, b) = (uniform(rng, 0.1, 5.0), uniform(rng, 0.1, 5.0));
                // Both are above 0.
                Beta::new(a, b).map_or(0.0, |beta| 0.6 * beta.sample(rng))
            },
            in_blocks: coin(rng),
            weight: log_normal(rng, 0.01, 10.0),
            noise: log_normal(rng, 1e-4, 0.3),
            noise_per_node: coin(rng),
            activation: {
                let weights = [1.0_f64, tanh, relu].map(f64::exp);
                let at = rng.random::<f64>() * weights.iter().sum::<f64>();
                match at {
                    at if at < weights[0] => Activation::Identity,
                    at if at < weights[0] + weights[1] => Activation::Tanh,
                    _ => Activation::Relu,
                }
            },
            mixed_causes: coin(rng),
            effect: coin(rng),
            clique: coin(rng),
            sorted: coin(rng),
        }
    }
}

pub(super) fn normal(rng: &mut impl Rng) -> f64 {
    StandardNormal.sample(rng)
}

pub(super) fn uniform(rng: &mut impl Rng, low: f64, high: f64) -> f64 {
    low + (high - low) * rng.random::<f64>()
}

/// Yes or no, how likely is drawn first (`meta_choice`).
pub(super) fn coin(rng: &mut impl Rng) -> bool {
    let logit = uniform(rng, -3.0, 5.0) - 1.0;
    rng.random::<f64>() < 1.0 / (1.0 + (-logit).exp())
}

/// A whole number from 0 (`meta_gamma`).
fn meta_gamma(rng: &mut impl Rng, max_alpha: f64, max_scale: f64) -> usize {
    let alpha = uniform(rng, 0.0, max_alpha.ln()).exp();
    let scale = uniform(rng, 0.0, max_scale) / alpha;
    // A scale of 0 gives 0.
    let drawn = Gamma::new(alpha, scale).map_or(0.0, |gamma| gamma.sample(rng));
    drawn.round() as usize
}

/// Above 0: a normal whose mean and relative deviation are uniform in their logarithms
/// (`meta_trunc_norm_log_scaled`).
fn log_normal(rng: &mut impl Rng, least: f64, most: f64) -> f64 {
    let mean = uniform(rng, least.ln(), most.ln()).exp();
    let deviation = mean * uniform(rng, 0.01_f64.ln(), 0.0).exp();
    // A deviation is at most the mean: five in six are above 0.
    loop {
        let drawn = mean + deviation * normal(rng);
        if drawn > 0.0 {
            return drawn;
        }
    }
}
