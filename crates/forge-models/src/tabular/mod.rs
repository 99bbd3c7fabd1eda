//! Models of table rows, and the one list of them.
//!
//! To add a model: its folder, its `mod` line and its line in the list below.

use burn::module::Module;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::registry::registry;

mod ft_transformer;
mod limits;
mod realmlp;
mod saint;
mod tabnet;
mod tabpfn_v1;
mod tabular_mlp;
mod tabular_resnet;
mod token;

pub use token::{Backbone, BackboneConfig, CarriesState, Read, TokenConfig, TokenHead, TokenModel};

registry! { ($)
    "ft_transformer" => ft_transformer: FtTransformer, FtTransformerConfig;
    "tabular_resnet" => tabular_resnet: TabularResNet, TabularResNetConfig;
    "tabular_mlp" => tabular_mlp: TabularMlp, TabularMlpConfig;
    "tabnet" => tabnet: TabNet, TabNetConfig;
    "saint" => saint: Saint, SaintConfig;
    "tabpfn_v1" => tabpfn_v1: TabPfnV1, TabPfnV1Config;
    "realmlp" => realmlp: RealMlp, RealMlpConfig;
}

fn unknown(name: &str) -> ForgeError {
    let names = ModelConfig::NAMES.join(", ");
    ForgeError::config("model", name, format!("one of {names}"))
}

// Below the list: a macro by example is known from where it is made.
mod model;
mod model_config;
