//! What the checks that all families of models share need of a config.

use std::fmt::Debug;

use forge_models::{ModelConfig, Strategy, TabularInput};
use forge_nn::burn::tensor::Device;
use forge_nn::{ForgeError, ModuleConfig, Network};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::table::{input, take, with_gaps};

/// One batch of what a model of a config of this type takes.
pub type Given<S> = <<S as ModuleConfig>::Module as Network>::Input;

/// The config of any model of a family.
pub trait Subject:
    ModuleConfig<Module: Network> + Clone + Debug + PartialEq + Serialize + DeserializeOwned
{
    /// The model's name in its registry.
    fn model(&self) -> &'static str;

    /// The config in a JSON text, as its registry reads it.
    ///
    /// # Errors
    /// As the registry.
    fn read(json: &str) -> Result<Self, ForgeError>;

    /// Width of the output.
    fn d_out(&self) -> usize;

    /// Number of parameters by arithmetic.
    ///
    /// # Errors
    /// What validation finds.
    fn counted(&self) -> Result<usize, ForgeError>;

    /// The largest preset of this model, sized as this is.
    ///
    /// # Errors
    /// If it cannot be.
    fn largest(&self) -> Result<Self, ForgeError>;

    /// The rate that the model's smallest preset learns with.
    fn rate(&self) -> Option<f64>;

    /// `n` samples that fit it, the same for the same seed.
    fn given(&self, n: usize, seed: u64, device: &Device) -> Given<Self>;

    /// The same with something missing in every sample, where the model takes that.
    fn with_gaps(&self, given: Given<Self>) -> Given<Self>;

    /// These samples of them, in this order.
    fn take(given: &Given<Self>, samples: &[usize]) -> Given<Self>;
}

impl Subject for ModelConfig {
    fn model(&self) -> &'static str {
        self.name()
    }

    fn read(json: &str) -> Result<Self, ForgeError> {
        Self::from_json(json)
    }

    fn d_out(&self) -> usize {
        self.spec().d_out
    }

    fn counted(&self) -> Result<usize, ForgeError> {
        self.parameter_count()
    }

    fn largest(&self) -> Result<Self, ForgeError> {
        let preset = Self::preset(self.name(), Strategy::Accurate)?;
        preset.config.sized_for(&self.spec())
    }

    fn rate(&self) -> Option<f64> {
        let preset = Self::preset(self.name(), Strategy::Fast).ok()?;
        Some(preset.training.learning_rate)
    }

    fn given(&self, n: usize, seed: u64, device: &Device) -> TabularInput {
        input(self, n, seed, device)
    }

    fn with_gaps(&self, mut given: TabularInput) -> TabularInput {
        if self.capabilities().missing {
            given.rows = with_gaps(given.rows);
        }
        given
    }

    fn take(given: &TabularInput, samples: &[usize]) -> TabularInput {
        take(given, samples)
    }
}
