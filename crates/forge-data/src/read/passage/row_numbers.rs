//! Which rows of a file became a table.

/// The numbers of a table's rows in their file, rising, as runs: few whatever the table's length.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct RowNumbers {
    /// The first number of a run, and the table's row that it is.
    runs: Vec<(u64, usize)>,
    len: usize,
    /// The number of the last row.
    last: u64,
}

impl RowNumbers {
    /// Rows 1 to `len`.
    #[cfg(feature = "parquet")]
    pub(crate) fn first(len: usize) -> Self {
        Self {
            runs: vec![(1, 0)],
            len,
            last: len as u64,
        }
    }

    /// Adds a row beyond the last.
    pub(crate) fn push(&mut self, number: u64) {
        if self.len == 0 || number != self.last + 1 {
            self.runs.push((number, self.len));
        }
        self.len += 1;
        self.last = number;
    }

    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// The table's row (0-based) with this number, if it has one.
    pub(crate) fn row(&self, number: u64) -> Option<usize> {
        let run = self.runs.partition_point(|(first, _)| *first <= number);
        let (first, row) = *self.runs.get(run.checked_sub(1)?)?;
        let end = self.runs.get(run).map_or(self.len, |(_, row)| *row);
        let row = usize::try_from(number - first).ok()?.checked_add(row)?;
        (row < end).then_some(row)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_tell_rows_from_gaps() {
        let mut numbers = RowNumbers::default();
        for number in [2, 3, 5, 9, 10] {
            numbers.push(number);
        }
        assert_eq!((numbers.len(), numbers.runs.len()), (5, 3));
        let rows: Vec<Option<usize>> = (0..12).map(|n| numbers.row(n)).collect();
        let found = [
            None,
            None,
            Some(0),
            Some(1),
            None,
            Some(2),
            None,
            None,
            None,
            Some(3),
            Some(4),
            None,
        ];
        assert_eq!(rows, found);
        assert_eq!(RowNumbers::default().row(1), None);
    }
}
