//! Models of table rows, and the one list of them.
//!
//! To add a model: its folder, its `mod` line and its line in the list below.

use burn::module::Module;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::registry::registry;

mod candidates;
mod dense_net;
mod embedded_columns;
mod fewer_outputs;
mod ft_transformer;
mod in_context;
mod limits;
mod modern_nca;
mod modern_resnet;
mod numbers;
mod one_target;
mod pyramid_resnet;
mod realmlp;
mod row_cost;
mod saint;
mod tabicl;
mod tabm;
mod tabnet;
mod tabpfn_v1;
mod tabpfn_v2;
mod tabr;
mod tabular_mlp;
mod tabular_resnet;
mod token;

pub use embedded_columns::{EmbeddedColumns, PlrConfig};
pub use token::{Backbone, BackboneConfig, CarriesState, Read, TokenConfig, TokenHead, TokenModel};

registry! { ($)
    "ft_transformer" => ft_transformer: FtTransformer, FtTransformerConfig;
    "tabular_resnet" => tabular_resnet: TabularResNet, TabularResNetConfig;
    "tabular_mlp" => tabular_mlp: TabularMlp, TabularMlpConfig;
    "tabm" => tabm: TabM, TabMConfig;
    "tabnet" => tabnet: TabNet, TabNetConfig;
    "saint" => saint: Saint, SaintConfig;
    "tabpfn_v1" => tabpfn_v1: TabPfnV1, TabPfnV1Config;
    "tabpfn_v2" => tabpfn_v2: TabPfnV2, TabPfnV2Config;
    "modern_nca" => modern_nca: ModernNca, ModernNcaConfig;
    "tabr" => tabr: TabR, TabRConfig;
    "modern_resnet" => modern_resnet: ModernResNet, ModernResNetConfig;
    "pyramid_resnet" => pyramid_resnet: PyramidResNet, PyramidResNetConfig;
    "dense_net" => dense_net: DenseNet, DenseNetConfig;
    "tabicl" => tabicl: TabIcl, TabIclConfig;
    "realmlp" => realmlp: RealMlp, RealMlpConfig;
}

fn unknown(name: &str) -> ForgeError {
    let names = ModelConfig::NAMES.join(", ");
    ForgeError::config("model", name, format!("one of {names}"))
}

// Below the list: a macro by example is known from where it is made.
mod model;
mod model_config;
