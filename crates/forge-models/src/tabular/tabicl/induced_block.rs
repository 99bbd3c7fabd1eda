//! Attention over rows by way of a few vectors.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};

use super::block::BlockSize;
use super::{SoftmaxScaling, TabIclBlock};

/// Spread of learnt tokens at the start.
pub(super) const TOKEN_STD: f64 = 0.02;

/// Learnt vectors look at the labelled rows, then all rows look at what the vectors found: linear in
/// the number of rows.
///
/// Lee et al. 2019, "Set Transformer", arXiv 1810.00825, equation 9. Softmax is scaled in the first
/// of the two attentions alone, whose number of keys varies.
#[derive(Module, Debug)]
pub struct InducedBlock {
    /// `[I, D]`.
    inducing: Param<Tensor<2>>,
    gather: TabIclBlock,
    spread: TabIclBlock,
}

/// The second attention's, over as many keys as there are inducing vectors.
fn plain(size: &BlockSize) -> BlockSize {
    BlockSize {
        scaling: SoftmaxScaling::Plain,
        ..size.clone()
    }
}

impl InducedBlock {
    pub(super) fn new(size: &BlockSize, inducing: usize, device: &Device) -> Self {
        let start = Initializer::Normal {
            mean: 0.0,
            std: TOKEN_STD,
        };
        Self {
            inducing: start.init([inducing, size.width], device),
            gather: TabIclBlock::new(size, device),
            spread: TabIclBlock::new(&plain(size), device),
        }
    }

    pub(super) fn parameter_count(size: &BlockSize, inducing: usize) -> usize {
        inducing * size.width + size.parameter_count() + plain(size).parameter_count()
    }

    /// # Shapes
    /// - x, output: `[G, N, D]`, of which the first `labelled` rows are looked at
    pub(super) fn forward(&self, x: Tensor<3>, labelled: usize) -> Tensor<3> {
        let [groups, _, width] = x.dims();
        let inducing = self.inducing.val();
        let count = inducing.dims()[0];
        let inducing = inducing.unsqueeze::<3>().expand([groups, count, width]);
        let found = self
            .gather
            .cross(inducing, x.clone().narrow(1, 0, labelled));
        self.spread.cross(x, found)
    }
}
