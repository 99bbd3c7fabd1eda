//! Models of table rows, and the one list of them.
//!
//! To add a model: its folder, its `mod` line and its line in the list below.

use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use crate::registry::{registry, unknown_of};

mod act_mlp;
mod beside;
mod candidates;
mod dense_net;
mod embedded_columns;
mod fewer_outputs;
mod ft_transformer;
mod hybrid_transformer;
mod hyper_mixer;
mod in_context;
mod mamba;
mod mamba2;
mod modern_nca;
mod modern_resnet;
mod modern_tcn;
mod modern_transformer;
mod ntm;
mod numbers;
mod one_target;
mod parallel_transformer;
mod pyramid_resnet;
mod realmlp;
mod rotary_attention;
mod row_cost;
mod saint;
mod searched_net;
mod tabicl;
mod tabm;
mod tabnet;
mod tabpfn_v1;
mod tabpfn_v2;
mod tabr;
mod tabular_mlp;
mod tabular_resnet;
mod token;
mod ttt;
mod ttt_linear;
mod ttt_mlp;
mod xlstm;

pub use embedded_columns::{EmbeddedColumns, PlrConfig};
pub use rotary_attention::{AttentionKind, LayerState, TransformerStack, TransformerState};
pub use token::{
    Backbone, BackboneConfig, CarriesState, Read, ResidualMixer, ResidualMixers, TokenConfig,
    TokenHead, TokenMixer, TokenModel, over_valid,
};
pub use ttt::{InnerModel, TttBackbone, TttBackboneConfig, TttBlock, TttMixer, TttState};

registry! { ($) tabular, TabularConfig;
    /// The config of any model, tagged by `"model"` in JSON and TOML.
    ///
    /// ```
    /// use forge_models::ModelConfig;
    /// let config = ModelConfig::from_json(r#"{"model": "tabular_mlp", "d_in": 5}"#)?;
    /// assert_eq!(config.name(), "tabular_mlp");
    /// assert!(ModelConfig::from_json(r#"{"model": "tabular_mlp", "d_inn": 5}"#).is_err());
    /// # Ok::<(), forge_nn::ForgeError>(())
    /// ```
    ModelConfig;
    /// Any model.
    Model;
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
    "act_mlp" => act_mlp: ActMlp, ActMlpConfig;
    "tabicl" => tabicl: TabIcl, TabIclConfig;
    "realmlp" => realmlp: RealMlp, RealMlpConfig;
    "modern_transformer" => modern_transformer: ModernTransformer, ModernTransformerTableConfig;
    "hybrid_transformer" => hybrid_transformer: HybridTransformer, HybridTransformerTableConfig;
    "parallel_transformer" => parallel_transformer: ParallelTransformer, ParallelTransformerTableConfig;
    "hyper_mixer" => hyper_mixer: HyperMixer, HyperMixerTableConfig;
    "modern_tcn" => modern_tcn: ModernTcn, ModernTcnTableConfig;
    "ntm" => ntm: Ntm, NtmTableConfig;
    "mamba" => mamba: Mamba, MambaConfig;
    "mamba2" => mamba2: Mamba2, Mamba2Config;
    "xlstm" => xlstm: Xlstm, XlstmConfig;
    "ttt_linear" => ttt_linear: TttLinear, TttLinearConfig;
    "ttt_mlp" => ttt_mlp: TttMlp, TttMlpConfig;
    "searched_net" => searched_net: SearchedNet, SearchedNetConfig;
    "searched_tokens" => searched_net: SearchedTokens, SearchedTokensConfig;
}

fn unknown(name: &str) -> ForgeError {
    unknown_of(name, ModelConfig::NAMES)
}

// Below the list: a macro by example is known from where it is made.
mod model;
mod model_config;
