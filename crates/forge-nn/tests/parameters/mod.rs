//! Walking, pairing and partial loading.

mod net;
mod path;
mod subset;
mod zip;
