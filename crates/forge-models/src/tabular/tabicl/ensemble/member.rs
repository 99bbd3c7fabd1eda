//! One way to look at a table.

use crate::tabular::in_context::{SplitMix, latin, shifted};

/// An order of the columns, a naming of the classes, and whether columns get the power transform.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Member {
    /// Which column stands at each place.
    pub(super) order: Vec<usize>,
    /// What each class is called; nothing for numbers.
    pub(super) names: Option<Vec<usize>>,
    pub(super) power: bool,
}

impl Member {
    /// As the package draws them: all pairs of orders and namings, shuffled, each first without and
    /// then with the power transform, until there are enough.
    pub(super) fn draw(
        columns: usize,
        classes: Option<usize>,
        count: usize,
        seed: u64,
    ) -> Vec<Self> {
        let mut random = SplitMix(seed);
        let orders = match count {
            1 => vec![(0..columns).collect()],
            _ => latin(columns, count, &mut random),
        };
        let shifts = match (classes, count) {
            (None, _) => vec![None],
            (Some(classes), 1) => vec![Some(shifted(classes, 0))],
            (Some(classes), _) => (0..classes).map(|s| Some(shifted(classes, s))).collect(),
        };
        let mut pairs: Vec<(usize, usize)> = (0..orders.len())
            .flat_map(|order| (0..shifts.len()).map(move |shift| (order, shift)))
            .collect();
        random.shuffle(&mut pairs);
        let both = pairs
            .into_iter()
            .flat_map(|pair| [(pair, false), (pair, true)]);
        let member = |((order, shift), power): ((usize, usize), bool)| Self {
            order: orders[order].clone(),
            names: shifts[shift].clone(),
            power,
        };
        both.take(count).map(member).collect()
    }
}
