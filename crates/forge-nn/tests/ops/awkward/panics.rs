//! What an operation says when it refuses its inputs.

use std::panic::{AssertUnwindSafe, catch_unwind};

/// The message with which `call` panics.
pub(super) fn message<T>(call: impl FnOnce() -> T) -> String {
    let Err(panic) = catch_unwind(AssertUnwindSafe(|| drop(call()))) else {
        panic!("was not refused");
    };
    panic
        .downcast_ref::<String>()
        .cloned()
        .or_else(|| panic.downcast_ref::<&str>().map(|text| text.to_string()))
        .unwrap_or_default()
}
