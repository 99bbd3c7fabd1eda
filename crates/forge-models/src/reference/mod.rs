//! The authors' checkpoints: their tensor names, mapped to ours.

mod weights;

pub use forge_nn::parameters::KeyMap;
pub use weights::ReferenceWeights;
pub(crate) use weights::check_size;
