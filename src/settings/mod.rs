//! Settings as text: the short forms of the command line in files, and single fields by their
//! place.

#[cfg(feature = "experiment")]
mod by_place;
pub(crate) mod model_table;
mod name_or_table;
mod short_form;

#[cfg(feature = "experiment")]
pub(crate) use by_place::{beside, overlay_file, set_by_place, toml_file};
pub use model_table::ChangedPreset;
pub(crate) use name_or_table::{NameOrTable, name_or_table};
pub(crate) use short_form::text_or_table;
