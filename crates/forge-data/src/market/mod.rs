//! A synthetic option market, and the pricing formula it is quoted in.
//!
//! Nothing here is market data: [`SyntheticMarketConfig::generate`] makes an option chain from a
//! seeded model with known arbitrage-free volatilities and a stated microstructure, for demos and
//! tests. [`SyntheticMarketConfig::label`] is the text to put beside every figure made from it.

mod bars;
pub mod black76;
mod calendar;
mod config;
mod generator;
mod greeks;
mod microstructure;
mod normalised_black;
mod path;
mod ssvi;

pub use bars::BarMarketConfig;
pub use black76::OptionType;
pub use config::SyntheticMarketConfig;
pub use greeks::Greeks;
pub use path::{MarketDay, VolSurface};
pub use ssvi::Ssvi;
