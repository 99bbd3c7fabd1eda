//! Checkpoints: one file each, written whole or not at all, the last few kept.

mod checkpoint_folder;
mod identity;

pub use checkpoint_folder::{CheckpointFile, CheckpointFolder};
pub use identity::check_same;
