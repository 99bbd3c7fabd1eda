//! What the examples print: like the standard macros, but nobody reading is no reason to stop, and
//! what names and messages out of files hold is shown, not obeyed by the terminal.
//!
//! `train | head -1` closes the pipe after a line; the standard macros would end the run then.

use std::fmt::Arguments;
use std::io::{self, Write};

use volatilityforge::files::printable;

/// Writes to `stream`, if anybody is there.
pub(crate) fn write(mut stream: impl Write, what: Arguments<'_>) {
    let text = what.to_string();
    let _ = stream.write_all(printable(&text).as_bytes());
    let _ = stream.flush();
}

pub(crate) fn out(what: Arguments<'_>) {
    write(io::stdout().lock(), what);
}

pub(crate) fn err(what: Arguments<'_>) {
    write(io::stderr().lock(), what);
}

#[allow(unused_macros, reason = "not every example prints half lines")]
macro_rules! print {
    ($($what:tt)*) => { $crate::output::out(format_args!($($what)*)) };
}

macro_rules! println {
    () => { $crate::output::out(format_args!("\n")) };
    ($($what:tt)*) => { $crate::output::out(format_args!("{}\n", format_args!($($what)*))) };
}

macro_rules! eprintln {
    ($($what:tt)*) => { $crate::output::err(format_args!("{}\n", format_args!($($what)*))) };
}
