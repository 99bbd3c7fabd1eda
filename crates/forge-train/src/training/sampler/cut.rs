//! Rows cut into batches.

use std::ops::Range;

/// `rows` rows cut into batches of `size`; a last batch of one row is joined to the one before it,
/// since batch statistics of one row have no variance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Cut {
    rows: usize,
    size: usize,
}

impl Cut {
    /// A size of 0 counts as 1.
    pub(super) fn new(rows: usize, size: usize) -> Self {
        let size = size.max(1);
        Self { rows, size }
    }

    /// Number of batches.
    pub(super) fn count(self) -> usize {
        let (full, tail) = (self.rows / self.size, self.rows % self.size);
        if tail == 0 || (tail == 1 && full > 0) {
            full
        } else {
            full + 1
        }
    }

    /// Where batch `index` lies; empty past the last.
    pub(super) fn batch(self, index: usize) -> Range<usize> {
        let count = self.count();
        if index >= count {
            return self.rows..self.rows;
        }
        let start = index * self.size;
        let end = if index + 1 == count {
            self.rows
        } else {
            start + self.size
        };
        start..end
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_row_comes_once_and_no_batch_has_one_row() {
        for n in 0..40 {
            for size in 1..12 {
                let cut = Cut::new(n, size);
                let rows: Vec<usize> = (0..cut.count()).flat_map(|i| cut.batch(i)).collect();
                assert_eq!(rows, (0..n).collect::<Vec<_>>(), "n {n}, size {size}");
                if n > 1 && size > 1 {
                    assert!((0..cut.count()).all(|i| cut.batch(i).len() > 1));
                }
                assert!(cut.batch(cut.count()).is_empty());
            }
        }
    }
}
