//! Inputs as people met them: copies of reported files.

use std::path::{Path, PathBuf};

pub(crate) fn case(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(name)
}
