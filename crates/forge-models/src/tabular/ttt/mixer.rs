//! One layer without norms and residual.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::{DType, Device, Int, Tensor};
use forge_nn::carried;
use forge_nn::convolution::CausalConv1d;
use forge_nn::norm::{LayerNorm, LayerNormConfig};
use forge_nn::ops::{Activation, Axes, activated, matmul, ttt};
use forge_nn::position::RotaryEmbedding;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::inner::{FastLayer, InnerNorm, Views, answer, lessons};
use super::{InnerModel, TttBackboneConfig};
use crate::tabular::TokenMixer;
use crate::tabular::token::assert_state;

/// Inside the root of the norm behind the heads.
const EPSILON: f64 = 1e-6;

/// How projections and inner weights start.
const START: Initializer = Initializer::Normal {
    mean: 0.0,
    std: 0.02,
};

/// A layer of test-time training: every head has a small model, which learns from each token to
/// reconstruct its value from its key, and is then asked for the query.
///
/// Tokens of a mini-batch learn from the same weights, those before it. Token i asks the model after
/// the steps of tokens j ≤ i, each `max(1/(i+1) + s_i, 0) · lr · σ(w·x_j + b) / width` times the gradient.
#[derive(Module, Debug)]
pub struct TttMixer {
    q_proj: Linear,
    k_proj: Option<Linear>,
    v_proj: Linear,
    g_proj: Option<Linear>,
    o_proj: Linear,
    conv_q: Option<CausalConv1d>,
    conv_k: Option<CausalConv1d>,
    /// The inner model before the first token, `[H, in, out]` and `[H, 1, out]`.
    weights: Vec<Param<Tensor<3>>>,
    biases: Vec<Param<Tensor<3>>>,
    inner_norm_weight: Param<Tensor<2>>,
    inner_norm_bias: Param<Tensor<2>>,
    /// `[H, 1, D]` and `[H, 1]`.
    rate_weight: Param<Tensor<3>>,
    rate_bias: Param<Tensor<2>>,
    /// `[K]`.
    token_scale: Param<Tensor<1>>,
    post_norm: LayerNorm,
    rotary: RotaryEmbedding,
    heads: usize,
    width: usize,
    /// Width of the inner model's hidden layer.
    hidden: Option<usize>,
    mini_batch_size: usize,
    base_rate: f64,
}

/// What a [`TttMixer`] remembers: its size does not depend on how many tokens were seen.
#[derive(Debug, Clone)]
pub struct TttState {
    /// Place in the mini-batch.
    place: usize,
    past_q: Option<Tensor<3>>,
    past_k: Option<Tensor<3>>,
    /// The inner model before the mini-batch.
    layers: Vec<FastLayer>,
    /// The sums of the gradients in the mini-batch so far, each times its token's rate; none at its start.
    learned: Option<Vec<FastLayer>>,
}

carried!(TttState {
    place,
    past_q,
    past_k,
    layers,
    learned
});

impl TttMixer {
    pub(super) fn new<I: InnerModel>(config: &TttBackboneConfig<I>, device: &Device) -> Self {
        let (d, heads, width) = (
            config.hidden_size,
            config.num_attention_heads,
            config.head_dim(),
        );
        let linear = || {
            LinearConfig::new(d, d)
                .with_bias(false)
                .with_initializer(START)
                .build(device)
        };
        let conv = || config.share_qk.then(|| config.convolution().build(device));
        let sizes = config.inner_sizes();
        Self {
            q_proj: linear(),
            k_proj: (!config.share_qk).then(linear),
            v_proj: linear(),
            g_proj: config.use_gate.then(linear),
            o_proj: linear(),
            conv_q: conv(),
            conv_k: conv(),
            weights: sizes
                .iter()
                .map(|[from, to]| START.init([heads, *from, *to], device))
                .collect(),
            biases: sizes
                .iter()
                .map(|[_, to]| Initializer::Zeros.init([heads, 1, *to], device))
                .collect(),
            inner_norm_weight: Initializer::Ones.init([heads, width], device),
            inner_norm_bias: Initializer::Zeros.init([heads, width], device),
            rate_weight: START.init([heads, 1, d], device),
            rate_bias: Initializer::Zeros.init([heads, 1], device),
            token_scale: Initializer::Zeros.init([config.mini_batch_size], device),
            post_norm: LayerNormConfig::new(d).with_eps(EPSILON).build(device),
            rotary: config.rotary().build(device),
            heads,
            width,
            hidden: config.hidden(),
            mini_batch_size: config.mini_batch_size,
            base_rate: config.ttt_base_lr,
        }
    }

    fn norm(&self) -> InnerNorm {
        let shape = [1, self.heads, 1, self.width];
        InnerNorm {
            weight: self.inner_norm_weight.val().reshape(shape),
            bias: self.inner_norm_bias.val().reshape(shape),
        }
    }

    /// The inner model before the first token, one for each sequence.
    fn first_layers(&self, batch: usize) -> Vec<FastLayer> {
        let each = |tensor: Tensor<3>| {
            let [heads, rows, columns] = tensor.dims();
            let tensor = tensor.unsqueeze_dim::<4>(0);
            tensor.expand([batch, heads, rows, columns])
        };
        let layers = self.weights.iter().zip(&self.biases);
        layers
            .map(|(weight, bias)| FastLayer {
                weight: each(weight.val()),
                bias: each(bias.val()),
            })
            .collect()
    }

    /// Inner norm and inner model as [`ttt`] wants them.
    fn parameters(&self) -> Tensor<2> {
        let mut parts = vec![self.inner_norm_weight.val(), self.inner_norm_bias.val()];
        for (weight, bias) in self.weights.iter().zip(&self.biases) {
            parts.extend([weight, bias].map(|part| part.val().flatten(1, 2)));
        }
        Tensor::cat(parts, 1)
    }

    /// `[B, T, D]` to `[B, H, T, D/H]`.
    fn split(&self, x: Tensor<3>) -> Tensor<4> {
        let [batch, time, _] = x.dims();
        let x = x.reshape([batch, time, self.heads, self.width]);
        x.swapped(1, 2)
    }

    /// Step sizes of tokens `[B, T, D]` but for the part that depends on who asks: `[B, H, T]`.
    fn rates(&self, x: Tensor<3>) -> Tensor<3> {
        let weight = self.rate_weight.val().squeeze_dim::<2>(1).transposed();
        let raw = x.matmul(weight.unsqueeze::<3>());
        let raw = raw + self.rate_bias.val().reshape([1, 1, self.heads]);
        let rates = sigmoid(raw) * (self.base_rate / self.width as f64);
        rates.swapped(1, 2)
    }

    /// The part that depends on who asks, `[K]`.
    fn scales(&self) -> Tensor<1> {
        let learned = self.token_scale.val();
        let dtype = learned.dtype();
        let places =
            Tensor::<1, Int>::arange(1..self.mini_batch_size as i64 + 1, &learned.device());
        relu(places.float().cast(dtype).recip() + learned)
    }

    /// Queries and keys by position in the mini-batch.
    fn turned(&self, x: Tensor<4>, first: usize, dtype: DType) -> Tensor<4> {
        let time = x.dims()[2];
        let positions = (first..first + time).map(|t| (t % self.mini_batch_size) as i64);
        let positions: Vec<i64> = positions.collect();
        let tables = self.rotary.tables(&positions, &x.device(), dtype);
        self.rotary.rotate(x, &tables)
    }

    /// Norm, gate and projection of the heads' answers.
    fn finish(&self, answers: Tensor<4>, x: Tensor<3>) -> Tensor<3> {
        let y = self
            .post_norm
            .forward(answers.swapped(1, 2).reshape(x.dims()));
        let y = match &self.g_proj {
            Some(gate) => y * activated(gate.forward(x), Activation::GeluTanh),
            None => y,
        };
        self.o_proj.forward(y)
    }
}

impl TokenMixer for TttMixer {
    type State = TttState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let q = self.q_proj.forward(x.clone());
        let k = match &self.k_proj {
            Some(k_proj) => k_proj.forward(x.clone()),
            None => q.clone(),
        };
        let filtered = |conv: &Option<CausalConv1d>, x: Tensor<3>| match conv {
            Some(conv) => conv.forward(x),
            None => x,
        };
        let (q, k) = (filtered(&self.conv_q, q), filtered(&self.conv_k, k));
        let dtype = x.dtype();
        let (q, k) = (
            self.turned(self.split(q), 0, dtype),
            self.turned(self.split(k), 0, dtype),
        );
        let v = self.split(self.v_proj.forward(x.clone()));
        let rates = self.rates(x.clone());
        let (scales, parameters) = (self.scales(), self.parameters());
        let answers = ttt([q, k, v], rates, scales, parameters, self.hidden);
        self.finish(answers, x)
    }

    fn start(&self, batch: usize, device: &Device) -> TttState {
        let layers = self.first_layers(batch);
        let layers: Vec<FastLayer> = layers
            .into_iter()
            .map(|layer| FastLayer {
                weight: layer.weight.to_device(device),
                bias: layer.bias.to_device(device),
            })
            .collect();
        let past = |conv: &Option<CausalConv1d>| conv.as_ref()?.start(batch, device);
        TttState {
            place: 0,
            past_q: past(&self.conv_q),
            past_k: past(&self.conv_k),
            learned: None,
            layers,
        }
    }

    fn step(&self, x: Tensor<2>, state: TttState) -> (Tensor<2>, TttState) {
        let (y, state) = self.steps(x.unsqueeze_dim(1), state);
        (y.squeeze_dim(1), state)
    }

    fn steps(&self, x: Tensor<3>, mut state: TttState) -> (Tensor<3>, TttState) {
        let [batch, time, _] = x.dims();
        for (layer, start) in state.layers.iter().zip(&self.weights) {
            let [heads, from, to] = start.val().dims();
            assert_state(&layer.weight, [batch, heads, from, to]);
        }
        let q = self.q_proj.forward(x.clone());
        let k = match &self.k_proj {
            Some(k_proj) => k_proj.forward(x.clone()),
            None => q.clone(),
        };
        let filtered = |conv: &Option<CausalConv1d>, x: Tensor<3>, past| match conv {
            Some(conv) => conv.steps(x, past),
            None => (x, None),
        };
        let (q, past_q) = filtered(&self.conv_q, q, state.past_q.take());
        let (k, past_k) = filtered(&self.conv_k, k, state.past_k.take());
        (state.past_q, state.past_k) = (past_q, past_k);
        let turned = |x: Tensor<3>| {
            let dtype = x.dtype();
            self.turned(self.split(x), state.place, dtype)
        };
        let (q, k) = (turned(q), turned(k));
        let (v, rates) = (
            self.split(self.v_proj.forward(x.clone())),
            self.rates(x.clone()),
        );
        let mut answers = vec![];
        let mut from = 0;
        while from < time {
            let count = (self.mini_batch_size - state.place).min(time - from);
            let of = |x: &Tensor<4>| x.clone().narrow(2, from, count);
            let views = Views {
                q: of(&q),
                k: of(&k),
                v: of(&v),
            };
            let rates = rates.clone().narrow(2, from, count);
            answers.push(self.learn_and_answer(views, rates, &mut state));
            from += count;
        }
        (self.finish(Tensor::cat(answers, 2), x), state)
    }
}

impl TttMixer {
    /// The answers for the next tokens of a mini-batch, which may be its last, but no more than those.
    ///
    /// # Shapes
    /// - rates: `[B, H, K]`
    fn learn_and_answer(&self, views: Views, rates: Tensor<3>, state: &mut TttState) -> Tensor<4> {
        let count = rates.dims()[2];
        let norm = self.norm();
        let lessons = lessons(&state.layers, &norm, &views);
        let scales = self.scales().narrow(0, state.place, count);
        let scales = scales.reshape([1, 1, count, 1]);
        // How much a token learns from the others here: nothing from later ones.
        let shares = (scales.clone() * rates.clone().unsqueeze_dim::<4>(2)).tril(0);
        let answers = answer(views.q, lessons.len(), &norm, |l, x| {
            let (layer, lesson) = (&state.layers[l], &lessons[l]);
            // Plus 1, for the bias.
            let near = matmul(x.clone(), lesson.input.clone().transposed()) + 1.0;
            let learned = matmul(near * shares.clone(), lesson.gradient.clone());
            let y = layer.forward(x.clone()) - learned;
            match &state.learned {
                Some(before) => y - before[l].forward(x) * scales.clone(),
                None => y,
            }
        });
        let rates = rates.unsqueeze_dim::<4>(3);
        let sums = lessons.into_iter().map(|lesson| {
            let gradient = lesson.gradient * rates.clone();
            FastLayer {
                weight: matmul(lesson.input.transposed(), gradient.clone()),
                bias: gradient.sum_dim(2),
            }
        });
        let learned: Vec<FastLayer> = match state.learned.take() {
            Some(before) => sums
                .zip(before)
                .map(|(sum, before)| before.plus(sum))
                .collect(),
            None => sums.collect(),
        };
        state.place += count;
        if state.place < self.mini_batch_size {
            state.learned = Some(learned);
            return answers;
        }
        let last = scales.narrow(2, count - 1, 1);
        for (layer, learned) in state.layers.iter_mut().zip(learned) {
            layer.weight = layer.weight.clone() - learned.weight * last.clone();
            layer.bias = layer.bias.clone() - learned.bias * last.clone();
        }
        state.place = 0;
        answers
    }
}
