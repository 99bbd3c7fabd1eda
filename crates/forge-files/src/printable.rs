//! Text from files, fit for a terminal.

use std::borrow::Cow;

/// `text` with what a terminal would obey instead of showing written out (`\u{1b}`): control
/// characters, invisible ones, and the marks that turn the direction of writing around. Line ends
/// and tabs stay.
///
/// Names and messages that come out of a file may hold such characters, to recolour, hide or
/// overwrite what a person reads.
///
/// ```
/// assert_eq!(forge_files::printable("a\u{1b}[2Jb\n"), "a\\u{1b}[2Jb\n");
/// ```
#[must_use]
pub fn printable(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_obeyed(c) && !matches!(c, '\n' | '\t'))
}

/// [`printable`] for what stands within a line, such as a column's name: line ends and tabs are
/// written out too.
///
/// ```
/// assert_eq!(forge_files::printable_line("a\u{1b}[2Jb\n"), r"a\u{1b}[2Jb\n");
/// assert_eq!(forge_files::printable_line("Größe"), "Größe");
/// ```
#[must_use]
pub fn printable_line(text: &str) -> Cow<'_, str> {
    escaped(text, is_obeyed)
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.chars().any(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

fn is_obeyed(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
}
