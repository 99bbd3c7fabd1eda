//! A matrix as memory, written and read by keys and queries.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::activation::log_sigmoid;
use burn::tensor::{Device, Int, Tensor};
use forge_nn::activation::silu;
use forge_nn::carried;
use forge_nn::convolution::CausalConv1d;
use forge_nn::ops::{
    Axes, GluKind, NOTHING_YET, gated, max_scan, parts, ssd, ssd_with_state, stop_gradient,
};
use forge_nn::parameters::drawn;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::headwise_linear::HeadwiseLinear;
use super::offset_norm::OffsetNorm;
use super::{MlstmConfig, narrow, small};
use crate::tabular::token::{assert_state, empty_state};

/// Added to the normaliser.
const EPSILON: f64 = 1e-6;

/// Where the forget gates' biases start: evenly between these over the heads.
const FIRST_FORGET: [f64; 2] = [3.0, 6.0];

/// `x + mLSTM(norm(x))`: project up, convolve, write to and read from the memory, gate, project down.
///
/// ```text
/// m_t = max(log σ(f̃_t) + m_{t-1}, ĩ_t)
/// C_t = exp(log σ(f̃_t) + m_{t-1} - m_t) C_{t-1} + exp(ĩ_t - m_t) k_t v_tᵀ / √d     n_t likewise, for v = 1
/// h_t = C_tᵀ q_t / (max(|n_tᵀ q_t|, exp(-m_t)) + ε)
/// ```
///
/// Computed in chunks of tokens, in time that grows linearly with them.
#[derive(Module, Debug)]
pub struct MlstmBlock {
    norm: OffsetNorm,
    proj_up: Linear,
    conv1d: CausalConv1d,
    q_proj: HeadwiseLinear,
    k_proj: HeadwiseLinear,
    v_proj: HeadwiseLinear,
    igate: Linear,
    fgate: Linear,
    outnorm: OffsetNorm,
    learnable_skip: Param<Tensor<1>>,
    proj_down: Linear,
    inner: usize,
    heads: usize,
}

/// What an [`MlstmBlock`] remembers: its size does not depend on how many tokens were seen.
#[derive(Debug, Clone)]
pub struct MlstmState {
    /// The last inputs of the convolution; none where it sees one token alone.
    past: Option<Tensor<3>>,
    /// Memory and normaliser side by side, `[B, H, D/H, D/H + 1]`.
    memory: Tensor<4>,
    /// The stabiliser, `[B, H]`.
    m: Tensor<2>,
}

carried!(MlstmState { past, memory, m });

/// What the cell reads of tokens, `[B, H, T, D/H]` and `[B, H, T]`.
struct CellInput {
    q: Tensor<4>,
    k: Tensor<4>,
    /// Values and a 1, for the normaliser.
    v: Tensor<4>,
    input: Tensor<3>,
    log_forget: Tensor<3>,
}

/// Numerator and denominator are scaled by e^-m alike: but for the epsilon nothing depends on it.
struct Scaled {
    /// The stabilisers, `[B, H, T]`, and the same as constants.
    m: Tensor<3>,
    constant: Tensor<3>,
    weight: Tensor<3>,
    log_decay: Tensor<3>,
}

impl Scaled {
    /// `start` is the stabiliser before the first token, `[B, H, 1]`; without one nothing decays there.
    fn new(
        m: Tensor<3>,
        log_forget: Tensor<3>,
        input: Tensor<3>,
        start: Option<Tensor<3>>,
    ) -> Self {
        let constant = stop_gradient(m.clone());
        let time = m.dims()[2];
        let first = start.unwrap_or_else(|| constant.clone().narrow(2, 0, 1));
        let before = match time {
            1 => first,
            _ => Tensor::cat(vec![first, constant.clone().narrow(2, 0, time - 1)], 2),
        };
        Self {
            m,
            weight: (input - constant.clone()).exp(),
            log_decay: log_forget + before - constant.clone(),
            constant,
        }
    }
}

impl MlstmBlock {
    pub(super) fn new(
        config: &MlstmConfig,
        d: usize,
        bias: bool,
        blocks: usize,
        device: &Device,
    ) -> Self {
        let (inner, heads) = (config.inner_embedding_dim(d), config.num_heads);
        let linear = |from, to, start| {
            LinearConfig::new(from, to)
                .with_bias(bias)
                .with_initializer(start)
                .with_bias_initializer(Some(Initializer::Zeros))
                .build(device)
        };
        let each = || {
            let groups = inner / config.qkv_proj_blocksize;
            HeadwiseLinear::new(inner, groups, bias, d, device)
        };
        let gate = || {
            let gate = LinearConfig::new(3 * inner, heads);
            let noise = Initializer::Normal {
                mean: 0.0,
                std: 0.1,
            };
            gate.with_initializer(Initializer::Zeros)
                .with_bias_initializer(Some(noise))
                .build(device)
        };
        let mut fgate: Linear = gate();
        fgate.bias = Some(drawn([heads], device, move |device| {
            let [low, high] = FIRST_FORGET;
            let step = (high - low) / (heads.max(2) - 1) as f64;
            Tensor::<1, Int>::arange(0..heads as i64, device).float() * step + low
        }));
        Self {
            norm: OffsetNorm::new(d, device),
            proj_up: linear(d, 2 * inner, small(d)),
            conv1d: config.convolution(d).build(device),
            q_proj: each(),
            k_proj: each(),
            v_proj: each(),
            igate: gate(),
            fgate,
            outnorm: OffsetNorm::new(inner, device),
            learnable_skip: Initializer::Ones.init([inner], device),
            proj_down: linear(inner, d, narrow(d, blocks)),
            inner,
            heads,
        }
    }

    fn head_dim(&self) -> usize {
        self.inner / self.heads
    }

    /// From the two inputs of the cell, `[B, T, E]`.
    fn cell_input(&self, convolved: Tensor<3>, u: Tensor<3>) -> CellInput {
        let [batch, time, _] = u.dims();
        let heads = |x: Tensor<3>| {
            let x = x.reshape([batch, time, self.heads, self.head_dim()]);
            x.swapped(1, 2)
        };
        let q = self.q_proj.forward(convolved.clone());
        let k = self.k_proj.forward(convolved);
        let v = self.v_proj.forward(u);
        let all = Tensor::cat(vec![q.clone(), k.clone(), v.clone()], 2);
        let input = self.igate.forward(all.clone()).swapped(1, 2);
        let forget = self.fgate.forward(all).swapped(1, 2);
        let v = heads(v);
        let ones = Tensor::ones([batch, self.heads, time, 1], (&v.device(), v.dtype()));
        CellInput {
            q: heads(q),
            k: heads(k) * (1.0 / (self.head_dim() as f64).sqrt()),
            v: Tensor::cat(vec![v, ones], 3),
            input,
            log_forget: log_sigmoid(forget),
        }
    }

    /// The outputs from what was read of memory and normaliser.
    ///
    /// # Shapes
    /// - read: `[B, H, T, D/H + 1]`
    /// - floor, epsilon: `[B, H, T]`
    /// - output: `[B, H, T, D/H]`
    fn normalised(&self, read: Tensor<4>, floor: Tensor<3>, epsilon: Tensor<3>) -> Tensor<4> {
        let width = self.head_dim();
        let [read, normaliser] = parts(read, 3, [width, 1]);
        let size = normaliser.abs().max_pair(floor.unsqueeze_dim::<4>(3));
        read / (size + epsilon.unsqueeze_dim::<4>(3))
    }

    fn cell(&self, given: CellInput) -> Tensor<4> {
        let m = max_scan(given.log_forget.clone(), given.input.clone());
        let Scaled {
            m,
            constant,
            weight,
            log_decay,
        } = Scaled::new(m, given.log_forget, given.input, None);
        let read = ssd(given.v, weight, log_decay, given.k, given.q, None);
        self.answers(read, m, constant)
    }

    /// [`cell`](Self::cell) from a memory and a stabiliser, and these after the last token.
    fn cell_from(
        &self,
        given: CellInput,
        memory: Tensor<4>,
        m: Tensor<2>,
    ) -> (Tensor<4>, Tensor<4>, Tensor<2>) {
        let time = given.input.dims()[2];
        let start = m.unsqueeze_dim::<3>(2);
        let first = given.log_forget.clone().narrow(2, 0, 1) + start.clone();
        let first = first.max_pair(given.input.clone().narrow(2, 0, 1));
        let inputs = match time {
            1 => first,
            _ => {
                let rest = given.input.clone().narrow(2, 1, time - 1);
                Tensor::cat(vec![first, rest], 2)
            }
        };
        let m = max_scan(given.log_forget.clone(), inputs);
        let Scaled {
            m,
            constant,
            weight,
            log_decay,
        } = Scaled::new(m, given.log_forget, given.input, Some(start));
        let (v, k, q) = (given.v, given.k, given.q);
        let (read, memory) = ssd_with_state(v, weight, log_decay, k, q, None, memory);
        let last = constant.clone().narrow(2, time - 1, 1).squeeze_dim(2);
        (self.answers(read, m, constant), memory, last)
    }

    /// [`cell_from`](Self::cell_from) of one token.
    fn cell_step(
        &self,
        given: CellInput,
        memory: Tensor<4>,
        m: Tensor<2>,
    ) -> (Tensor<4>, Tensor<4>, Tensor<2>) {
        let log = given.log_forget + m.unsqueeze_dim::<3>(2);
        let m = log.clone().max_pair(given.input.clone());
        let decay = (log - m.clone()).exp().unsqueeze_dim::<4>(3);
        let weight = (given.input - m.clone()).exp().unsqueeze_dim::<4>(3);
        let written = given.k.swapped(2, 3).matmul(given.v * weight);
        let memory = memory * decay + written;
        let read = given.q.matmul(memory.clone());
        let h = self.normalised(read, (-m.clone()).exp(), m.zeros_like() + EPSILON);
        (h, memory, m.squeeze_dim(2))
    }

    /// What the cell says of what it read; `m` and `constant` as in [`Scaled`].
    fn answers(&self, read: Tensor<4>, m: Tensor<3>, constant: Tensor<3>) -> Tensor<4> {
        let epsilon = (m - constant.clone()).exp() * EPSILON;
        self.normalised(read, (-constant).exp(), epsilon)
    }

    /// Norm, skip, gate and projection of the cell's outputs.
    fn finish(&self, h: Tensor<4>, convolved: Tensor<3>, z: Tensor<3>) -> Tensor<3> {
        let h = self.outnorm.forward_heads(h.swapped(1, 2));
        let h = h + convolved * self.learnable_skip.val().unsqueeze::<3>();
        self.proj_down.forward(gated(h, z, GluKind::Silu))
    }

    fn halves(&self, x: Tensor<3>) -> [Tensor<3>; 2] {
        let both = self.proj_up.forward(self.norm.forward(x));
        parts(both, 2, [self.inner; 2])
    }

    /// # Shapes
    /// - x, output: `[B, T, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [u, z] = self.halves(x.clone());
        let convolved = silu(self.conv1d.forward(u.clone()));
        let h = self.cell(self.cell_input(convolved.clone(), u));
        x + self.finish(h, convolved, z)
    }

    /// The state before the first token of `batch` sequences.
    #[must_use]
    pub fn start(&self, batch: usize, device: &Device) -> MlstmState {
        let (heads, width) = (self.heads, self.head_dim());
        let like = self.learnable_skip.val();
        MlstmState {
            past: self.conv1d.start(batch, device),
            memory: empty_state([batch, heads, width, width + 1], &like, device),
            m: empty_state([batch, heads], &like, device) + NOTHING_YET,
        }
    }

    /// At least one token, and the state after them; equal to [`forward`](Self::forward) on the whole
    /// sequence.
    ///
    /// # Shapes
    /// - x, output: `[B, T, D]`
    ///
    /// # Panics
    /// If the tokens do not fit the state.
    #[must_use]
    pub fn steps(&self, x: Tensor<3>, state: MlstmState) -> (Tensor<3>, MlstmState) {
        self.go_on(x, state, Self::cell_from)
    }

    /// [`steps`](Self::steps) of one token.
    ///
    /// # Shapes
    /// - x, output: `[B, D]`
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn step(&self, x: Tensor<2>, state: MlstmState) -> (Tensor<2>, MlstmState) {
        let (y, state) = self.go_on(x.unsqueeze_dim(1), state, Self::cell_step);
        (y.squeeze_dim(1), state)
    }

    fn go_on(
        &self,
        x: Tensor<3>,
        state: MlstmState,
        cell: impl Fn(&Self, CellInput, Tensor<4>, Tensor<2>) -> (Tensor<4>, Tensor<4>, Tensor<2>),
    ) -> (Tensor<3>, MlstmState) {
        let ([batch, ..], heads, width) = (x.dims(), self.heads, self.head_dim());
        assert_state(&state.memory, [batch, heads, width, width + 1]);
        let [u, z] = self.halves(x.clone());
        let (convolved, past) = self.conv1d.steps(u.clone(), state.past);
        let convolved = silu(convolved);
        let given = self.cell_input(convolved.clone(), u);
        let (h, memory, m) = cell(self, given, state.memory, state.m);
        let y = x + self.finish(h, convolved, z);
        (y, MlstmState { past, memory, m })
    }
}
