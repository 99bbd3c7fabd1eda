//! Averages of the weights along the run.

mod averaging_part;
mod batch_statistics;
mod ema;
mod swa;

pub use averaging_part::Averaging;
pub use batch_statistics::recompute_statistics;
pub use ema::{Ema, EmaConfig, PlainEma, WarmupEma};
pub use swa::{Swa, SwaConfig, SwaUnit};
