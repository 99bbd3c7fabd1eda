//! Bins that are the leaves of a tree of one feature.

use super::BinTargets;
use super::frontier::Frontier;
use crate::ForgeError;

/// Values no further apart than this are one value to a tree.
const SAME: f32 = 1e-7;

/// When to stop.
#[derive(Debug, Clone, Copy)]
pub(super) struct Limits {
    /// Most leaves.
    pub(super) leaves: usize,
    /// Fewest rows of a leaf.
    pub(super) rows: usize,
    /// Least fall of the impurity, weighted by the node's share of the rows.
    pub(super) decrease: f64,
}

/// The thresholds of a tree grown best split first, in no order: scikit-learn's
/// `DecisionTreeRegressor` (squared error, the mean over targets) or `DecisionTreeClassifier`
/// (Gini) with `max_leaf_nodes`. Features are looked at in f32, as there.
pub(super) fn thresholds(
    values: &[f64],
    targets: BinTargets<'_>,
    limits: Limits,
) -> Result<Vec<f64>, ForgeError> {
    let tree = Tree::new(values, targets, limits)?;
    let mut frontier = Frontier::new();
    let mut thresholds = Vec::new();
    let push = |frontier: &mut Frontier<Node>, start, end| {
        let node = tree.node(start, end);
        frontier.push(node.split.map_or(0.0, |split| split.gain), node);
    };
    push(&mut frontier, 0, values.len());
    while let Some(node) = frontier.pop() {
        let Some(split) = node.split.filter(|_| thresholds.len() + 1 < limits.leaves) else {
            continue;
        };
        thresholds.push(tree.threshold(split.at));
        push(&mut frontier, node.start, split.at);
        push(&mut frontier, split.at, node.end);
    }
    Ok(thresholds)
}

/// Rows in the order of their values.
struct Tree {
    values: Vec<f32>,
    response: Response,
    limits: Limits,
}

/// What is to be predicted, row by row in that order.
enum Response {
    Numbers { slots: usize, values: Vec<f64> },
    Classes { n: usize, labels: Vec<usize> },
}

#[derive(Debug, Clone, Copy)]
struct Split {
    /// The first row of the right side.
    at: usize,
    /// How much the impurity falls, weighted by the node's share of the rows.
    gain: f64,
}

#[derive(Debug)]
struct Node {
    start: usize,
    end: usize,
    split: Option<Split>,
}

impl Tree {
    fn new(values: &[f64], targets: BinTargets<'_>, limits: Limits) -> Result<Self, ForgeError> {
        let (rows, slots) = (values.len(), targets.slots);
        let one = targets.n_classes.is_none() || slots == 1;
        if slots == 0 || !one || targets.values.len() != rows * slots {
            let found = format!("{} values in {slots} column(s)", targets.values.len());
            let expected =
                format!("one row of targets for each of {rows} values, classes in one column");
            return Err(ForgeError::shape("targets of a tree", found, expected));
        }
        let mut order: Vec<usize> = (0..rows).collect();
        order.sort_by(|a, b| values[*a].total_cmp(&values[*b]));
        let of = |row: &usize| &targets.values[row * slots..][..slots];
        let response = match targets.n_classes {
            None => Response::Numbers {
                slots,
                values: order.iter().flat_map(of).copied().collect(),
            },
            Some(n) => {
                let labels: Vec<usize> = order.iter().map(|row| of(row)[0] as usize).collect();
                if let Some(label) = labels.iter().find(|label| **label >= n) {
                    let expected = format!("a class in 0..{n}");
                    return Err(ForgeError::shape("target of a tree", label, expected));
                }
                Response::Classes { n, labels }
            }
        };
        Ok(Self {
            values: order.iter().map(|row| values[*row] as f32).collect(),
            response,
            limits,
        })
    }

    /// Between two values, half way.
    fn threshold(&self, at: usize) -> f64 {
        let (left, right) = (f64::from(self.values[at - 1]), f64::from(self.values[at]));
        left / 2.0 + right / 2.0
    }

    /// A node with its best split, the first of equals; none where it has to be a leaf.
    fn node(&self, start: usize, end: usize) -> Node {
        let leaf = Node {
            start,
            end,
            split: None,
        };
        let all = self.sums(start, end);
        let impurity = all.impurity(&self.response);
        if end - start < 2.max(2 * self.limits.rows) || impurity <= f64::EPSILON {
            return leaf;
        }
        let (mut left, mut right) = (self.sums(start, start), all);
        let mut best: Option<(usize, f64)> = None;
        for at in start + 1..end {
            left.add(&self.response, at - 1);
            right.remove(&self.response, at - 1);
            let apart = self.values[at] > self.values[at - 1] + SAME;
            if !apart || at - start < self.limits.rows || end - at < self.limits.rows {
                continue;
            }
            let score = left.dot / left.rows + right.dot / right.rows;
            if best.is_none_or(|(_, most)| score > most) {
                best = Some((at, score));
            }
        }
        let Some((at, _)) = best else {
            return leaf;
        };
        let share = |from, to| {
            let part = self.sums(from, to).impurity(&self.response);
            part * (to - from) as f64 / (end - start) as f64
        };
        let fall = impurity - share(at, end) - share(start, at);
        let gain = fall * (end - start) as f64 / self.values.len() as f64;
        if gain + f64::EPSILON < self.limits.decrease {
            return leaf;
        }
        Node {
            split: Some(Split { at, gain }),
            ..leaf
        }
    }

    fn sums(&self, start: usize, end: usize) -> Sums {
        let width = match &self.response {
            Response::Numbers { slots, .. } => *slots,
            Response::Classes { n, .. } => *n,
        };
        let mut sums = Sums {
            rows: 0.0,
            sums: vec![0.0; width],
            squares: 0.0,
            dot: 0.0,
        };
        (start..end).for_each(|row| sums.add(&self.response, row));
        sums
    }
}

/// Of some rows: their number, the sums of their targets (a class is 1 in its own place), the sum
/// of the targets' squares, the sum of the sums' squares.
struct Sums {
    rows: f64,
    sums: Vec<f64>,
    squares: f64,
    dot: f64,
}

impl Sums {
    fn add(&mut self, response: &Response, row: usize) {
        self.change(response, row, 1.0);
    }

    fn remove(&mut self, response: &Response, row: usize) {
        self.change(response, row, -1.0);
    }

    fn change(&mut self, response: &Response, row: usize, sign: f64) {
        self.rows += sign;
        match response {
            Response::Numbers { slots, values } => {
                for (sum, y) in self.sums.iter_mut().zip(&values[row * slots..]) {
                    *sum += sign * y;
                    self.squares += sign * y * y;
                }
                self.dot = self.sums.iter().map(|sum| sum * sum).sum();
            }
            // Whole numbers, and however many classes there are, one changes.
            Response::Classes { labels, .. } => {
                let count = &mut self.sums[labels[row]];
                self.dot += 2.0 * sign * *count + 1.0;
                *count += sign;
                self.squares += sign;
            }
        }
    }

    /// The variance, its mean over targets; of classes, `1 - Σ p²`.
    fn impurity(&self, response: &Response) -> f64 {
        let variance = self.squares / self.rows - self.dot / (self.rows * self.rows);
        match response {
            Response::Numbers { slots, .. } => variance / *slots as f64,
            Response::Classes { .. } => variance,
        }
    }
}
