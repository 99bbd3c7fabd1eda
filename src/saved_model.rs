//! A model file, whatever it holds.

use std::path::Path;

use burn::tensor::Device;
use forge_nn::format_name;

use crate::forecast::{self, FittedForecaster};
use crate::{Error, FittedModel};

/// What a model file holds, for tools that take any.
///
/// ```no_run
/// use volatilityforge::{DeviceName, SavedModel, read_table};
///
/// let device = DeviceName::Flex.open()?;
/// let said = match SavedModel::load("model.safetensors", &device)? {
///     SavedModel::Rows(model) => format!("{:?}", model.task()),
///     SavedModel::Series(forecaster) => format!("{:?}", forecaster.window_config().horizon),
/// };
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone)]
pub enum SavedModel {
    /// A model of table rows.
    Rows(Box<FittedModel>),
    /// A forecaster of series.
    Series(Box<FittedForecaster>),
}

impl SavedModel {
    /// Reads the file, to `device`.
    ///
    /// # Errors
    /// As [`FittedModel::load`] and [`FittedForecaster::load`].
    pub fn load(path: impl AsRef<Path>, device: &Device) -> Result<Self, Error> {
        let path = path.as_ref();
        Ok(if format_name(path)? == forecast::artifact::FORMAT.name {
            Self::Series(Box::new(FittedForecaster::load(path, device)?))
        } else {
            Self::Rows(Box::new(FittedModel::load(path, device)?))
        })
    }
}
