//! The authors' checkpoints: their tensor names, mapped to ours.

mod key_map;
mod weights;

pub use key_map::KeyMap;
pub use weights::ReferenceWeights;
