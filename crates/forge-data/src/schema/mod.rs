//! What kind of values a column holds, and how a text becomes one of them.

pub(crate) mod date_format;
pub(crate) mod date_time;
mod kind;
mod missing;
pub(crate) mod near_number;
pub(crate) mod number;
mod profile;
mod resemblance;
pub(crate) mod written_date;

pub use kind::{ColumnKind, ColumnRole, DateOrder};
pub(crate) use missing::Missing;
pub use number::Decimal;
pub(crate) use profile::{Commas, Profile};
pub(crate) use resemblance::Sample;
