//! Checkpoints: one file each, written whole or not at all, the last few kept; in it one section
//! per part of the run.

pub(crate) mod bounded_json;
mod checkpoint_folder;
mod identity;
mod one_part;
mod part;
mod sections;

pub use checkpoint_folder::{CheckpointFile, CheckpointFolder};
pub use identity::check_same;
pub use part::{PartState, RunPart};
pub use sections::Sections;
