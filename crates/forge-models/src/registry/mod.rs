//! What is made of one list of models: the enums over their configs and modules, by name.

mod module_enum;

use forge_nn::ForgeError;
pub(crate) use module_enum::module_enum;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value};

/// What is said of a model that is not in the list.
pub(crate) fn unknown_of(name: &str, names: &[&str]) -> ForgeError {
    ForgeError::config("model", name, format!("one of {}", names.join(", ")))
}

/// A config enum from a JSON object tagged by `"model"`.
pub(crate) fn from_json<C: DeserializeOwned>(text: &str, names: &[&str]) -> Result<C, ForgeError> {
    let bad =
        |e: serde_json::Error| ForgeError::config("model config", "JSON", format!("valid: {e}"));
    from_value(serde_json::from_str(text).map_err(bad)?, names)
}

/// [`from_json`] for JSON already parsed.
pub(crate) fn from_value<C: DeserializeOwned>(
    value: Value,
    names: &[&str],
) -> Result<C, ForgeError> {
    let Some(name) = value.get("model").and_then(|name| name.as_str()) else {
        return Err(unknown_of("absent", names));
    };
    let name = name.to_string();
    if !names.contains(&name.as_str()) {
        return Err(unknown_of(&name, names));
    }
    serde_json::from_value(value)
        .map_err(|e| ForgeError::config("model config", &name, format!("valid: {e}")))
}

/// `config` with other values of some fields. The text "none" is the absence of a field, but where it is
/// one of the field's own values: TOML has no null.
pub(crate) fn with_fields<C: Serialize + DeserializeOwned>(
    config: &C,
    fields: &Map<String, Value>,
    names: &[&str],
) -> Result<C, ForgeError> {
    let bad = |e: serde_json::Error| ForgeError::config("model config", "fields", e);
    let mut all = serde_json::to_value(config).map_err(bad)?;
    let model = all["model"].clone();
    for (field, value) in fields {
        let is_a_value = || {
            let alone = serde_json::json!({"model": &model, field: value});
            from_value::<C>(alone, names).is_ok()
        };
        all[field] = match value.as_str() == Some("none") && !is_a_value() {
            true => Value::Null,
            false => value.clone(),
        };
    }
    from_value(all, names)
}

/// Makes the config enum, the module enum and the means to dispatch over them from one list. Each
/// family of models has one, headed by its folder, the names of both enums and the trait that has
/// the configs' `NAME`.
///
/// A macro and not a table of closures, so that the module enum is a module itself (optimisers,
/// records and visitors see through it) and a model that is missing somewhere does not compile.
/// `each_config!` and `each_model!` do the same with whichever variant there is; `by_name!` does
/// something with the config type of that name.
macro_rules! registry {
    (
        ($d:tt) $family:ident, $contract:ident;
        $(#[$config_doc:meta])* $configs:ident;
        $(#[$model_doc:meta])* $models:ident;
        $($name:literal => $folder:ident: $model:ident, $config:ident;)+
    ) => {
        $(
            #[allow(
                unused_imports,
                unreachable_pub,
                reason = "one folder may have several models"
            )]
            pub use $folder::*;
        )+

        $(#[$config_doc])*
        #[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
        #[serde(remote = "Self", tag = "model")]
        pub enum $configs {
            $(
                #[doc = concat!("The config of `", $name, "`.")]
                #[serde(rename = $name)]
                $model($config),
            )+
        }

        crate::registry::module_enum! {
            $(#[$model_doc])*
            ///
            /// The variants leave no trace in the names of a [`StateDict`](forge_nn::StateDict): the state of a model and
            /// of this enum around it are the same.
            $models;
            $($name => $model;)+
        }

        forge_files::erased_serde!($configs);

        impl $configs {
            /// The names of all models, in the order of the registry.
            pub const NAMES: &'static [&'static str] = &[$($name),+];
        }

        $(
            impl From<$config> for $configs {
                fn from(config: $config) -> Self {
                    Self::$model(config)
                }
            }
        )+

        macro_rules! each_config {
            ($d value:expr, $d config:ident => $d call:expr) => {
                match $d value { $($configs::$model($d config) => $d call),+ }
            };
            ($d value:expr, $d config:ident, $d wrap:ident => $d call:expr) => {
                match $d value {
                    $($configs::$model($d config) => {
                        let $d wrap = $models::$model;
                        $d call
                    })+
                }
            };
        }

        macro_rules! each_model {
            ($d value:expr, $d model:ident => $d call:expr) => {
                match $d value { $($models::$model($d model) => $d call),+ }
            };
            ($d value:expr, $d model:ident, $d wrap:ident => $d call:expr) => {
                match $d value {
                    $($models::$model($d model) => {
                        let $d wrap = $models::$model;
                        $d call
                    })+
                }
            };
        }

        macro_rules! by_name {
            ($d name:expr, $d config:ident => $d call:expr) => {
                match $d name {
                    $($name => {
                        type $d config = crate::$family::$config;
                        $d call
                    })+
                    name => Err(unknown(name)),
                }
            };
        }

        impl $configs {
            /// The default architecture of the model called `name`. What depends on the data is set
            /// by [`sized_for`](Self::sized_for).
            ///
            /// # Errors
            /// A config error that lists the names there are.
            pub fn named(name: &str) -> Result<Self, ForgeError> {
                by_name!(name, C => Ok(C::default().into()))
            }

            /// A narrow instance of the model called `name`: for tests and trial runs.
            ///
            /// # Errors
            /// A config error that lists the names there are.
            pub fn narrow(name: &str) -> Result<Self, ForgeError> {
                by_name!(name, C => Ok(<C as crate::$contract>::narrow().into()))
            }

            /// The model's name.
            #[must_use]
            pub fn name(&self) -> &'static str {
                fn of<C: crate::$contract>(_: &C) -> &'static str {
                    C::NAME
                }
                each_config!(self, config => of(config))
            }

            /// Number of trainable parameters, by arithmetic on the config.
            ///
            /// # Errors
            /// What validation finds.
            pub fn parameter_count(&self) -> Result<usize, ForgeError> {
                forge_nn::ModuleConfig::validate(self)?;
                Ok(each_config!(self, config => crate::ParameterCount::parameter_count(config)))
            }

            /// The reference implementation whose checkpoints
            /// [`load_reference`](Self::load_reference) reads.
            #[must_use]
            pub fn reference(&self) -> &'static str {
                fn of<C: crate::ReferenceWeights>(_: &C) -> &'static str {
                    C::REFERENCE
                }
                each_config!(self, config => of(config))
            }

            /// The reference's names of the model's tensors.
            #[must_use]
            pub fn key_map(&self) -> crate::KeyMap {
                each_config!(self, config => crate::ReferenceWeights::key_map(config))
            }

            /// Makes the model with the weights of its authors' checkpoint.
            ///
            /// # Errors
            /// As [`ReferenceWeights::load_reference`](crate::ReferenceWeights::load_reference).
            pub fn load_reference(
                &self,
                checkpoint: &forge_nn::StateDict,
                device: &burn::tensor::Device,
            ) -> Result<$models, ForgeError> {
                each_config!(self, config, wrap => {
                    crate::ReferenceWeights::load_reference(config, checkpoint, device).map(wrap)
                })
            }

            /// Reads a config from a JSON object tagged by `"model"`. Fields that are left out are
            /// the default's. Does not validate.
            ///
            /// # Errors
            /// A config error: bad JSON, an unknown model (with the names there are), an unknown
            /// field (with the fields there are), a value of the wrong type.
            pub fn from_json(text: &str) -> Result<Self, ForgeError> {
                crate::registry::from_json(text, Self::NAMES)
            }

            /// [`from_json`](Self::from_json) for JSON already parsed.
            ///
            /// # Errors
            /// As [`from_json`](Self::from_json).
            pub fn from_value(value: serde_json::Value) -> Result<Self, ForgeError> {
                crate::registry::from_value(value, Self::NAMES)
            }

            /// This config with other values of some fields, each whole: of a table of fields the
            /// whole table. `"none"` takes out a field that may be absent. Does not validate.
            ///
            /// # Errors
            /// A config error: an unknown field (with the fields there are), a value of the wrong
            /// type.
            pub fn with_fields(
                &self,
                fields: &serde_json::Map<String, serde_json::Value>,
            ) -> Result<Self, ForgeError> {
                crate::registry::with_fields(self, fields, Self::NAMES)
            }
        }

        impl forge_nn::ModuleConfig for $configs {
            type Module = $models;

            fn validate(&self) -> Result<(), ForgeError> {
                each_config!(self, config => forge_nn::ModuleConfig::validate(config))
            }

            fn build(&self, device: &burn::tensor::Device) -> $models {
                each_config!(self, config, wrap => {
                    wrap(forge_nn::ModuleConfig::build(config, device))
                })
            }
        }

        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::$contract;

            #[test]
            fn the_list_and_the_configs_agree_on_their_names() {
                $(assert_eq!($name, $config::NAME);)+
            }
        }
    };
}

pub(crate) use registry;
