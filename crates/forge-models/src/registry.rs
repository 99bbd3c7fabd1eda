//! The one list of all models: name, config and module of each.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, ModuleConfig, StateDict};
use serde::{Deserialize, Serialize};

use crate::reference::{KeyMap, ReferenceWeights};
use crate::tabular::{
    FtTransformer, FtTransformerConfig, TabularMlp, TabularMlpConfig, TabularResNet,
    TabularResNetConfig,
};
use crate::{Capabilities, TabularConfig, TabularInput, TabularModel, TabularSpec};

/// Makes the two enums and every `match` over them from one list.
///
/// A macro and not a table of closures, so that `Model` is a module itself (optimisers, records and
/// visitors see through it) and a model that is missing somewhere does not compile.
macro_rules! registry {
    ($($name:literal => $model:ident, $config:ident;)+) => {
        /// The config of any model, tagged by `"model"` in JSON and TOML.
        ///
        /// ```
        /// use forge_models::ModelConfig;
        /// let config = ModelConfig::from_json(r#"{"model": "tabular_mlp", "d_in": 5}"#)?;
        /// assert_eq!(config.name(), "tabular_mlp");
        /// assert!(ModelConfig::from_json(r#"{"model": "tabular_mlp", "d_inn": 5}"#).is_err());
        /// # Ok::<(), forge_nn::ForgeError>(())
        /// ```
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(tag = "model")]
        pub enum ModelConfig {
            $(
                #[doc = concat!("The config of `", $name, "`.")]
                #[serde(rename = $name)]
                $model($config),
            )+
        }

        /// Any model.
        ///
        /// The variants leave no trace in the names of a [`StateDict`]: the state of a model and
        /// of this enum around it are the same.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)]
        pub enum Model {
            $(
                #[doc = concat!("`", $name, "`.")]
                $model($model),
            )+
        }

        impl ModelConfig {
            /// The names of all models, in the order of the registry.
            pub const NAMES: &'static [&'static str] = &[$($name),+];

            /// The model's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$model(_) => $name),+ }
            }

            /// The default architecture of the model called `name`. Its sizes that depend on the
            /// table are not set.
            ///
            /// # Errors
            /// A config error that lists the names there are.
            pub fn unsized_default(name: &str) -> Result<Self, ForgeError> {
                match name {
                    $($name => Ok(Self::$model($config::default())),)+
                    _ => Err(unknown(name)),
                }
            }

            /// A narrow instance of the model called `name`, sized for `table`: for tests and
            /// trial runs.
            ///
            /// # Errors
            /// A config error that lists the names there are; an unsupported error as
            /// [`sized_for`](Self::sized_for).
            pub fn narrow(name: &str, table: &TabularSpec) -> Result<Self, ForgeError> {
                match name {
                    $($name => $config::narrow().sized_for(table).map(Self::$model),)+
                    _ => Err(unknown(name)),
                }
            }

            /// What the model called `name` supports.
            ///
            /// # Errors
            /// A config error that lists the names there are.
            pub fn capabilities_of(name: &str) -> Result<Capabilities, ForgeError> {
                match name {
                    $($name => Ok($model::CAPABILITIES),)+
                    _ => Err(unknown(name)),
                }
            }

            /// The table that the config is sized for.
            #[must_use]
            pub fn spec(&self) -> TabularSpec {
                match self { $(Self::$model(config) => config.spec()),+ }
            }

            /// This architecture, sized for another table.
            ///
            /// # Errors
            /// An unsupported error if the table has a kind of feature that the model does not
            /// take.
            pub fn sized_for(self, table: &TabularSpec) -> Result<Self, ForgeError> {
                match self { $(Self::$model(config) => config.sized_for(table).map(Self::$model)),+ }
            }

            /// Number of trainable parameters, by arithmetic on the config.
            ///
            /// # Errors
            /// What validation finds.
            pub fn parameter_count(&self) -> Result<usize, ForgeError> {
                self.validate()?;
                Ok(match self { $(Self::$model(config) => config.parameter_count()),+ })
            }

            /// The reference implementation whose checkpoints
            /// [`load_reference`](Self::load_reference) reads.
            #[must_use]
            pub fn reference(&self) -> &'static str {
                match self { $(Self::$model(_) => $config::REFERENCE),+ }
            }

            /// The reference's names of the model's tensors.
            #[must_use]
            pub fn key_map(&self) -> KeyMap {
                match self { $(Self::$model(config) => config.key_map()),+ }
            }

            /// Makes the model with the weights of its authors' checkpoint.
            ///
            /// # Errors
            /// As [`ReferenceWeights::load_reference`].
            pub fn load_reference(
                &self,
                checkpoint: &StateDict,
                device: &Device,
            ) -> Result<Model, ForgeError> {
                match self {
                    $(Self::$model(config) => {
                        config.load_reference(checkpoint, device).map(Model::$model)
                    })+
                }
            }
        }

        $(
            impl From<$config> for ModelConfig {
                fn from(config: $config) -> Self {
                    Self::$model(config)
                }
            }
        )+

        impl ModuleConfig for ModelConfig {
            type Module = Model;

            fn validate(&self) -> Result<(), ForgeError> {
                match self { $(Self::$model(config) => config.validate()),+ }
            }

            fn build(&self, device: &Device) -> Model {
                match self { $(Self::$model(config) => Model::$model(config.build(device))),+ }
            }
        }

        impl Model {
            /// The model's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                match self { $(Self::$model(_) => $model::NAME),+ }
            }

            /// What the model supports.
            #[must_use]
            pub fn capabilities(&self) -> Capabilities {
                match self { $(Self::$model(_) => $model::CAPABILITIES),+ }
            }

            /// The table that the model is sized for.
            #[must_use]
            pub fn spec(&self) -> TabularSpec {
                match self { $(Self::$model(model) => model.spec()),+ }
            }

            /// As [`TabularModel::forward`].
            ///
            /// # Shapes
            /// - output: `[B, D_out]`
            ///
            /// # Panics
            /// If the input does not fit; the message has both shapes.
            #[must_use]
            pub fn forward(&self, input: TabularInput) -> Tensor<2> {
                match self { $(Self::$model(model) => model.forward(input)),+ }
            }

            /// As [`TabularModel::try_forward`].
            ///
            /// # Errors
            /// If the input does not fit or is of a kind that the model does not declare.
            pub fn try_forward(&self, input: TabularInput) -> Result<Tensor<2>, ForgeError> {
                match self { $(Self::$model(model) => model.try_forward(input)),+ }
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;

            #[test]
            fn the_list_and_the_models_agree_on_their_names() {
                $(assert_eq!($name, $model::NAME);)+
            }
        }
    };
}

registry! {
    "ft_transformer" => FtTransformer, FtTransformerConfig;
    "tabular_resnet" => TabularResNet, TabularResNetConfig;
    "tabular_mlp" => TabularMlp, TabularMlpConfig;
}

fn unknown(name: &str) -> ForgeError {
    ForgeError::config(
        "model",
        name,
        format!("one of {}", ModelConfig::NAMES.join(", ")),
    )
}

impl ModelConfig {
    /// The default architecture of the model called `name`, sized for `table`.
    ///
    /// # Errors
    /// A config error that lists the names there are; an unsupported error if the table has a kind
    /// of feature that the model does not take.
    pub fn from_name(name: &str, table: &TabularSpec) -> Result<Self, ForgeError> {
        Self::unsized_default(name)?.sized_for(table)
    }

    /// What the model supports.
    #[must_use]
    pub fn capabilities(&self) -> Capabilities {
        // The name is one of the list's, so there is no error to be had.
        Self::capabilities_of(self.name()).unwrap_or(Capabilities::NONE)
    }

    /// Reads a config from a JSON object tagged by `"model"`. Fields that are left out are the
    /// default's. Does not validate.
    ///
    /// # Errors
    /// A config error: bad JSON, an unknown model (with the names there are), an unknown field
    /// (with the fields there are), a value of the wrong type.
    pub fn from_json(text: &str) -> Result<Self, ForgeError> {
        let bad = |e: serde_json::Error| {
            ForgeError::config("model config", "JSON", format!("valid: {e}"))
        };
        Self::from_value(serde_json::from_str(text).map_err(bad)?)
    }

    /// [`from_json`](Self::from_json) for JSON already parsed.
    ///
    /// # Errors
    /// As [`from_json`](Self::from_json).
    pub fn from_value(value: serde_json::Value) -> Result<Self, ForgeError> {
        let Some(name) = value.get("model").and_then(|name| name.as_str()) else {
            let names = Self::NAMES.join(", ");
            return Err(ForgeError::config(
                "model",
                "absent",
                format!("one of {names}"),
            ));
        };
        let name = name.to_string();
        if !Self::NAMES.contains(&name.as_str()) {
            return Err(unknown(&name));
        }
        serde_json::from_value(value)
            .map_err(|e| ForgeError::config("model config", &name, format!("valid: {e}")))
    }
}
