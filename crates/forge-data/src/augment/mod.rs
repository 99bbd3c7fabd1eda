//! Rows made of rows: what a training step sees instead of the table's own.

mod augmentation;
mod mix;

pub use augmentation::{Augmentation, AugmentationConfig};
pub use mix::Mix;
