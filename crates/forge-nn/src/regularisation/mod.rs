//! What acts in [`Mode::Train`](crate::Mode::Train) and [`Mode::Sample`](crate::Mode::Sample)
//! only.

mod drop_path;
mod dropout;

pub use drop_path::{DropPath, DropPathConfig, linear_drop_rates};
pub use dropout::{Dropout, DropoutConfig};
