//! What every config of the registry can do.

use forge_nn::{ForgeError, ModuleConfig};

use super::{ModelConfig, unknown};
use crate::{
    Capabilities, LabelledRows, Labels, Preset, Recipe, Shrink, Strategy, TabularConfig,
    TabularSpec, TargetKind, TrainingRows,
};

impl ModelConfig {
    /// Sizes and training settings of the model called `name` for a strategy.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn preset(name: &str, strategy: Strategy) -> Result<Preset<Self>, ForgeError> {
        by_name!(name, C => Ok(C::preset(strategy).map(Into::into)))
    }

    /// [`preset`](Self::preset) for a kind of target.
    ///
    /// # Errors
    /// As [`preset`](Self::preset).
    pub fn preset_for(
        name: &str,
        strategy: Strategy,
        target: TargetKind,
    ) -> Result<Preset<Self>, ForgeError> {
        by_name!(name, C => Ok(C::preset_for(strategy, target).map(Into::into)))
    }

    /// What of the training of the model called `name` is another way than usual.
    ///
    /// # Errors
    /// As [`preset`](Self::preset).
    pub fn recipe(
        name: &str,
        strategy: Strategy,
        target: TargetKind,
    ) -> Result<Recipe, ForgeError> {
        by_name!(name, C => Ok(C::recipe(strategy, target)))
    }

    /// What the default architecture of the model called `name` supports.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn capabilities_of(name: &str) -> Result<Capabilities, ForgeError> {
        by_name!(name, C => Ok(C::CAPABILITIES))
    }

    /// What the model supports.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        each_config!(self, config => config.capabilities())
    }

    /// The table that the config is sized for.
    #[must_use]
    pub fn spec(&self) -> TabularSpec {
        each_config!(self, config => config.spec())
    }

    /// This architecture, sized for a table.
    ///
    /// # Errors
    /// An unsupported error if the table has a kind of feature that the model does not take.
    pub fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
        each_config!(self, config => config.sized_for(table).map(Into::into))
    }

    /// What the model takes the targets of labelled rows for; absent: it looks at none, or takes
    /// whatever comes.
    #[must_use]
    pub fn labels(&self) -> Option<Labels> {
        each_config!(self, config => config.labels())
    }

    /// This architecture for labelled rows with these targets; after
    /// [`sized_for`](Self::sized_for).
    ///
    /// # Errors
    /// An unsupported error for targets, or an output width with them, that the model cannot have.
    pub fn with_labels(self, labels: Labels) -> Result<Self, ForgeError> {
        each_config!(self, config => config.with_labels(labels).map(Into::into))
    }

    /// How the model is given labelled rows, where it predicts from them.
    #[must_use]
    pub fn labelled_rows(&self) -> LabelledRows {
        each_config!(self, config => config.labelled_rows())
    }

    /// Bytes of what a training step over `batch` rows that look at `context` others keeps for its
    /// gradients and that grows with `context`.
    #[must_use]
    pub fn context_bytes(&self, batch: usize, context: usize) -> u64 {
        each_config!(self, config => config.context_bytes(batch, context))
    }

    /// The config of a student of this model, for distillation: the same architecture with its
    /// widths and depths made smaller by a factor, as [`Shrink`] has it.
    ///
    /// ```
    /// use forge_models::{ModelConfig, TabularSpec};
    /// let table = TabularSpec { n_num_features: 5, cat_cardinalities: vec![], d_out: 1 };
    /// let teacher = ModelConfig::named("ft_transformer")?.sized_for(&table)?;
    /// let student = teacher.student(0.5)?;
    /// assert_eq!(student.spec(), teacher.spec());
    /// assert!(student.parameter_count()? < teacher.parameter_count()? / 4);
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    ///
    /// # Errors
    /// A config error for a factor outside `(0, 1)`, for one that makes nothing smaller (sizes are
    /// as small as they go), or if the smaller sizes do not go together.
    pub fn student(&self, factor: f64) -> Result<Self, ForgeError> {
        let by = Shrink::by(factor)?;
        let student: Self = each_config!(self, config => config.clone().smaller(by).into());
        if student == *self {
            let allowed = "one that makes some size smaller: this config's are as small as they go";
            return Err(ForgeError::config("factor", factor, allowed));
        }
        // A config that is not sized for a table yet is checked when it is.
        if self.validate().is_ok() {
            student.validate()?;
        }
        Ok(student)
    }

    /// This architecture, sized already, with what it takes from the rows that it will be trained
    /// on.
    ///
    /// # Errors
    /// As [`TabularConfig::fitted_to`].
    pub fn fitted_to(self, rows: &TrainingRows<'_>) -> Result<Self, ForgeError> {
        each_config!(self, config => config.fitted_to(rows).map(Into::into))
    }
}
