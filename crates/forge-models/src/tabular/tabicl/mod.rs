#![doc = include_str!("README.md")]
//!
//! # From the papers' parts to the code's
//!
//! | paper (arXiv 2502.05564; 2602.11139) | here |
//! |---|---|
//! | distribution-aware column-wise embedding, `TF_col` | [`TabIclColumns`] of [`InducedBlock`]s |
//! | repeated feature grouping | [`ColumnGroups`] |
//! | target-aware embedding | `label_encoder` of [`TabIclColumns`] |
//! | context-aware row-wise interaction, `TF_row` | [`TabIclRows`] |
//! | dataset-wise in-context learning, `TF_icl` | [`TabIclLearner`] |
//! | layers of all three | [`TabIclBlock`], [`TabIclAttention`] |
//! | ensemble at inference, as the package's `EnsembleGenerator` | [`TabIclEnsemble`] |
//! | scalable softmax, query-aware | [`ScalableSoftmax`], [`SoftmaxScaling`] |

mod attention;
mod block;
mod columns;
mod config;
mod ensemble;
mod groups;
mod induced_block;
mod key_map;
mod labels;
mod learner;
mod model;
mod rows;
mod scalable_softmax;
mod switch;

pub use attention::TabIclAttention;
pub use block::TabIclBlock;
pub use columns::{AffineCells, TabIclColumns};
pub use config::{TabIclActivation, TabIclConfig};
pub use ensemble::{TabIclEnsemble, TabIclEnsembleConfig};
pub use groups::ColumnGroups;
pub use induced_block::InducedBlock;
pub use learner::TabIclLearner;
pub use model::TabIcl;
pub use rows::TabIclRows;
pub use scalable_softmax::{QueryAwareScale, ScalableSoftmax, SoftmaxScaling, TwoLinear};
