//! Small tables drawn from structural causal models, to fit in-context models to: a network that has
//! seen very many of them predicts a table that it has never seen from the labelled rows in its input.
//!
//! The prior is TabPFN's (Hollmann et al. 2023, arXiv 2207.01848, section 4 and appendix C; the
//! distributions of `automl/TabPFN` at ddf5e85): a random network is a causal graph whose nodes are
//! its units; some nodes are the features, another is the target.

mod classes;
mod columns;
mod config;
mod drawn_table;
mod graph;
mod law;
mod weights;

pub use config::TablePriorConfig;
pub use drawn_table::DrawnTable;
