//! Many perceptrons in one.

use burn::module::{Module, Param};
use burn::tensor::{Device, Int, Tensor};
use forge_nn::num_embeddings::NumEmbedder;
use forge_nn::ops::Axes;
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, GroupedLinear, Network, Want};

use super::{TabMActivation, TabMArch, TabMConfig, TabMLayer};
use crate::tabular::beside::beside;
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularRows, TabularSpec};

/// `K` perceptrons over the same input: `x ← Dropout(act(Layer(x)))` per block, then a linear map of
/// each member's own. What they share is for the [architecture](TabMArch) to say.
///
/// Gorishniy, Kotelnikov and Babenko, "TabM: Advancing Tabular Deep Learning with
/// Parameter-Efficient Ensembling" (ICLR 2025, arXiv 2410.24210), as in `tabm` 0.0.3.
#[derive(Module, Debug)]
pub struct TabM {
    pub(super) num_embeddings: Option<NumEmbedder>,
    /// Factors on the input `[K, D]`, of `tabm-mini`.
    pub(super) affine: Option<Param<Tensor<2>>>,
    pub(super) blocks: Vec<TabMLayer>,
    pub(super) dropout: Dropout,
    pub(super) output: GroupedLinear,
    #[module(skip)]
    pub(super) arch: TabMArch,
    #[module(skip)]
    pub(super) activation: TabMActivation,
    pub(super) n_num_features: usize,
    #[module(skip)]
    pub(super) cat_cardinalities: Vec<usize>,
}

impl TabM {
    /// Number of members, `K`.
    #[must_use]
    pub fn n_members(&self) -> usize {
        self.output.n_groups()
    }

    /// Numbers or their embeddings, then every category as a column of zeros and a one.
    fn columns(&self, rows: TabularRows) -> Tensor<2> {
        let numbers = rows.x_num.map(|x| match &self.num_embeddings {
            Some(embedder) => embedder.flat(x),
            None => x,
        });
        let like = match &numbers {
            Some(x) => x.dtype(),
            None => self.output.weight.val().dtype(),
        };
        let codes = rows.x_cat.into_iter().flat_map(|codes| {
            let sizes = self.cat_cardinalities.iter().enumerate();
            sizes.map(move |(j, &size)| one_hot(codes.clone().narrow(1, j, 1), size).cast(like))
        });
        beside(numbers.into_iter().chain(codes).collect())
    }
}

/// # Shapes
/// - codes: `[B, 1]`
/// - output: `[B, size]`
fn one_hot(codes: Tensor<2, Int>, size: usize) -> Tensor<2> {
    let ([rows, _], device): (_, Device) = (codes.dims(), codes.device());
    let each = Tensor::<1, Int>::arange(0..size as i64, &device).unsqueeze::<2>();
    let shape = [rows, size];
    codes.expand(shape).equal(each.expand(shape)).float()
}

impl Network for TabM {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        TabMConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec {
            n_num_features: self.n_num_features,
            cat_cardinalities: self.cat_cardinalities.clone(),
            d_out: self.output.d_output(),
        }
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        if let Err(error) = input.check(self.name(), &self.spec(), self.capabilities()) {
            panic!("{error}");
        }
        let x = self.columns(input.rows);
        let (members, [rows, width]) = (self.n_members(), x.dims());
        let apart = self.arch == TabMArch::Packed;
        let x = match &self.affine {
            Some(affine) => x.unsqueeze_dim::<3>(1) * affine.val().unsqueeze(),
            None if apart => x.unsqueeze::<3>().expand([members, rows, width]),
            // The first layer's factors tell members apart.
            None => x.unsqueeze_dim::<3>(1),
        };
        let x = self.blocks.iter().fold(x, |x, block| {
            self.dropout.forward(block.forward(x, self.activation))
        });
        Forward::of_members(match apart {
            true => self.output.forward_apart(x).swapped(0, 1),
            false => self.output.forward(x),
        })
    }
}

impl TabularModel for TabM {
    fn capabilities(&self) -> Capabilities {
        TabMConfig::CAPABILITIES
    }
}
