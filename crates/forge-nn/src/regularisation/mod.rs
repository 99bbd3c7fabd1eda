//! What acts in [`Mode::Train`](crate::Mode::Train) and [`Mode::Sample`](crate::Mode::Sample)
//! only.

mod drop_path;
mod dropout;
mod dropout_factor;

pub use drop_path::{DropPath, DropPathConfig, linear_drop_rates};
pub use dropout::{Dropout, DropoutConfig};
pub(crate) use dropout_factor::factor as current_dropout_factor;
pub use dropout_factor::with_dropout_factor;
