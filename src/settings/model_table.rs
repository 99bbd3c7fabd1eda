//! A model as a table of settings.

use forge_models::{ModelConfig, SeriesModelConfig, Strategy, TargetKind};
use forge_nn::ForgeError;
use serde::ser::Error as _;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Map, Value};

/// Says that a table has all of a config, and no preset is under it.
const PRESET: &str = "preset";

/// A strategy's preset of a model with some fields changed.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ChangedPreset {
    /// A registry name.
    pub model: String,
    /// The fields that are not the preset's, each whole; `"none"` takes out one that may be absent.
    #[serde(flatten)]
    pub fields: Map<String, Value>,
}

/// The configs of a family of models.
pub(crate) trait Family: Serialize + Sized {
    fn from_fields(fields: Value) -> Result<Self, ForgeError>;
    fn with_fields(&self, fields: &Map<String, Value>) -> Result<Self, ForgeError>;
    fn of_preset(model: &str, strategy: Strategy, target: TargetKind) -> Result<Self, ForgeError>;
}

impl Family for ModelConfig {
    fn from_fields(fields: Value) -> Result<Self, ForgeError> {
        Self::from_value(fields)
    }

    fn with_fields(&self, fields: &Map<String, Value>) -> Result<Self, ForgeError> {
        self.with_fields(fields)
    }

    fn of_preset(model: &str, strategy: Strategy, target: TargetKind) -> Result<Self, ForgeError> {
        Ok(Self::preset_for(model, strategy, target)?.config)
    }
}

impl Family for SeriesModelConfig {
    fn from_fields(fields: Value) -> Result<Self, ForgeError> {
        Self::from_value(fields)
    }

    fn with_fields(&self, fields: &Map<String, Value>) -> Result<Self, ForgeError> {
        self.with_fields(fields)
    }

    fn of_preset(model: &str, strategy: Strategy, _: TargetKind) -> Result<Self, ForgeError> {
        Ok(Self::preset(model, strategy)?.config)
    }
}

impl ChangedPreset {
    /// The preset of `strategy`, changed.
    ///
    /// # Errors
    /// A config error for a name that the registry does not know, a field that the model does not
    /// have, or a value of the wrong type.
    pub(crate) fn config<C: Family>(
        &self,
        strategy: Strategy,
        target: TargetKind,
    ) -> Result<C, ForgeError> {
        C::of_preset(&self.model, strategy, target)?.with_fields(&self.fields)
    }
}

/// What a table of a model's settings stands for.
pub(crate) enum ModelTable<C> {
    Changed(ChangedPreset),
    Whole(C),
}

/// Reads such a table. Its fields are tried, so that an error comes with the place in the file.
pub(crate) fn read<C: Family>(table: Value) -> Result<ModelTable<C>, ForgeError> {
    let refuse = |e: serde_json::Error| ForgeError::config("model", "a table", e);
    let mut table: Map<String, Value> = serde_json::from_value(table).map_err(refuse)?;
    let preset = match table.remove(PRESET) {
        None => true,
        Some(Value::Bool(preset)) => preset,
        Some(other) => {
            let allowed =
                "true (fields over the strategy's preset) or false (over the model's defaults)";
            return Err(ForgeError::config(PRESET, other, allowed));
        }
    };
    let model = table.remove("model");
    let bare = C::from_fields(Value::from_iter(
        model.clone().map(|model| ("model", model)),
    ))?;
    let config = bare.with_fields(&table)?;
    Ok(match (preset, model) {
        (true, Some(Value::String(model))) => ModelTable::Changed(ChangedPreset {
            model,
            fields: table,
        }),
        _ => ModelTable::Whole(config),
    })
}

/// Writes a whole config as such a table, to be read by [`read`].
pub(crate) fn write_whole<C: Serialize, S: Serializer>(
    config: &C,
    to: S,
) -> Result<S::Ok, S::Error> {
    let mut table = serde_json::to_value(config).map_err(S::Error::custom)?;
    if let Value::Object(fields) = &mut table {
        for value in fields.values_mut() {
            match value {
                Value::Null => *value = "none".into(),
                inner => without_nulls(inner),
            }
        }
        fields.insert(PRESET.into(), false.into());
    }
    table.serialize(to)
}

/// TOML has no null: deeper down, what is absent is left out.
fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(values) => values.iter_mut().for_each(without_nulls),
        _ => {}
    }
}
