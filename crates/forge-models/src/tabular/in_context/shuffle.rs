//! Orders of columns and of classes.

/// Steele, Lea and Flood 2014: small, and the same in every version.
#[derive(Debug, Clone)]
pub(in crate::tabular) struct SplitMix(pub(in crate::tabular) u64);

impl SplitMix {
    pub(in crate::tabular) fn next_bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `n`, at least 1.
    pub(in crate::tabular) fn below(&mut self, n: usize) -> usize {
        (self.next_bits() % n as u64) as usize
    }

    /// The numbers below `n` in some order.
    pub(in crate::tabular) fn order(&mut self, n: usize) -> Vec<usize> {
        let mut order: Vec<usize> = (0..n).collect();
        self.shuffle(&mut order);
        order
    }

    /// Fisher–Yates. The bias of the remainder is below 2⁻⁴⁰ for any table.
    pub(in crate::tabular) fn shuffle<T>(&mut self, items: &mut [T]) {
        for i in (1..items.len()).rev() {
            items.swap(i, self.below(i + 1));
        }
    }
}

/// Orders of `n` columns of which no two have a column at the same place: a Latin square, rows and
/// columns and symbols shuffled, of which `count` rows at most.
pub(in crate::tabular) fn latin(n: usize, count: usize, random: &mut SplitMix) -> Vec<Vec<usize>> {
    let mut shifts: Vec<usize> = (0..n).collect();
    let (mut places, mut symbols) = (shifts.clone(), shifts.clone());
    random.shuffle(&mut shifts);
    random.shuffle(&mut places);
    random.shuffle(&mut symbols);
    shifts.truncate(count);
    let row = |shift: usize| -> Vec<usize> {
        places
            .iter()
            .map(|place| symbols[(place + shift) % n])
            .collect()
    };
    shifts.into_iter().map(row).collect()
}

/// Class numbers moved round: class `c` is called `(c + shift) mod n`.
pub(in crate::tabular) fn shifted(n: usize, shift: usize) -> Vec<usize> {
    (0..n).map(|class| (class + shift) % n).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_column_is_twice_at_one_place() {
        let orders = latin(7, 5, &mut SplitMix(3));
        assert_eq!(orders.len(), 5);
        for order in &orders {
            let mut sorted = order.clone();
            sorted.sort_unstable();
            assert_eq!(sorted, [0, 1, 2, 3, 4, 5, 6]);
        }
        for place in 0..7 {
            let mut there: Vec<usize> = orders.iter().map(|order| order[place]).collect();
            there.sort_unstable();
            there.dedup();
            assert_eq!(there.len(), 5, "{orders:?}");
        }
        assert_ne!(orders, latin(7, 5, &mut SplitMix(4)));
        assert_eq!(latin(1, 8, &mut SplitMix(0)), [[0]]);
        assert_eq!(shifted(3, 1), [1, 2, 0]);
    }
}
