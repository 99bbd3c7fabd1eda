//! What kind of values a column holds, and how a text becomes one of them.

pub(crate) mod date_time;
mod kind;
mod missing;
pub(crate) mod number;
mod profile;

pub use kind::{ColumnKind, ColumnRole};
pub(crate) use missing::Missing;
pub use number::Decimal;
pub(crate) use profile::Profile;
