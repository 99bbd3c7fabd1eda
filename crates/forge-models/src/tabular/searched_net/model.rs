//! The network of a genotype, for rows.

use burn::module::Module;
use forge_nn::regularisation::Dropout;
use forge_nn::{Forward, Linear, Network, Want};

use super::{CellStack, SearchedNetConfig};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// Cells and a linear map of the last one's nodes.
#[derive(Module, Debug)]
pub struct SearchedNet {
    pub(super) stack: CellStack,
    pub(super) dropout: Dropout,
    pub(super) output: Linear,
}

impl Network for SearchedNet {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        SearchedNetConfig::NAME
    }

    fn spec(&self) -> TabularSpec {
        TabularSpec::of_numbers(self.stack.stems[0].d_input(), self.output.d_output())
    }

    fn run(&self, input: TabularInput, _: Want) -> Forward {
        let x = input.only_numeric(self.name(), &self.spec());
        // A row is a sequence of one token.
        let nodes = self.stack.forward(x.unsqueeze_dim::<3>(1), None);
        let nodes = self.dropout.forward(nodes.squeeze_dim::<2>(1));
        self.output.forward(nodes).into()
    }
}

impl TabularModel for SearchedNet {
    fn capabilities(&self) -> Capabilities {
        SearchedNetConfig::CAPABILITIES
    }
}
