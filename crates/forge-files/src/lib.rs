//! What all parts of this library keep to where files are concerned: a file is
//! [written whole](WholeFile) or not at all, what a person names to write to is
//! [written as it is](OutputFile), a folder in which something grows has [one owner](FolderLock),
//! only [files](open_regular) are
//! read where something else would never end, and text out of files is [shown](printable), not
//! obeyed. Settings are read and written [through one serialiser](erased_serde!).

#[doc(hidden)]
pub mod erase;
mod folder_lock;
mod output_file;
mod printable;
mod regular;
mod whole_file;

pub use folder_lock::FolderLock;
pub use output_file::OutputFile;
pub use printable::{printable, printable_line};
pub use regular::{is_pipe, kind_of, open_regular};
pub use whole_file::WholeFile;
