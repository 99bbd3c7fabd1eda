//! What is made of one list of models: the enums over their configs and modules, by name.

use forge_nn::ForgeError;
use serde::de::DeserializeOwned;
use serde_json::Value;

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
        #[serde(tag = "model")]
        pub enum $configs {
            $(
                #[doc = concat!("The config of `", $name, "`.")]
                #[serde(rename = $name)]
                $model($config),
            )+
        }

        $(#[$model_doc])*
        ///
        /// The variants leave no trace in the names of a [`StateDict`](forge_nn::StateDict): the state of a model and
        /// of this enum around it are the same.
        #[derive(Module, Debug)]
        #[allow(clippy::large_enum_variant)]
        pub enum $models {
            $(
                #[doc = concat!("`", $name, "`.")]
                $model($model),
            )+
        }

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
