//! Walking, pairing, renaming and partial loading.

mod erased;
mod key_map;
mod net;
mod path;
mod subset;
mod zip;
