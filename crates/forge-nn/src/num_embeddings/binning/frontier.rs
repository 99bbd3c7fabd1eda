//! The nodes of a tree that are still to be split, the most useful first.

/// A binary heap whose order among equals is that of the C++ standard library (`push_heap`,
/// `pop_heap`), by which scikit-learn decides which of equally good splits its leaves are spent on.
#[derive(Debug)]
pub(super) struct Frontier<T> {
    heap: Vec<(f64, T)>,
}

impl<T> Frontier<T> {
    pub(super) fn new() -> Self {
        Self { heap: vec![] }
    }

    pub(super) fn push(&mut self, gain: f64, node: T) {
        self.heap.push((gain, node));
        self.rise(self.heap.len() - 1);
    }

    /// The node of the largest gain.
    pub(super) fn pop(&mut self) -> Option<T> {
        let last = self.heap.len().checked_sub(1)?;
        self.heap.swap(0, last);
        let (_, node) = self.heap.pop()?;
        // What was last goes down to the bottom on the side of larger children, and rises again.
        let (n, mut at) = (self.heap.len(), 0);
        while 2 * at + 2 < n {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            let larger = if self.gain(right) < self.gain(left) {
                left
            } else {
                right
            };
            self.heap.swap(at, larger);
            at = larger;
        }
        if 2 * at + 1 < n {
            self.heap.swap(at, 2 * at + 1);
            at = 2 * at + 1;
        }
        if n > 0 {
            self.rise(at);
        }
        Some(node)
    }

    fn rise(&mut self, mut at: usize) {
        while at > 0 && self.gain((at - 1) / 2) < self.gain(at) {
            self.heap.swap(at, (at - 1) / 2);
            at = (at - 1) / 2;
        }
    }

    fn gain(&self, at: usize) -> f64 {
        self.heap[at].0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_largest_gain_comes_first() {
        let mut frontier = Frontier::new();
        for i in 0..50 {
            frontier.push(f64::from(i * 17 % 50), i * 17 % 50);
        }
        let order: Vec<i32> = std::iter::from_fn(|| frontier.pop()).collect();
        assert_eq!(order, (0..50).rev().collect::<Vec<_>>());
    }

    #[test]
    fn equals_come_in_the_order_of_the_standard_library_of_cpp() {
        let mut frontier = Frontier::new();
        (0..7).for_each(|i| frontier.push(1.0, i));
        let order: Vec<i32> = std::iter::from_fn(|| frontier.pop()).collect();
        // What GCC's std::push_heap and std::pop_heap make of it.
        assert_eq!(order, [0, 2, 5, 6, 4, 1, 3]);
    }
}
