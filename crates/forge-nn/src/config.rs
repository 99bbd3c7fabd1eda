//! The contract between a configuration and the module it makes.

use burn::module::Module;
use burn::tensor::Device;

use crate::ForgeError;

/// A validated recipe for a module.
///
/// A config holds architecture only (no learning rate, no seed), is `serde`-serialisable and has
/// the paper's values as its `Default` where the paper names any.
pub trait ModuleConfig {
    /// What the config makes.
    type Module: Module;

    /// Checks every field.
    ///
    /// # Errors
    /// A [`ForgeError`] with [`ForgeError::is_config`] naming the first bad field, its value and
    /// what is allowed.
    fn validate(&self) -> Result<(), ForgeError>;

    /// Makes the module from a config that [`validate`](Self::validate) has accepted.
    ///
    /// Call [`try_init`](Self::try_init) or [`init`](Self::init) instead; this is the part that
    /// implementations write.
    fn build(&self, device: &Device) -> Self::Module;

    /// Validates, then makes the module on `device`.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) found.
    fn try_init(&self, device: &Device) -> Result<Self::Module, ForgeError> {
        self.validate()?;
        Ok(self.build(device))
    }

    /// [`try_init`](Self::try_init), for configs known to be good.
    ///
    /// # Panics
    /// If [`validate`](Self::validate) fails, with its message.
    fn init(&self, device: &Device) -> Self::Module {
        match self.try_init(device) {
            Ok(module) => module,
            Err(error) => panic!("{error}"),
        }
    }
}
