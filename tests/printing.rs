//! What the examples print, where nobody reads and where a file would have the terminal obey.

use std::io::{self, Write};

use crate::output;

/// As a pipe is that `head -1` has closed.
struct Closed;

impl Write for Closed {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(io::ErrorKind::BrokenPipe.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Err(io::ErrorKind::BrokenPipe.into())
    }
}

#[test]
fn nobody_reading_is_no_reason_to_stop() {
    output::write(Closed, format_args!("a line\n"));
    output::write(Closed, format_args!("and another\n"));
}

#[test]
fn escape_sequences_are_shown_not_obeyed() {
    let mut shown = Vec::new();
    let name = "iv\u{1b}]0;title\u{7}\u{1b}[2J";
    output::write(&mut shown, format_args!("{name} is missing\n\tindeed\n"));
    let shown = String::from_utf8(shown).unwrap();
    assert_eq!(
        shown,
        "iv\\u{1b}]0;title\\u{7}\\u{1b}[2J is missing\n\tindeed\n"
    );
}
