//! Attention that stays sharp over many keys.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::LinearActivation;
use forge_nn::{Linear, LinearConfig, ModuleConfig};
use serde::{Deserialize, Serialize};

use super::switch::Switch;

/// Hidden units of a scale's networks; the reference has no other.
const HIDDEN: usize = 64;

/// What queries are multiplied by, `n` being the number of keys. In a file by the reference's words;
/// `true` is the last, `false` the first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Switch", into = "Switch")]
pub enum SoftmaxScaling {
    /// `none`: by nothing, plain softmax.
    Plain,
    /// `ssmax`: `s_h log n`, `s_h` learnt per head (Nakanishi 2025, arXiv 2501.19399).
    Log,
    /// `ssmax-mlp`: a network of `log n`, one number per head.
    Network,
    /// `ssmax-mlp-elementwise`: one per head and feature.
    NetworkElementwise,
    /// `qassmax-mlp`: a network of `log n`, one number per head, times `1 + tanh` of a network of
    /// the query.
    QueryAware,
    /// `qassmax-mlp-elementwise`: both with one number per feature.
    QueryAwareElementwise,
}

const WORDS: [(SoftmaxScaling, &str); 6] = [
    (SoftmaxScaling::Plain, "none"),
    (SoftmaxScaling::Log, "ssmax"),
    (SoftmaxScaling::Network, "ssmax-mlp"),
    (SoftmaxScaling::NetworkElementwise, "ssmax-mlp-elementwise"),
    (SoftmaxScaling::QueryAware, "qassmax-mlp"),
    (
        SoftmaxScaling::QueryAwareElementwise,
        "qassmax-mlp-elementwise",
    ),
];

impl TryFrom<Switch> for SoftmaxScaling {
    type Error = String;

    fn try_from(switch: Switch) -> Result<Self, String> {
        let word = match switch {
            Switch::On(false) => return Ok(Self::Plain),
            Switch::On(true) => return Ok(Self::QueryAwareElementwise),
            Switch::Word(word) => word,
        };
        let known = WORDS.iter().find(|(_, known)| *known == word);
        known.map(|(kind, _)| *kind).ok_or_else(|| {
            let words = WORDS.map(|(_, word)| word).join(", ");
            format!("unknown scaling '{word}', expected one of {words}")
        })
    }
}

impl From<SoftmaxScaling> for Switch {
    fn from(kind: SoftmaxScaling) -> Self {
        let word = WORDS.iter().find(|(known, _)| *known == kind);
        Self::word(word.map_or("none", |(_, word)| word))
    }
}

impl SoftmaxScaling {
    /// Whether there is a number per feature of a head.
    fn is_elementwise(self) -> bool {
        matches!(self, Self::NetworkElementwise | Self::QueryAwareElementwise)
    }

    /// Outputs of the network of `log n`, and of that of the query.
    fn outputs(self, heads: usize, head_width: usize) -> (usize, usize) {
        match self.is_elementwise() {
            true => (heads * head_width, head_width),
            false => (heads, 1),
        }
    }

    /// Number of parameters.
    pub(super) fn parameter_count(self, heads: usize, head_width: usize) -> usize {
        let (base, query) = self.outputs(heads, head_width);
        let network = |from: usize, to: usize| (from + 1) * HIDDEN + (HIDDEN + 1) * to;
        match self {
            Self::Plain => 0,
            Self::Log => heads,
            Self::Network | Self::NetworkElementwise => network(1, base),
            Self::QueryAware | Self::QueryAwareElementwise => {
                network(1, base) + network(head_width, query)
            }
        }
    }
}

/// `Linear(GELU(Linear(x)))`.
#[derive(Module, Debug)]
pub struct TwoLinear {
    first: Linear,
    last: Linear,
}

impl TwoLinear {
    fn new(from: usize, to: usize, zero: bool, device: &Device) -> Self {
        let last = LinearConfig::new(HIDDEN, to);
        let last = match zero {
            true => last.with_initializer(Initializer::Zeros),
            false => last,
        };
        Self {
            first: LinearConfig::new(from, HIDDEN).init(device),
            last: last.build(device),
        }
    }

    fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let hidden = self.first.forward_activated(x, LinearActivation::Gelu);
        self.last.forward(hidden)
    }
}

/// Networks of the number of keys and of the query.
#[derive(Module, Debug)]
pub struct QueryAwareScale {
    base: TwoLinear,
    query: TwoLinear,
}

/// Multiplies queries by a learnt function of the number of keys, so that a softmax over many of
/// them is no flatter than one over few.
#[derive(Module, Debug)]
#[allow(
    clippy::large_enum_variant,
    reason = "one per layer, and `Module` takes no boxes"
)]
pub enum ScalableSoftmax {
    /// `s_h`, `[H]`, from ones.
    Log(Param<Tensor<1>>),
    /// Of the number of keys.
    Network(TwoLinear),
    /// Of the query too.
    QueryAware(QueryAwareScale),
}

impl ScalableSoftmax {
    /// None for a plain softmax. With `zero` the queries do not matter at first.
    pub(super) fn new(
        kind: SoftmaxScaling,
        heads: usize,
        head_width: usize,
        zero: bool,
        device: &Device,
    ) -> Option<Self> {
        let (base, query) = kind.outputs(heads, head_width);
        let network = |zero| TwoLinear::new(1, base, zero, device);
        Some(match kind {
            SoftmaxScaling::Plain => return None,
            SoftmaxScaling::Log => Self::Log(Initializer::Ones.init([heads], device)),
            SoftmaxScaling::Network | SoftmaxScaling::NetworkElementwise => {
                Self::Network(network(false))
            }
            SoftmaxScaling::QueryAware | SoftmaxScaling::QueryAwareElementwise => {
                Self::QueryAware(QueryAwareScale {
                    base: network(false),
                    query: TwoLinear::new(head_width, query, zero, device),
                })
            }
        })
    }

    /// # Shapes
    /// - q, output: `[B, H, Tq, D]`
    pub(super) fn scale(&self, q: Tensor<4>, keys: usize) -> Tensor<4> {
        let heads = q.dims()[1];
        let log = (keys.max(1) as f64).ln();
        let of_keys = |network: &TwoLinear| {
            let log = Tensor::<2>::full([1, 1], log, (&q.device(), q.dtype()));
            let scales = network.forward(log);
            let width = scales.dims()[1] / heads;
            scales.reshape([1, heads, 1, width])
        };
        match self {
            Self::Log(scales) => {
                let scales = scales.val() * log;
                q * scales.reshape([1, heads, 1, 1])
            }
            Self::Network(network) => {
                let scales = of_keys(network);
                q * scales
            }
            Self::QueryAware(QueryAwareScale { base, query }) => {
                let modulation = query.forward(q.clone()).tanh() + 1.0;
                let scales = of_keys(base) * modulation;
                q * scales
            }
        }
    }
}
