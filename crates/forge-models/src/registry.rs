//! What is made of one list of models: the enums over their configs and modules, by name.

/// Makes the config enum, the module enum and the means to dispatch over them from one list.
///
/// A macro and not a table of closures, so that the module enum is a module itself (optimisers,
/// records and visitors see through it) and a model that is missing somewhere does not compile.
/// `each_config!` and `each_model!` do the same with whichever variant there is; `by_name!` does
/// something with the config type of that name.
macro_rules! registry {
    (($d:tt) $($name:literal => $folder:ident: $model:ident, $config:ident;)+) => {
        $(pub use $folder::*;)+

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
        /// The variants leave no trace in the names of a [`StateDict`](forge_nn::StateDict): the state of a model and
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
        }

        $(
            impl From<$config> for ModelConfig {
                fn from(config: $config) -> Self {
                    Self::$model(config)
                }
            }
        )+

        macro_rules! each_config {
            ($d value:expr, $d config:ident => $d call:expr) => {
                match $d value { $(ModelConfig::$model($d config) => $d call),+ }
            };
            ($d value:expr, $d config:ident, $d wrap:ident => $d call:expr) => {
                match $d value {
                    $(ModelConfig::$model($d config) => {
                        let $d wrap = Model::$model;
                        $d call
                    })+
                }
            };
        }

        macro_rules! each_model {
            ($d value:expr, $d model:ident => $d call:expr) => {
                match $d value { $(Model::$model($d model) => $d call),+ }
            };
            ($d value:expr, $d model:ident, $d wrap:ident => $d call:expr) => {
                match $d value {
                    $(Model::$model($d model) => {
                        let $d wrap = Model::$model;
                        $d call
                    })+
                }
            };
        }

        macro_rules! by_name {
            ($d name:expr, $d config:ident => $d call:expr) => {
                match $d name {
                    $($name => {
                        type $d config = crate::tabular::$config;
                        $d call
                    })+
                    name => Err(unknown(name)),
                }
            };
        }

        #[cfg(test)]
        mod tests {
            use super::*;
            use crate::TabularConfig;

            #[test]
            fn the_list_and_the_configs_agree_on_their_names() {
                $(assert_eq!($name, $config::NAME);)+
            }
        }
    };
}

pub(crate) use registry;
