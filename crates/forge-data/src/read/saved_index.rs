//! A first column that counts the rows: a data frame's index, saved with its columns.

use super::cell::Cell;

/// Watches the first column.
#[derive(Debug)]
pub(crate) struct RowCounter {
    /// Whether all cells so far are whole numbers from 0.
    whole: bool,
    seen: u64,
    first: u64,
    last: u64,
    max: u64,
    min: u64,
    /// Whether each is the one before and one more.
    ascending: bool,
    /// Whether each is the one before and as much more as the second is.
    even: bool,
    /// Which numbers were there; `None` once one is too large or there twice.
    there: Option<Vec<u64>>,
}

/// How a column counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Count {
    /// Every row once: from 0 or 1 in any order, or from anywhere in order.
    EveryRow {
        /// From 0 or 1, in order.
        plain: bool,
    },
    /// Some of the rows of a larger table, each once, as after a split at random.
    SomeRows,
}

impl RowCounter {
    /// How much larger than the rows so far a number may be that counts rows of a larger table.
    const SPARSE: u64 = 20;
    /// The fewest rows from which a count of some rows is told from other whole numbers.
    const ENOUGH: u64 = 20;

    pub(crate) fn new() -> Self {
        Self {
            whole: true,
            seen: 0,
            first: 0,
            last: 0,
            max: 0,
            min: u64::MAX,
            ascending: true,
            even: true,
            there: Some(Vec::new()),
        }
    }

    /// Looks at the next cell.
    pub(crate) fn see(&mut self, cell: &Cell<'_>) {
        if !self.whole {
            return;
        }
        let Some(value) = whole_number(cell) else {
            self.whole = false;
            self.there = None;
            return;
        };
        match self.seen {
            0 => self.first = value,
            1 => {
                self.ascending = value == self.first + 1;
                self.even = value > self.first;
            }
            seen => {
                self.ascending = self.ascending && value == self.last + 1;
                self.even = self.even
                    && (value.checked_sub(self.first))
                        == (self.last - self.first)
                            .checked_mul(seen)
                            .map(|n| n / (seen - 1));
            }
        }
        self.seen += 1;
        self.last = value;
        self.max = self.max.max(value);
        self.min = self.min.min(value);
        let (word, bit) = ((value / 64) as usize, 1u64 << (value % 64));
        if value > Self::SPARSE * (self.seen + 1000) {
            self.there = None;
        }
        if let Some(there) = &mut self.there {
            if there.len() <= word {
                there.resize(word + 1, 0);
            }
            if there[word] & bit != 0 {
                self.there = None;
            } else {
                there[word] |= bit;
            }
        }
        self.whole = self.ascending || self.there.is_some();
    }

    /// The first number.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// How the column counts, if it does.
    pub(crate) fn count(&self) -> Option<Count> {
        if !self.whole || self.seen < 3 {
            return None;
        }
        let rows = self.seen;
        let all = self.there.is_some() && self.min <= 1 && self.max == self.min + rows - 1;
        if all || self.ascending {
            let plain = self.ascending && self.first <= 1;
            return Some(Count::EveryRow { plain });
        }
        // A part drawn at random starts near 0, and no grid is drawn at random.
        let near_zero = self.min.saturating_mul(rows) <= 8 * (self.max + 1);
        let some = rows >= Self::ENOUGH && self.max < Self::SPARSE * rows && near_zero;
        (some && !self.even && self.there.is_some()).then_some(Count::SomeRows)
    }
}

/// Whether a first column of this name (as the header has it, empty where it has none) that counts
/// so is a saved index.
pub(crate) fn is_index(name: &str, count: Count, rows: u64) -> bool {
    const NAMES: [&str; 13] = [
        "index",
        "level_0",
        "row",
        "rowid",
        "row_id",
        "row_number",
        "rownames",
        "row_names",
        "row.names",
        "id",
        "no",
        "nr",
        "#",
    ];
    if name.is_empty() || name == "Unnamed: 0" {
        return true;
    }
    let usual = NAMES.iter().any(|usual| usual.eq_ignore_ascii_case(name));
    usual && rows >= 10 && matches!(count, Count::EveryRow { .. })
}

fn whole_number(cell: &Cell<'_>) -> Option<u64> {
    match cell {
        Cell::Integer(value) => u64::try_from(*value).ok(),
        Cell::Number(value) if value.fract() == 0.0 && (0.0..1e15).contains(value) => {
            Some(*value as u64)
        }
        Cell::Text(text) => {
            let text = text.trim();
            let zero = text.len() > 1 && text.starts_with('0');
            let digits = (1..=15).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
            if zero || !digits {
                None
            } else {
                text.parse().ok()
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Count, RowCounter};

    fn count(values: impl IntoIterator<Item = u64>) -> Option<Count> {
        let mut counter = RowCounter::new();
        for value in values {
            counter.see(&Cell::Text(&value.to_string()));
        }
        counter.count()
    }

    #[test]
    fn rows_are_told_from_amounts() {
        let plain = Some(Count::EveryRow { plain: true });
        let every = Some(Count::EveryRow { plain: false });
        assert_eq!(count(0..50), plain);
        assert_eq!(count(1..51), plain);
        assert_eq!(count(700_000..700_050), every);
        assert_eq!(count((0..50).map(|i| i * 7 % 50)), every);
        assert_eq!(count((0..50).map(|i| i * 37 % 499)), Some(Count::SomeRows));
        // Strikes, a repeated number, too few, a grid from near 0.
        for other in [
            (0..41).map(|i| 3000 + 50 * i).collect::<Vec<u64>>(),
            vec![0, 1, 2, 2, 3],
            vec![0, 1],
            (0..41).map(|i| 10 + 10 * i).collect(),
        ] {
            assert_eq!(count(other.iter().copied()), None, "{other:?}");
        }
    }
}
