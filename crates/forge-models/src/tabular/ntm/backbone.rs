//! The machine.

use burn::module::{Module, Param};
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::Linear;
use forge_nn::ops::split;
use forge_nn::recurrent::{Lstm, LstmState};

use super::state::HeadState;
use super::{NtmReadHead, NtmState, NtmWriteHead};
use crate::tabular::{Backbone, CarriesState, over_valid};

/// A controller with a memory that it reads and writes by content and by place, over tokens
/// `[B, T, D]`, one after the other.
///
/// ```
/// use forge_models::{CarriesState, NtmConfig};
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// let device = Device::flex();
/// let machine = NtmConfig { d_model: 3, ..NtmConfig::default() }.try_init(&device)?;
/// let state = machine.start(2, &device);
/// let (y, state) = machine.step(Tensor::ones([2, 3], &device), state);
/// assert_eq!(y.dims(), [2, 3]);
/// let [read, _] = state.addresses()[0];
/// assert_eq!(read.weights.dims(), [2, 128]);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Module, Debug)]
pub struct NtmBackbone {
    pub(super) controller: Lstm,
    pub(super) pairs: Vec<HeadPair>,
    pub(super) output: Linear,
    /// `[N, M]`: what stands in the memory before the first token.
    pub(super) memory: Param<Tensor<2>>,
    /// `[H, M]`: what was read before the first token.
    pub(super) reads: Param<Tensor<2>>,
    /// `[D_controller]`.
    pub(super) hidden: Param<Tensor<1>>,
    /// `[D_controller]`.
    pub(super) cell: Param<Tensor<1>>,
}

/// A head that reads, and one that writes after it.
#[derive(Module, Debug)]
pub(super) struct HeadPair {
    pub(super) read: NtmReadHead,
    pub(super) write: NtmWriteHead,
}

impl Backbone for NtmBackbone {
    const CAUSAL: bool = true;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        over_valid(tokens, valid, |tokens| {
            let [batch, time, width] = tokens.dims();
            if tokens.shape().num_elements() == 0 {
                return tokens;
            }
            let mut state = self.start(batch, &tokens.device());
            let mut outputs = Vec::with_capacity(time);
            for token in split(tokens, 1, 1) {
                let (y, next) = self.step(token.reshape([batch, width]), state);
                state = next;
                outputs.push(y);
            }
            Tensor::stack(outputs, 1)
        })
    }
}

impl CarriesState for NtmBackbone {
    type State = NtmState;

    fn start(&self, batch: usize, _device: &Device) -> NtmState {
        let memory = self.memory.val();
        let [slots, size] = memory.dims();
        let nowhere = Tensor::zeros([batch, slots], (&memory.device(), memory.dtype()));
        let rows = |vector: &Param<Tensor<1>>| {
            let vector = vector.val();
            let width = vector.dims()[0];
            vector.unsqueeze::<2>().expand([batch, width])
        };
        let head = |i| HeadState {
            read: self.reads.val().narrow(0, i, 1).expand([batch, size]),
            read_weights: nowhere.clone(),
            write_weights: nowhere.clone(),
            last: None,
        };
        NtmState {
            controller: LstmState {
                hidden: rows(&self.hidden),
                cell: rows(&self.cell),
            },
            heads: (0..self.pairs.len()).map(head).collect(),
            memory: memory.unsqueeze::<3>().expand([batch, slots, size]),
        }
    }

    fn step(&self, token: Tensor<2>, state: NtmState) -> (Tensor<2>, NtmState) {
        let (given, kept) = (token.dims(), state.memory.dims());
        let (width, [slots, size]) = (self.output.d_output(), self.memory.val().dims());
        assert!(
            given == [kept[0], width] && kept[1..] == [slots, size],
            "a token [B, D] = {given:?} with a state whose memory is [B, N, M] = {kept:?}, in a machine of \
             D = {width}, N = {slots}, M = {size}"
        );
        let mut input = vec![token];
        input.extend(state.heads.iter().map(|head| head.read.clone()));
        let controller = self
            .controller
            .step(Tensor::cat(input, 1), state.controller);
        let mut output = vec![controller.hidden.clone()];
        let mut memory = state.memory;
        let mut heads = Vec::with_capacity(self.pairs.len());
        for (pair, before) in self.pairs.iter().zip(state.heads) {
            let hidden = controller.hidden.clone();
            let (read, read_at) = pair
                .read
                .forward(hidden.clone(), &memory, before.read_weights);
            let written = pair.write.forward(hidden, memory, before.write_weights);
            memory = written.memory;
            output.push(read.clone());
            heads.push(HeadState {
                read,
                read_weights: read_at.weights.clone(),
                write_weights: written.addresses.weights.clone(),
                last: Some([read_at, written.addresses]),
            });
        }
        let y = self.output.forward(Tensor::cat(output, 1));
        let state = NtmState {
            controller,
            memory,
            heads,
        };
        (y, state)
    }
}
