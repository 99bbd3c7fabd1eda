//! Averages of the weights along the run.

mod ema;

pub use ema::{Ema, EmaConfig, PlainEma, WarmupEma};
