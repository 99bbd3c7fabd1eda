//! Features of the rows of an option chain.

mod chain_feature;
mod chain_option;
mod config;
mod proxy;

pub use chain_feature::ChainFeature;
pub(super) use chain_feature::ChainNeeds;
pub use chain_option::ChainOption;
pub(super) use chain_option::ChainPart;
pub use config::GreekProxiesConfig;
pub(super) use config::{chain_interactions_set, greeks_set};
