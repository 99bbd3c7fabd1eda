//! Layers whose state is a small model that learns while it reads (Sun et al., arXiv 2407.04620):
//! what `ttt_linear` and `ttt_mlp` share.
//!
//! | paper | here |
//! |---|---|
//! | section 2.1, inner loop | `inner`: gradients of the inner loss at tokens |
//! | section 2.4, mini-batches; 2.5, dual form | `inner`: all outputs of a mini-batch by products |
//! | section 2.7, views, step sizes, norms | [`TttMixer`] |
//! | backbone | [`TttBackbone`] |

mod backbone;
mod config;
mod inner;
mod key_map;
mod mixer;

pub use backbone::{TttBackbone, TttBlock};
pub use config::{InnerModel, TttBackboneConfig};
pub use mixer::{TttMixer, TttState};
