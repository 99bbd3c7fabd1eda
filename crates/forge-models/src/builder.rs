//! A config by name and field values.

use serde::Serialize;
use serde_json::{Map, Value};

use forge_nn::{ForgeError, ModuleConfig};

use crate::{ModelConfig, TabularSpec};

/// Makes a [`ModelConfig`] from a name and the fields that differ from the default.
///
/// ```
/// use forge_models::{ModelBuilder, TabularSpec};
/// let table = TabularSpec { n_num_features: 5, cat_cardinalities: vec![], d_out: 1 };
/// let config = ModelBuilder::new("ft_transformer").set("n_blocks", 2).build(&table)?;
/// assert_eq!(config.name(), "ft_transformer");
/// let error = ModelBuilder::new("ft_transformer").set("n_block", 2).build(&table);
/// assert!(error.is_err_and(|e| e.to_string().contains("n_blocks")));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone)]
pub struct ModelBuilder {
    fields: Map<String, Value>,
    failed: Option<(String, String)>,
}

impl ModelBuilder {
    /// The default architecture of the model called `name`.
    #[must_use]
    pub fn new(name: &str) -> Self {
        let fields = Map::from_iter([("model".to_string(), Value::from(name))]);
        Self {
            fields,
            failed: None,
        }
    }

    /// Sets a field. What is wrong with it is said by [`build`](Self::build).
    #[must_use]
    pub fn set(mut self, field: &str, value: impl Serialize) -> Self {
        match serde_json::to_value(value) {
            Ok(value) => {
                self.fields.insert(field.into(), value);
            }
            Err(error) => self.failed = Some((field.into(), error.to_string())),
        }
        self
    }

    /// The config, sized for `table` and validated.
    ///
    /// # Errors
    /// A config error for an unknown model or field (with those there are) or a bad value; an
    /// unsupported error if the table has a kind of feature that the model does not take.
    pub fn build(self, table: &TabularSpec) -> Result<ModelConfig, ForgeError> {
        if let Some((field, error)) = self.failed {
            return Err(ForgeError::config(&field, error, "a JSON value"));
        }
        let config = ModelConfig::from_value(Value::Object(self.fields))?.sized_for(table)?;
        config.validate()?;
        Ok(config)
    }
}
