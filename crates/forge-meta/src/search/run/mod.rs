//! A search as a run: two optimisers, one checkpoint.

mod arcs;
mod config;
mod optimisers;
mod search;
mod state;
mod strengths;
mod task;

pub use config::{SearchConfig, SearchMethod};
pub use search::{Search, SearchStep};
pub use task::{SearchData, SearchLoss, SearchTask};
