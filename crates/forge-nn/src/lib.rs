//! The layer library of volatilityforge: attention, positions, normalisation, activations and the
//! hot operations under them, on Burn.
//!
//! # Shape legend
//!
//! Every public tensor function states its shapes with these letters:
//!
//! | letter | meaning |
//! |---|---|
//! | `B` | batch: samples that do not see each other |
//! | `T` | time, or tokens: the axis that attention mixes (`Tq` queries, `Tk` keys) |
//! | `F` | features: columns of a table or channels of a series |
//! | `D` | width of a token or hidden layer (`D_in`, `D_out` where they differ) |
//! | `H` | attention heads (`Hkv` for shared key/value heads) |
//! | `C` | channels, or classes where the text says so |
//! | `K` | members, components or kernel size, as the text says |
//!
//! # Contracts
//!
//! A layer is a [`ModuleConfig`] and the module it makes: [`ModuleConfig::validate`] names the
//! field, the value and the allowed range; [`ModuleConfig::try_init`] returns that error;
//! [`ModuleConfig::init`] panics with it. Errors are one opaque [`ForgeError`].

pub mod activation;
pub mod adaptive_computation;
pub mod attention;
mod bar_distribution;
mod broadcast;
pub mod cell;
pub mod check;
mod config;
mod config_macro;
pub mod convolution;
mod device;
mod error;
pub mod gating;
pub mod host;
mod linear;
mod mode;
mod network;
pub mod norm;
pub mod num_embeddings;
pub mod ops;
pub mod parameters;
pub mod pooling;
pub mod position;
mod recompute;
pub mod recurrent;
pub mod regularisation;
mod state;
mod tokenizer;
mod worker;

pub use bar_distribution::BarDistribution;
pub use burn;
pub use config::ModuleConfig;
pub use device::{DeviceName, computes_in, is_host};
pub use error::ForgeError;
pub use linear::{
    GroupedLinear, GroupedLinearConfig, Linear, LinearConfig, QuantumInspiredLinear,
    QuantumInspiredLinearConfig,
};
pub use mode::{Mode, set_mode, training_flag};
pub use network::{Forward, Maps, Network, VariableWeights, Want};
pub use recompute::{recomputed, with_recomputation};
pub use state::{
    FileFormat, SafetensorsMetadata, StateDict, Subset, SubsetReport, TensorFile, format_name,
};
pub use tokenizer::{
    CategoricalTokenizer, CategoricalTokenizerConfig, FeatureTokenizer, FeatureTokenizerConfig,
    NumericTokenizer, NumericTokenizerConfig,
};
pub use worker::on_worker;
