//! The config of a model of table rows.

use forge_nn::{ForgeError, ModuleConfig};

use super::{Capabilities, Preset, Recipe, Strategy, TabularModel, TabularSpec, TargetKind};

/// A config that knows how large its module is.
pub trait ParameterCount: ModuleConfig {
    /// Number of trainable parameters.
    ///
    /// Arithmetic on the config, nothing is made. Call on a config that
    /// [`validate`](ModuleConfig::validate) has accepted.
    fn parameter_count(&self) -> usize;
}

/// The config of a tabular model.
///
/// Its `Default` is the paper's architecture where the paper states one. There is one way to size
/// it: [`sized_for`](Self::sized_for).
pub trait TabularConfig: ParameterCount<Module: TabularModel> + Default {
    /// The model's name in the registry.
    const NAME: &'static str;

    /// What the default architecture supports.
    const CAPABILITIES: Capabilities;

    /// What this architecture supports. Only [`rows`](Capabilities::rows) may differ from
    /// [`CAPABILITIES`](Self::CAPABILITIES): whether rows see each other can be a choice of the
    /// config.
    fn capabilities(&self) -> Capabilities {
        Self::CAPABILITIES
    }

    /// The table that the config is sized for.
    fn spec(&self) -> TabularSpec;

    /// This architecture, sized for another table.
    ///
    /// # Errors
    /// An unsupported error if the table has a kind of feature that the model does not take.
    fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError>;

    /// A narrow instance in which every kind of layer and every dropout is present: for tests and
    /// trial runs.
    fn narrow() -> Self;

    /// Sizes and training settings of a strategy.
    fn preset(strategy: Strategy) -> Preset<Self>;

    /// [`preset`](Self::preset) for a kind of target, for models whose authors have one for each.
    fn preset_for(strategy: Strategy, target: TargetKind) -> Preset<Self> {
        let _ = target;
        Self::preset(strategy)
    }

    /// What of the training is another way than usual. Default: nothing.
    fn recipe(strategy: Strategy, target: TargetKind) -> Recipe {
        let _ = (strategy, target);
        Recipe::default()
    }
}
