//! Scalars as memory, with gates that read the last output.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::ModuleConfig;
use forge_nn::activation::silu;
use forge_nn::carried;
use forge_nn::convolution::CausalConv1d;
use forge_nn::ops::{Axes, parts, slstm, slstm_start};
use forge_nn::parameters::drawn;

use super::SlstmConfig;
use super::feed_forward::FeedForward;
use super::headwise_linear::HeadwiseLinear;
use super::offset_norm::{OffsetNorm, unweighted_heads};
use crate::tabular::token::assert_state;

/// `x + sLSTM(norm(x))`, then `x + ffn(norm(x))` where there is a feed-forward part.
///
/// The recurrence is that of [`forge_nn::ops::slstm`]. Input and forget gates read convolved tokens, the
/// cell's input and the output gate the tokens themselves.
#[derive(Module, Debug)]
pub struct SlstmBlock {
    norm: OffsetNorm,
    conv1d: Option<CausalConv1d>,
    input_gate: HeadwiseLinear,
    forget_gate: HeadwiseLinear,
    cell_input: HeadwiseLinear,
    output_gate: HeadwiseLinear,
    /// `[4 D]`: gates i, f, z, o, in each the heads one after the other.
    bias: Param<Tensor<1>>,
    /// `[H, 4 D/H, D/H]`, the output first; from zeros.
    recurrent: Param<Tensor<3>>,
    group_norm: Option<OffsetNorm>,
    ffn_norm: Option<OffsetNorm>,
    ffn: Option<FeedForward>,
    width: usize,
    heads: usize,
}

/// What an [`SlstmBlock`] remembers: its size does not depend on how many tokens were seen.
#[derive(Debug, Clone)]
pub struct SlstmState {
    /// The last inputs of the convolution; none where there is none or it sees one token alone.
    past: Option<Tensor<3>>,
    /// Output, cell, normaliser and stabiliser, `[B, H, 4, D/H]`.
    rows: Tensor<4>,
}

carried!(SlstmState { past, rows });

/// What the recurrence gives behind the outputs: cell, normaliser and stabiliser.
const AFTER: usize = 3;

/// Where the biases of block `index` of `blocks` start: forget gates from 5 down to -7 over the
/// channels of a head, the later the block the later they fall; the others at 0.
fn first_biases(d: usize, heads: usize, [index, blocks]: [usize; 2]) -> Vec<f32> {
    let each = d / heads;
    let depth = index as f64 / (blocks.max(2) - 1) as f64;
    let forget = (0..d).map(|k| {
        let place = (k % each) as f64 / (each.max(2) - 1) as f64;
        (5.0 - 12.0 * place.powf(0.3 + 1.3 * depth)) as f32
    });
    let zeros = |n| std::iter::repeat_n(0.0, n);
    zeros(d).chain(forget).chain(zeros(2 * d)).collect()
}

impl SlstmBlock {
    /// Block `index` of `blocks`.
    pub(super) fn new(
        config: &SlstmConfig,
        d: usize,
        [index, blocks]: [usize; 2],
        device: &Device,
    ) -> Self {
        let heads = config.num_heads;
        let gate = || HeadwiseLinear::new(d, heads, false, d, device);
        let feedforward = config.feedforward.as_ref();
        Self {
            norm: OffsetNorm::new(d, device),
            conv1d: config.convolution(d).map(|conv| conv.build(device)),
            input_gate: gate(),
            forget_gate: gate(),
            cell_input: gate(),
            output_gate: gate(),
            bias: drawn([4 * d], device, move |device| {
                let biases = first_biases(d, heads, [index, blocks]);
                Tensor::from_data(biases.as_slice(), device)
            }),
            recurrent: Initializer::Zeros.init([heads, 4 * d / heads, d / heads], device),
            group_norm: config.group_norm_weight.then(|| OffsetNorm::new(d, device)),
            ffn_norm: feedforward.map(|_| OffsetNorm::new(d, device)),
            ffn: feedforward.map(|part| FeedForward::new(part, d, blocks, device)),
            width: d,
            heads,
        }
    }

    /// The gates of tokens before the recurrence, `[H, B, T, 4 D/H]`.
    fn gates(&self, convolved: Tensor<3>, x: Tensor<3>) -> Tensor<4> {
        let [batch, time, _] = x.dims();
        let each = self.width / self.heads;
        let gates = vec![
            self.input_gate.forward_apart(convolved.clone()),
            self.forget_gate.forward_apart(convolved),
            self.cell_input.forward_apart(x.clone()),
            self.output_gate.forward_apart(x),
        ];
        let gates = Tensor::cat(gates, 2).reshape([self.heads, batch, time, 4 * each]);
        let bias = self.bias.val().reshape([4, self.heads, each]);
        gates + bias.swapped(0, 1).reshape([self.heads, 1, 1, 4 * each])
    }

    /// The recurrent weights as the recurrence reads them, the input first.
    fn recurrent(&self) -> Tensor<3> {
        self.recurrent.val().swapped(1, 2)
    }

    /// Norm of the heads' outputs `[H, B, T, D/H]`, residual and feed-forward part.
    fn finish(&self, h: Tensor<4>, x: Tensor<3>) -> Tensor<3> {
        let h = h.permuted([1, 2, 0, 3]);
        let x = x + match &self.group_norm {
            Some(norm) => norm.forward_heads(h),
            None => unweighted_heads(h),
        };
        match (&self.ffn_norm, &self.ffn) {
            (Some(norm), Some(ffn)) => x.clone() + ffn.forward(norm.forward(x)),
            _ => x,
        }
    }

    /// # Shapes
    /// - x, output: `[B, T, D]`
    #[must_use]
    pub fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        let [batch, time, _] = x.dims();
        let normal = self.norm.forward(x.clone());
        let convolved = match &self.conv1d {
            Some(conv) => silu(conv.forward(normal.clone())),
            None => normal.clone(),
        };
        let start = self.start_rows(batch, &x.device());
        let [h, _] = parts(
            slstm(self.gates(convolved, normal), self.recurrent(), start),
            2,
            [time, AFTER],
        );
        self.finish(h, x)
    }

    /// The state before the first token of `batch` sequences.
    #[must_use]
    pub fn start(&self, batch: usize, device: &Device) -> SlstmState {
        let conv = self.conv1d.as_ref();
        SlstmState {
            past: conv.and_then(|conv| conv.start(batch, device)),
            rows: self.start_rows(batch, device).swapped(0, 1),
        }
    }

    /// `[H, B, 4, D/H]`, as the recurrence reads it.
    fn start_rows(&self, batch: usize, device: &Device) -> Tensor<4> {
        let options = (device, self.bias.val().dtype());
        slstm_start(self.heads, batch, self.width / self.heads, options)
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
    pub fn steps(&self, x: Tensor<3>, state: SlstmState) -> (Tensor<3>, SlstmState) {
        let ([batch, time, _], each) = (x.dims(), self.width / self.heads);
        assert_state(&state.rows, [batch, self.heads, 4, each]);
        let normal = self.norm.forward(x.clone());
        let (convolved, past) = match &self.conv1d {
            Some(conv) => {
                let (y, past) = conv.steps(normal.clone(), state.past);
                (silu(y), past)
            }
            None => (normal.clone(), None),
        };
        let rows = state.rows.swapped(0, 1);
        let all = slstm(self.gates(convolved, normal), self.recurrent(), rows);
        let rows = all.clone().narrow(2, time - 1, 1 + AFTER).swapped(0, 1);
        let y = self.finish(all.narrow(2, 0, time), x);
        (y, SlstmState { past, rows })
    }

    /// [`steps`](Self::steps) of one token.
    ///
    /// # Shapes
    /// - x, output: `[B, D]`
    ///
    /// # Panics
    /// As there.
    #[must_use]
    pub fn step(&self, x: Tensor<2>, state: SlstmState) -> (Tensor<2>, SlstmState) {
        let (y, state) = self.steps(x.unsqueeze_dim(1), state);
        (y.squeeze_dim(1), state)
    }
}
