#![doc = include_str!("README.md")]

mod block;
mod calendar_encoding;
mod config;
mod key_map;
mod masked_rev_in;
mod model;
mod quantile_head;
mod temporal_aggregation;

pub use block::{MigtBlock, MigtBlockConfig};
pub use calendar_encoding::{MigtCalendarEncoding, MigtCalendarEncodingConfig};
pub use config::MigtTvdtConfig;
pub use masked_rev_in::{MaskedRevIn, MaskedRevInConfig, MaskedRevInStatistics};
pub use model::MigtTvdt;
pub use quantile_head::{RisingQuantileHead, RisingQuantileHeadConfig};
pub use temporal_aggregation::{TemporalAggregation, TemporalAggregationConfig};
