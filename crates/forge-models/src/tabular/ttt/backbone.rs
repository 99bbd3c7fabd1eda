//! The stack of layers.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::activation::{GatedFeedForward, GatedFeedForwardConfig};
use forge_nn::norm::{RmsNorm, RmsNormConfig};
use forge_nn::{ModuleConfig, recomputed};

use super::{InnerModel, TttBackboneConfig, TttMixer, TttState};
use crate::tabular::token::through;
use crate::tabular::{Backbone, CarriesState, TokenMixer, over_valid};

/// `x + TTT(RMSNorm(x))`, then `x + SwiGLU(RMSNorm(x))`.
#[derive(Module, Debug)]
pub struct TttBlock {
    mixer_norm: RmsNorm,
    mixer: TttMixer,
    ffn_norm: RmsNorm,
    ffn: GatedFeedForward,
}

/// [`TttBlock`]s one after the other, without a final norm.
#[derive(Module, Debug)]
pub struct TttBackbone {
    blocks: Vec<TttBlock>,
}

impl TttBackbone {
    pub(super) fn new<I: InnerModel>(config: &TttBackboneConfig<I>, device: &Device) -> Self {
        let d = config.hidden_size;
        let norm = RmsNormConfig::new(d).with_eps(config.rms_norm_eps);
        let ffn = GatedFeedForwardConfig::new(d, config.intermediate_size);
        let block = |_| TttBlock {
            mixer_norm: norm.build(device),
            mixer: TttMixer::new(config, device),
            ffn_norm: norm.build(device),
            ffn: ffn.build(device),
        };
        Self {
            blocks: (0..config.num_hidden_layers).map(block).collect(),
        }
    }
}

impl TttBlock {
    /// What follows the mixer.
    fn finish<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        self.ffn.forward(self.ffn_norm.forward(x.clone())) + x
    }
}

impl Backbone for TttBackbone {
    const CAUSAL: bool = true;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        over_valid(tokens, valid, |tokens| {
            self.blocks.iter().fold(tokens, |x, block| {
                recomputed(block, x, |block, x| {
                    let change = block.mixer.forward(block.mixer_norm.forward(x.clone()));
                    block.finish(change + x)
                })
            })
        })
    }
}

impl CarriesState for TttBackbone {
    type State = Vec<TttState>;

    fn start(&self, batch: usize, device: &Device) -> Vec<TttState> {
        let blocks = self.blocks.iter();
        blocks
            .map(|block| block.mixer.start(batch, device))
            .collect()
    }

    fn step(&self, token: Tensor<2>, state: Vec<TttState>) -> (Tensor<2>, Vec<TttState>) {
        through(&self.blocks, state, token, |block, x, state| {
            let (change, state) = block.mixer.step(block.mixer_norm.forward(x.clone()), state);
            (block.finish(change + x), state)
        })
    }

    fn some_steps(&self, tokens: Tensor<3>, state: Vec<TttState>) -> (Tensor<3>, Vec<TttState>) {
        through(&self.blocks, state, tokens, |block, x, state| {
            let (change, state) = block
                .mixer
                .steps(block.mixer_norm.forward(x.clone()), state);
            (block.finish(change + x), state)
        })
    }
}
