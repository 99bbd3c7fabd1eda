//! What every forecasting model can do: what each of them does.

use forge_nn::{Forward, Network, Want};

use super::SeriesModel;
use super::{ForecastCapabilities, ForecastModel, SeriesInput, SeriesSpec};

impl Network for SeriesModel {
    type Input = SeriesInput;
    type Spec = SeriesSpec;

    fn name(&self) -> &'static str {
        each_model!(self, model => model.name())
    }

    fn spec(&self) -> SeriesSpec {
        each_model!(self, model => model.spec())
    }

    fn run(&self, input: SeriesInput, want: Want) -> Forward {
        each_model!(self, model => model.run(input, want))
    }
}

impl ForecastModel for SeriesModel {
    fn capabilities(&self) -> ForecastCapabilities {
        each_model!(self, model => model.capabilities())
    }
}
