//! One layer without its norm.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};
use forge_nn::activation::{silu, softplus};
use forge_nn::carried;
use forge_nn::convolution::CausalConv1d;
use forge_nn::ops::{GluKind, gated, parts, selective_scan, selective_scan_with_state};
use forge_nn::parameters::drawn;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use super::MambaBackboneConfig;
use super::first_steps::first_steps;
use crate::tabular::TokenMixer;
use crate::tabular::token::{assert_state, empty_state};

/// The block of figure 3 of the paper: project to channels and a gate, convolve, scan, gate, project
/// back.
///
/// ```text
/// [x, z] = W_in u                 x ← SiLU(conv(x))
/// [δ, B, C] = W_x x               Δ = softplus(W_Δ δ + b_Δ)      A = -exp(A_log)
/// y = scan(x, Δ, A, B, C) + D x   output = W_out (y · SiLU(z))
/// ```
#[derive(Module, Debug)]
pub struct MambaMixer {
    in_proj: Linear,
    conv1d: CausalConv1d,
    x_proj: Linear,
    dt_proj: Linear,
    /// `log(-A)`, `[E, N]`, from the logarithms of 1 to N.
    a_log: Param<Tensor<2>>,
    /// `D`, `[E]`, from ones.
    d: Param<Tensor<1>>,
    out_proj: Linear,
    d_inner: usize,
    d_state: usize,
    rank: usize,
}

/// What a [`MambaMixer`] remembers: its size does not depend on how many tokens were seen.
#[derive(Debug, Clone)]
pub struct MambaState {
    /// The last inputs of the convolution, `[B, d_conv - 1, E]`; none where it sees one token alone.
    past: Option<Tensor<3>>,
    /// `[B, E, N]`.
    hidden: Tensor<3>,
}

carried!(MambaState { past, hidden });

impl MambaMixer {
    pub(super) fn new(config: &MambaBackboneConfig, device: &Device) -> Self {
        let (width, inner) = (config.d_model, config.d_inner());
        let (states, rank) = (config.d_state, config.rank());
        let linear = |from, to, bias| LinearConfig::new(from, to).with_bias(bias).build(device);
        let bound = (rank as f64).powf(-0.5);
        let uniform = Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        let dt_proj = LinearConfig::new(rank, inner).with_initializer(uniform);
        let mut dt_proj = dt_proj.build(device);
        dt_proj.bias = Some(first_steps(inner, device));
        Self {
            in_proj: linear(width, 2 * inner, config.bias),
            conv1d: config.convolution().build(device),
            x_proj: linear(inner, rank + 2 * states, false),
            dt_proj,
            a_log: drawn([inner, states], device, move |device| {
                let rates = Tensor::<1, Int>::arange(1..states as i64 + 1, device);
                rates.float().log().unsqueeze::<2>().repeat_dim(0, inner)
            }),
            d: Initializer::Ones.init([inner], device),
            out_proj: linear(inner, width, config.bias),
            d_inner: inner,
            d_state: states,
            rank,
        }
    }

    /// Step sizes, inputs to the states and outputs from them, of convolved channels.
    fn selection<const D: usize>(&self, x: Tensor<D>) -> [Tensor<D>; 3] {
        let sizes = [self.rank, self.d_state, self.d_state];
        let [rank, b, c] = parts(self.x_proj.forward(x), D - 1, sizes);
        [softplus(self.dt_proj.forward(rank)), b, c]
    }

    fn rates(&self) -> Tensor<2> {
        -self.a_log.val().exp()
    }

    fn halves<const D: usize>(&self, x: Tensor<D>) -> [Tensor<D>; 2] {
        parts(self.in_proj.forward(x), D - 1, [self.d_inner; 2])
    }

    /// Skip, gate and projection of the scan's outputs.
    fn finish<const D: usize>(&self, y: Tensor<D>, x: Tensor<D>, z: Tensor<D>) -> Tensor<D> {
        let y = y + x * self.d.val().unsqueeze::<D>();
        self.out_proj.forward(gated(y, z, GluKind::Silu))
    }
}

impl TokenMixer for MambaMixer {
    type State = MambaState;

    fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [x, z] = self.halves(x);
        let x = silu(self.conv1d.forward(x));
        let [step, b, c] = self.selection(x.clone());
        let y = selective_scan(x.clone(), step, self.rates(), b, c, None);
        self.finish(y, x, z)
    }

    fn start(&self, batch: usize, device: &Device) -> MambaState {
        let shape = [batch, self.d_inner, self.d_state];
        MambaState {
            past: self.conv1d.start(batch, device),
            hidden: empty_state(shape, &self.d.val(), device),
        }
    }

    fn step(&self, x: Tensor<2>, state: MambaState) -> (Tensor<2>, MambaState) {
        let [batch, _] = x.dims();
        assert_state(&state.hidden, [batch, self.d_inner, self.d_state]);
        let [x, z] = self.halves(x);
        let (x, past) = self.conv1d.step(x, state.past);
        let x = silu(x);
        let [step, b, c] = self.selection(x.clone());
        let input = (step.clone() * x.clone()).unsqueeze_dim::<3>(2);
        let decay = (step.unsqueeze_dim::<3>(2) * self.rates().unsqueeze::<3>()).exp();
        let hidden = decay * state.hidden + input * b.unsqueeze_dim::<3>(1);
        let y = (hidden.clone() * c.unsqueeze_dim::<3>(1)).sum_dim(2);
        let y = self.finish(y.squeeze_dim::<2>(2), x, z);
        (y, MambaState { past, hidden })
    }

    fn steps(&self, x: Tensor<3>, state: MambaState) -> (Tensor<3>, MambaState) {
        let [batch, ..] = x.dims();
        assert_state(&state.hidden, [batch, self.d_inner, self.d_state]);
        let [x, z] = self.halves(x);
        let (x, past) = self.conv1d.steps(x, state.past);
        let x = silu(x);
        let [step, b, c] = self.selection(x.clone());
        let (rates, hidden) = (self.rates(), Some(state.hidden));
        let (y, hidden) = selective_scan_with_state(x.clone(), step, rates, b, c, hidden);
        (self.finish(y, x, z), MambaState { past, hidden })
    }
}
