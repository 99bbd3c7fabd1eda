//! Recurrent layers.

mod carried;
mod lstm;

pub use carried::{Carried, Found, Named, Sequences};
pub use lstm::{Lstm, LstmConfig, LstmState};
