//! Text from files, fit for a terminal.

use std::borrow::Cow;

/// `text` with what a terminal would obey instead of showing written out (`\u{1b}`): control
/// characters, and the marks that turn the direction of writing around. Line ends and tabs stay.
///
/// Names and messages that come out of a file may hold such characters, to recolour, hide or
/// overwrite what a person reads.
///
/// ```
/// assert_eq!(forge_files::printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_obeyed) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_obeyed(c) {
            shown.extend(c.escape_unicode());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(c: char) -> bool {
    match c {
        '\n' | '\t' => false,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' => true,
        _ => c.is_control(),
    }
}
