//! Features of the best quote.

mod config;
mod quote;
mod quote_flow;

pub use config::MicrostructureConfig;
pub(super) use quote_flow::QuoteFlow;
