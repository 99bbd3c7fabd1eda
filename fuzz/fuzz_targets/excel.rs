//! See `volatilityforge_fuzz::excel`.
#![no_main]

use libfuzzer_sys::fuzz_target;

// Panics of the format's own reader are caught by the library and become errors; the hook that
// libfuzzer sets would end the process before that. One that is not caught still does.
fuzz_target!(init: std::panic::set_hook(Box::new(|_| {})), |bytes: &[u8]| {
    volatilityforge_fuzz::excel(bytes);
});
