//! What volatilityforge is checked with.
//!
//! - [`oracle`]: agreement with reference implementations, outputs and gradients; the binary
//!   `oracle` runs it on any files.
//! - [`GradientCheck`]: gradients against finite differences in f64.
//! - [`battery`]: what every model of the registry must do.
//! - [`components`]: how the runner finds the layers of forge-nn.
//! - [`survives`]: runs that are killed end as those that are not.
//! - [`mod@bench`]: what the benchmarks share.

pub mod battery;
pub mod bench;
pub mod components;
mod gradient_check;
mod gradients;
mod kill;
mod noise;
pub mod oracle;
mod shards;

pub use gradient_check::{GradientCheck, GradientMismatch, GradientReport};
pub use gradients::gradients_by_name;
pub use kill::survives;
pub use noise::Noise;
pub use shards::with_padded_parameters;
