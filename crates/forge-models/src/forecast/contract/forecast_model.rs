//! A forecasting model.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, Forward, Network, Want};

use super::{ForecastCapabilities, SeriesInput, SeriesSpec};

/// A model from the past of series to their future.
///
/// Its `y` is `[B, H·N·W]`: step by step, in each step target by target, in each target its
/// outputs. An objective of `H·N` slots of `W` outputs reads it as it is.
pub trait ForecastModel: Network<Input = SeriesInput, Spec = SeriesSpec> {
    /// What it supports.
    fn capabilities(&self) -> ForecastCapabilities;

    /// [`run`](Network::run) for input from outside: checks everything, codes included.
    ///
    /// # Errors
    /// What [`SeriesInput::check`] and [`SeriesInput::check_codes`] find; an unsupported error for
    /// maps that the model does not declare.
    fn try_run(&self, input: SeriesInput, want: Want) -> Result<Forward, ForgeError> {
        let (spec, capabilities) = (self.spec(), self.capabilities());
        input.check(self.name(), &spec, capabilities)?;
        input.check_codes(&spec)?;
        let lacks = |what| Err(ForgeError::unsupported(format!("{} {what}", self.name())));
        if want.attention && !capabilities.attention_maps {
            return lacks("has no attention maps to return");
        }
        if want.features && !capabilities.feature_masks {
            return lacks("has no weights of variables to return");
        }
        Ok(self.run(input, want))
    }

    /// [`try_run`](Self::try_run), the forecasts alone.
    ///
    /// # Shapes
    /// - output: `[B, H, N, W]`
    ///
    /// # Errors
    /// As [`try_run`](Self::try_run).
    fn try_forecast(&self, input: SeriesInput) -> Result<Tensor<4>, ForgeError> {
        let spec = self.spec();
        let y = self.try_run(input, Want::PREDICTIONS)?.y;
        let [batch, _] = y.dims();
        Ok(y.reshape([batch, spec.horizon, spec.n_targets, spec.n_outputs]))
    }
}
