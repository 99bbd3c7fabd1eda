//! One layer without its norm.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Distribution, Tensor};
use forge_nn::activation::{silu, softplus};
use forge_nn::carried;
use forge_nn::convolution::CausalConv1d;
use forge_nn::ops::{Axes, GluKind, gated, parts, rms_norm, ssd, ssd_with_state};
use forge_nn::parameters::drawn;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::Mamba2BackboneConfig;
use crate::tabular::TokenMixer;
use crate::tabular::mamba::first_steps;
use crate::tabular::token::{assert_state, empty_state};

/// The rates of decay start uniform between these.
const FIRST_RATES: [f64; 2] = [1.0, 16.0];

/// The block of figure 6 of the paper: one projection to the gate, the convolved part and the step
/// sizes; SSD; a gated norm; a projection back.
///
/// ```text
/// [z, xBC, δ] = W_in u            [x, B, C] = SiLU(conv(xBC))
/// Δ = clamp(softplus(δ + b))      A = -exp(A_log), one per head
/// y = ssd(Δ x, Δ A, B, C) + D x   output = W_out (RMSNorm(y · SiLU(z)) · w)
/// ```
///
/// The norm is over the channels of each group of heads.
#[derive(Module, Debug)]
pub struct Mamba2Mixer {
    in_proj: Linear,
    conv1d: CausalConv1d,
    dt_bias: Param<Tensor<1>>,
    /// `log(-A)`, `[H]`.
    a_log: Param<Tensor<1>>,
    /// `D`, `[H]`, from ones.
    d: Param<Tensor<1>>,
    /// Scale of the gated norm, `[E]`, from ones.
    norm: Param<Tensor<1>>,
    out_proj: Linear,
    d_inner: usize,
    heads: usize,
    groups: usize,
    states: usize,
    #[module(skip)]
    time_step: [f64; 2],
    epsilon: f64,
}

/// What a [`Mamba2Mixer`] remembers: its size does not depend on how many tokens were seen.
#[derive(Debug, Clone)]
pub struct Mamba2State {
    /// The last inputs of the convolution, `[B, conv_kernel - 1, E + 2 G N]`; none where it sees one
    /// token alone.
    past: Option<Tensor<3>>,
    /// `[B, H, N, P]`.
    hidden: Tensor<4>,
}

carried!(Mamba2State { past, hidden });

/// What SSD reads of tokens, heads and groups before time.
struct SsdInput {
    /// `[B, H, T, P]`.
    x: Tensor<4>,
    /// `[B, H, T]`.
    steps: Tensor<3>,
    log_decay: Tensor<3>,
    /// `[B, G, T, N]`.
    b: Tensor<4>,
    c: Tensor<4>,
}

/// The parts of a projected and convolved token.
struct Parts<const D: usize> {
    x: Tensor<D>,
    b: Tensor<D>,
    c: Tensor<D>,
}

impl Mamba2Mixer {
    pub(super) fn new(config: &Mamba2BackboneConfig, device: &Device) -> Self {
        let (width, inner, heads) = (config.hidden_size, config.d_inner(), config.num_heads());
        let projected = 2 * inner + 2 * config.d_states() + heads;
        let linear = |from, to| {
            let config = LinearConfig::new(from, to).with_bias(config.use_bias);
            config.build(device)
        };
        Self {
            in_proj: linear(width, projected),
            conv1d: config.convolution().build(device),
            dt_bias: first_steps(heads, device),
            a_log: drawn([heads], device, move |device| {
                let [low, high] = FIRST_RATES;
                Tensor::random([heads], Distribution::Uniform(low, high), device).log()
            }),
            d: Initializer::Ones.init([heads], device),
            norm: Initializer::Ones.init([inner], device),
            out_proj: linear(inner, width),
            d_inner: inner,
            heads,
            groups: config.n_groups,
            states: config.state_size,
            time_step: [
                config.time_step_min,
                config.time_step_max.unwrap_or(f64::INFINITY),
            ],
            epsilon: config.layer_norm_epsilon,
        }
    }

    fn head_dim(&self) -> usize {
        self.d_inner / self.heads
    }

    /// Gate, convolved part and raw step sizes.
    fn project<const D: usize>(&self, u: Tensor<D>) -> [Tensor<D>; 3] {
        let sizes = [self.d_inner, self.conv1d.channels(), self.heads];
        parts(self.in_proj.forward(u), D - 1, sizes)
    }

    fn parts<const D: usize>(&self, convolved: Tensor<D>) -> Parts<D> {
        let states = self.groups * self.states;
        let [x, b, c] = parts(silu(convolved), D - 1, [self.d_inner, states, states]);
        Parts { x, b, c }
    }

    fn step_sizes<const D: usize>(&self, raw: Tensor<D>) -> Tensor<D> {
        let steps = softplus(raw + self.dt_bias.val().unsqueeze::<D>());
        match self.time_step {
            [low, high] if low > 0.0 && high.is_finite() => steps.clamp(low, high),
            [low, _] if low > 0.0 => steps.clamp_min(low),
            [_, high] if high.is_finite() => steps.clamp_max(high),
            _ => steps,
        }
    }

    fn ssd_input(&self, convolved: Tensor<3>, raw: Tensor<3>) -> SsdInput {
        let [batch, time, _] = raw.dims();
        let Parts { x, b, c } = self.parts(convolved);
        let by_head = |part: Tensor<3>, heads: usize, width: usize| {
            part.reshape([batch, time, heads, width]).swapped(1, 2)
        };
        let steps = self.step_sizes(raw).swapped(1, 2);
        SsdInput {
            x: by_head(x, self.heads, self.head_dim()),
            log_decay: steps.clone() * self.rates().reshape([1, self.heads, 1]),
            steps,
            b: by_head(b, self.groups, self.states),
            c: by_head(c, self.groups, self.states),
        }
    }

    /// Heads beside each other: `[B, H, T, P]` to `[B, T, E]`.
    fn joined(&self, y: Tensor<4>) -> Tensor<3> {
        let [batch, _, time, _] = y.dims();
        y.swapped(1, 2).reshape([batch, time, self.d_inner])
    }

    fn rates(&self) -> Tensor<1> {
        -self.a_log.val().exp()
    }

    /// Gate, norm and projection of `y`, `[.., E]`.
    fn finish<const D: usize>(&self, y: Tensor<D>, z: Tensor<D>) -> Tensor<D> {
        let gated = gated(y, z, GluKind::Silu);
        let weight = self.norm.val();
        if self.groups == 1 {
            let normal = rms_norm(gated, Some(weight), self.epsilon);
            return self.out_proj.forward(normal);
        }
        let shape = gated.dims();
        let rows = shape[..D - 1].iter().product::<usize>() * self.groups;
        let gated = gated.reshape([rows, self.d_inner / self.groups]);
        let normal = rms_norm(gated, None, self.epsilon).reshape(shape);
        self.out_proj.forward(normal * weight.unsqueeze::<D>())
    }
}

impl TokenMixer for Mamba2Mixer {
    type State = Mamba2State;

    fn forward(&self, u: Tensor<3>) -> Tensor<3> {
        let [z, convolved, raw] = self.project(u);
        let given = self.ssd_input(self.conv1d.forward(convolved), raw);
        let SsdInput {
            x,
            steps,
            log_decay,
            b,
            c,
        } = given;
        let y = ssd(x, steps, log_decay, b, c, Some(self.d.val()));
        self.finish(self.joined(y), z)
    }

    fn steps(&self, u: Tensor<3>, state: Mamba2State) -> (Tensor<3>, Mamba2State) {
        let [batch, ..] = u.dims();
        let of_state = [batch, self.heads, self.states, self.head_dim()];
        assert_state(&state.hidden, of_state);
        let [z, convolved, raw] = self.project(u);
        let (convolved, past) = self.conv1d.steps(convolved, state.past);
        let SsdInput {
            x,
            steps,
            log_decay,
            b,
            c,
        } = self.ssd_input(convolved, raw);
        let skip = Some(self.d.val());
        let (y, hidden) = ssd_with_state(x, steps, log_decay, b, c, skip, state.hidden);
        let y = self.finish(self.joined(y), z);
        (y, Mamba2State { past, hidden })
    }

    fn start(&self, batch: usize, device: &Device) -> Mamba2State {
        let shape = [batch, self.heads, self.states, self.head_dim()];
        Mamba2State {
            past: self.conv1d.start(batch, device),
            hidden: empty_state(shape, &self.d.val(), device),
        }
    }

    fn step(&self, u: Tensor<2>, state: Mamba2State) -> (Tensor<2>, Mamba2State) {
        let [batch, _] = u.dims();
        let (heads, width) = (self.heads, self.head_dim());
        assert_state(&state.hidden, [batch, heads, self.states, width]);
        let [z, convolved, raw] = self.project(u);
        let (convolved, past) = self.conv1d.step(convolved, state.past);
        let Parts { x, b, c } = self.parts(convolved);
        let x = x.reshape([batch, heads, 1, width]);
        // `[B, H, N, 1]`, every head its group's.
        let states = |part: Tensor<2>| {
            let shape = [batch, self.groups, heads / self.groups, self.states];
            let part = part.reshape([batch, self.groups, 1, self.states]);
            part.expand(shape).reshape([batch, heads, self.states, 1])
        };
        let steps = self.step_sizes(raw).reshape([batch, heads, 1, 1]);
        let decay = (steps.clone() * self.rates().reshape([1, heads, 1, 1])).exp();
        let hidden = state.hidden * decay + states(b) * (x.clone() * steps);
        let y = (hidden.clone() * states(c)).sum_dim(2);
        let y = y + x * self.d.val().reshape([1, heads, 1, 1]);
        let y = self.finish(y.reshape([batch, self.d_inner]), z);
        (y, Mamba2State { past, hidden })
    }
}
