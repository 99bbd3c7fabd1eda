//! Parameters chosen by the look of their paths.

use std::fmt;

/// A pattern over paths: `*` stands for any text, dots included, everything else for itself. It
/// fits a parameter if it fits the parameter's whole path or that of a module on the way to it.
///
/// ```
/// use forge_train::optimizer::PathPattern;
///
/// let fits = |pattern: &str, path: &str| PathPattern::new(pattern).fits(path);
/// assert!(fits("tokenizer", "tokenizer.numeric.weight") && fits("tokenizer.*", "tokenizer.cls"));
/// assert!(!fits("token", "tokenizer.cls"));
/// assert!(fits("*.bias", "blocks.0.linear.bias"));
/// assert!(fits("blocks.*.norm", "blocks.0.norm.weight"));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PathPattern(String);

impl PathPattern {
    /// The pattern that is written so.
    pub fn new(pattern: impl Into<String>) -> Self {
        Self(pattern.into())
    }

    /// Whether it fits the parameter at `path`.
    #[must_use]
    pub fn fits(&self, path: &str) -> bool {
        let ends = path.match_indices('.').map(|(dot, _)| dot);
        ends.chain([path.len()])
            .any(|end| fits_whole(&self.0, &path[..end]))
    }
}

impl fmt::Display for PathPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Whether `pattern` fits all of `text`. The parts between the stars are found from left to right,
/// each as early as it can be, the last one at the end.
fn fits_whole(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let Some(last) = parts.next_back() else {
        return rest.is_empty();
    };
    for part in parts {
        match rest.find(part) {
            Some(at) => rest = &rest[at + part.len()..],
            None => return false,
        }
    }
    rest.ends_with(last)
}
