//! The stack of blocks.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};
use forge_nn::carried;
use forge_nn::recomputed;

use super::offset_norm::OffsetNorm;
use super::{MlstmBlock, MlstmState, SlstmBlock, SlstmState, XlstmBackboneConfig};
use crate::tabular::token::through;
use crate::tabular::{Backbone, CarriesState, over_valid};

/// A block of either kind.
#[derive(Module, Debug)]
#[allow(clippy::large_enum_variant)]
pub enum XlstmBlock {
    /// A matrix as memory.
    Mlstm(MlstmBlock),
    /// Scalars as memory.
    Slstm(SlstmBlock),
}

/// What a block remembers.
#[derive(Debug, Clone)]
#[allow(clippy::large_enum_variant)]
pub enum XlstmState {
    /// Of an mLSTM block.
    Mlstm(MlstmState),
    /// Of an sLSTM block.
    Slstm(SlstmState),
}

carried!(
    enum XlstmState {
        Mlstm = "mlstm",
        Slstm = "slstm",
    }
);

/// mLSTM and sLSTM blocks, and a norm behind them where the config says so.
#[derive(Module, Debug)]
pub struct XlstmBackbone {
    blocks: Vec<XlstmBlock>,
    post_blocks_norm: Option<OffsetNorm>,
}

impl XlstmBackbone {
    pub(super) fn new(config: &XlstmBackboneConfig, device: &Device) -> Self {
        let (d, n) = (config.embedding_dim, config.num_blocks);
        let block = |i| match config.slstm_at.contains(&i) {
            true => XlstmBlock::Slstm(SlstmBlock::new(&config.slstm, d, [i, n], device)),
            false => XlstmBlock::Mlstm(MlstmBlock::new(&config.mlstm, d, config.bias, n, device)),
        };
        Self {
            blocks: (0..n).map(block).collect(),
            post_blocks_norm: config
                .add_post_blocks_norm
                .then(|| OffsetNorm::new(d, device)),
        }
    }
}

impl XlstmBackbone {
    fn finish<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        match &self.post_blocks_norm {
            Some(norm) => norm.forward(x),
            None => x,
        }
    }
}

impl XlstmBlock {
    fn go_on<X>(
        &self,
        x: X,
        state: XlstmState,
        mlstm: impl FnOnce(&MlstmBlock, X, MlstmState) -> (X, MlstmState),
        slstm: impl FnOnce(&SlstmBlock, X, SlstmState) -> (X, SlstmState),
    ) -> (X, XlstmState) {
        match (self, state) {
            (Self::Mlstm(block), XlstmState::Mlstm(state)) => {
                let (y, state) = mlstm(block, x, state);
                (y, XlstmState::Mlstm(state))
            }
            (Self::Slstm(block), XlstmState::Slstm(state)) => {
                let (y, state) = slstm(block, x, state);
                (y, XlstmState::Slstm(state))
            }
            _ => panic!("the state of a block is that of the other kind of block"),
        }
    }
}

impl Backbone for XlstmBackbone {
    const CAUSAL: bool = true;
    const ATTENTION_MAPS: bool = false;

    fn forward(&self, tokens: Tensor<3>, valid: Option<Tensor<2, Bool>>) -> Tensor<3> {
        over_valid(tokens, valid, |tokens| {
            let x = self.blocks.iter().fold(tokens, |x, block| {
                recomputed(block, x, |block, x| match block {
                    XlstmBlock::Mlstm(block) => block.forward(x),
                    XlstmBlock::Slstm(block) => block.forward(x),
                })
            });
            self.finish(x)
        })
    }
}

impl CarriesState for XlstmBackbone {
    type State = Vec<XlstmState>;

    fn start(&self, batch: usize, device: &Device) -> Vec<XlstmState> {
        let blocks = self.blocks.iter();
        let start = |block: &XlstmBlock| match block {
            XlstmBlock::Mlstm(block) => XlstmState::Mlstm(block.start(batch, device)),
            XlstmBlock::Slstm(block) => XlstmState::Slstm(block.start(batch, device)),
        };
        blocks.map(start).collect()
    }

    fn step(&self, token: Tensor<2>, state: Vec<XlstmState>) -> (Tensor<2>, Vec<XlstmState>) {
        let (y, next) = through(&self.blocks, state, token, |block, x, state| {
            block.go_on(x, state, MlstmBlock::step, SlstmBlock::step)
        });
        (self.finish(y), next)
    }

    fn some_steps(
        &self,
        tokens: Tensor<3>,
        state: Vec<XlstmState>,
    ) -> (Tensor<3>, Vec<XlstmState>) {
        let (y, next) = through(&self.blocks, state, tokens, |block, x, state| {
            block.go_on(x, state, MlstmBlock::steps, SlstmBlock::steps)
        });
        (self.finish(y), next)
    }
}
