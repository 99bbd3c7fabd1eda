//! A batch computed in parts, one after the other, to save memory.

use std::ops::Range;

/// `rows` cut into at most `parts` pieces of nearly equal length, none of them of one row where
/// that can be helped.
pub(super) fn pieces(rows: usize, parts: usize) -> impl Iterator<Item = Range<usize>> {
    let parts = parts.min(rows / 2).max(1);
    (0..parts).map(move |i| i * rows / parts..(i + 1) * rows / parts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_cover_a_batch() {
        let cut = |rows, parts| pieces(rows, parts).map(|r| r.len()).collect::<Vec<_>>();
        assert_eq!(cut(7, 3), [2, 2, 3]);
        assert_eq!(cut(3, 3), [3]);
        assert_eq!(cut(1, 4), [1]);
        assert_eq!(cut(5, 4), [2, 3]);
    }
}
