//! Settings as text: the short forms of the command line in files, and single fields by their
//! place.

#[cfg(feature = "experiment")]
mod by_place;
mod short_form;

#[cfg(feature = "experiment")]
pub(crate) use by_place::{overlay_file, set_by_place};
pub(crate) use short_form::text_or_table;
