//! Texts from files, made fit for a terminal.

use std::borrow::Cow;

/// The text with everything escaped that a terminal would obey or that reorders what is seen:
/// control characters (`\u{1b}` begins a terminal's commands), line ends, and the marks that turn
/// the direction of writing. Names and cells of files come from strangers.
///
/// ```
/// assert_eq!(forge_data::printable("a\u{1b}[2Jb"), r"a\u{1b}[2Jb");
/// assert_eq!(forge_data::printable("Größe"), "Größe");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if is_unsafe(c) {
            out.extend(c.escape_default());
        } else {
            out.push(c);
        }
    }
    Cow::Owned(out)
}

fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
