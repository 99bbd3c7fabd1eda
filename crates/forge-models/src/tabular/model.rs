//! What every model of the registry can do: what each of them does.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, Forward, Network, Want};

use super::Model;
use crate::{Capabilities, Context, Labels, TabularInput, TabularModel, TabularRows, TabularSpec};

impl Network for Model {
    type Input = TabularInput;
    type Spec = TabularSpec;

    fn name(&self) -> &'static str {
        each_model!(self, model => model.name())
    }

    fn spec(&self) -> TabularSpec {
        each_model!(self, model => model.spec())
    }

    fn run(&self, input: TabularInput, want: Want) -> Forward {
        each_model!(self, model => model.run(input, want))
    }
}

impl TabularModel for Model {
    fn capabilities(&self) -> Capabilities {
        each_model!(self, model => model.capabilities())
    }

    fn admits(&self, input: &TabularInput) -> Result<(), ForgeError> {
        each_model!(self, model => model.admits(input))
    }

    fn labels(&self) -> Option<Labels> {
        each_model!(self, model => model.labels())
    }

    fn run_narrow(&self, input: TabularInput, want: Want) -> Result<Forward, ForgeError> {
        each_model!(self, model => model.run_narrow(input, want))
    }

    fn for_table(self, table: &TabularSpec, labels: Labels) -> Result<Self, ForgeError> {
        each_model!(self, model, wrap => model.for_table(table, labels).map(wrap))
    }

    fn encode_context(&self, context: Context) -> Context {
        each_model!(self, model => model.encode_context(context))
    }

    fn start_from(self, rows: TabularRows, target: Option<Tensor<2>>) -> Result<Self, ForgeError> {
        each_model!(self, model, wrap => model.start_from(rows, target).map(wrap))
    }
}
