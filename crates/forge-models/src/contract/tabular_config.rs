//! The config of a model of table rows.

use forge_nn::{ForgeError, ModuleConfig};

use super::{
    Capabilities, LabelledRows, Labels, Preset, Recipe, Shrink, Strategy, TabularModel,
    TabularSpec, TargetKind, TrainingRows,
};

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
/// it, [`sized_for`](Self::sized_for), and one for what training data decide beyond sizes,
/// [`fitted_to`](Self::fitted_to), which comes after it.
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

    /// What it takes the targets of labelled rows for, where it declares
    /// [`RowContext::Labelled`](super::RowContext) and that is fixed by the architecture; absent:
    /// whatever comes. Default: absent.
    fn labels(&self) -> Option<Labels> {
        None
    }

    /// This architecture for labelled rows with these targets; called after
    /// [`sized_for`](Self::sized_for). Default: as it is.
    ///
    /// # Errors
    /// An unsupported error for targets, or an output width with them, that the model cannot have.
    fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        let _ = labels;
        Ok(self)
    }

    /// How it is given labelled rows, where it declares
    /// [`RowContext::Labelled`](super::RowContext).
    fn labelled_rows(&self) -> LabelledRows {
        LabelledRows::default()
    }

    /// Bytes of what a training step over `batch` rows that look at `context` others keeps for its
    /// gradients and that grows with `context`: what would not fit is refused before the training.
    /// Default: 0.
    fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        let _ = (batch, context);
        0
    }

    /// This architecture made smaller by the rule of [`Shrink`]: every width and depth of its own.
    /// Use [`ModelConfig::student`](crate::ModelConfig::student), which checks the outcome.
    fn smaller(self, by: Shrink) -> Self;

    /// This architecture, sized already, with what it takes from the rows that it will be trained
    /// on (bins of numbers, say). What it takes is part of the config from then on, and so of every
    /// file that holds the model. Most take nothing.
    ///
    /// # Errors
    /// A shape error for rows of another table than the config is sized for; a config error for
    /// what the rows do not allow.
    fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        let _ = rows;
        Ok(self)
    }

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
