//! Recurrent layers.

mod detach;
mod lstm;

pub use detach::Detach;
pub use lstm::{Lstm, LstmConfig, LstmState};
