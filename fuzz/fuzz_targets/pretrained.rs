//! See `volatilityforge_fuzz::pretrained`.
#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    volatilityforge_fuzz::pretrained(bytes);
});
