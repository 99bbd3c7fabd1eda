//! Values of the nodes of a random graph.

use rand::seq::SliceRandom;
use rand::{Rng, RngExt};
use rand_distr::{Distribution, Zipf};

use super::law::{Law, normal, uniform};
use super::weights::Weights;

/// Largest value of a heavy-tailed cause.
const LARGEST: f64 = 10.0;

/// Features `[rows, F]` and a target for each row, both still numbers.
pub(super) struct Nodes {
    pub(super) features: Vec<f64>,
    pub(super) target: Vec<f64>,
}

impl Nodes {
    /// `rows` rows of `n` features by the law.
    pub(super) fn draw(rng: &mut impl Rng, law: &Law, rows: usize, n: usize) -> Self {
        let (causes, width) = match law.causal {
            true => (law.causes, law.width.max(1 + 2 * n)),
            false => (n, law.width),
        };
        let roots = roots(rng, law, rows, causes);
        let mut values = Weights::draw(rng, law, causes, width, false).apply(&roots);
        let mut layers = vec![];
        for _ in 1..law.layers {
            values = layer(rng, law, values, width, width);
            if law.causal {
                layers.push(values.clone());
            }
        }
        if !law.causal {
            let target = layer(rng, law, values, width, 1);
            return Self {
                features: roots,
                target,
            };
        }
        let (target, features) = chosen(rng, law, layers.len() * width, n);
        let node = |row: usize, node: usize| layers[node / width][row * width + node % width];
        let row = |row| features.iter().map(move |at| node(row, *at));
        Self {
            features: (0..rows).flat_map(row).collect(),
            target: (0..rows).map(|row| node(row, target)).collect(),
        }
    }
}

/// Activation, edges and noise.
fn layer(rng: &mut impl Rng, law: &Law, values: Vec<f64>, from: usize, to: usize) -> Vec<f64> {
    let values: Vec<f64> = values
        .into_iter()
        .map(|x| law.activation.apply(x))
        .collect();
    let mut values = Weights::draw(rng, law, from, to, true).apply(&values);
    let sizes: Vec<f64> = match law.noise_per_node {
        true => (0..to).map(|_| (law.noise * normal(rng)).abs()).collect(),
        false => vec![law.noise; to],
    };
    for row in values.chunks_exact_mut(to) {
        for (value, size) in row.iter_mut().zip(&sizes) {
            *value += size * normal(rng);
        }
    }
    values
}

/// Which of `nodes` nodes is the target, and which are the `n` features.
fn chosen(rng: &mut impl Rng, law: &Law, nodes: usize, n: usize) -> (usize, Vec<usize>) {
    let mut order: Vec<usize> = match law.clique {
        true => {
            let start = rng.random_range(0..=nodes - 1 - n);
            (start..=start + n).collect()
        }
        false => (0..nodes).collect(),
    };
    order.shuffle(rng);
    let target = if law.effect { nodes - 1 } else { order[0] };
    // A feature that is the target would give it away.
    let others = order.into_iter().filter(|node| *node != target);
    let mut features: Vec<usize> = others.take(n).collect();
    if law.sorted {
        features.sort_unstable();
    }
    (target, features)
}

/// The nodes that nothing leads to, `[rows, causes]`: normal, or categories or heavy-tailed.
fn roots(rng: &mut impl Rng, law: &Law, rows: usize, causes: usize) -> Vec<f64> {
    let mut parts = [0.0; 2];
    if law.mixed_causes {
        // Normal ones as a part of all, categories as a part of the rest.
        parts = parts.map(|_: f64| uniform(rng, 0.0, 0.66));
    }
    let mut all = vec![0.0; rows * causes];
    for cause in 0..causes {
        let column = match law.mixed_causes && rng.random::<f64>() <= parts[0] {
            false => {
                let mean = normal(rng);
                let deviation = (mean * normal(rng)).abs();
                (0..rows).map(|_| mean + deviation * normal(rng)).collect()
            }
            true if rng.random::<f64>() > parts[1] => categories(rng, rows),
            true => heavy_tailed(rng, rows),
        };
        for (row, value) in column.into_iter().enumerate() {
            all[row * causes + cause] = value;
        }
    }
    all
}

/// Numbers of 2 to 10 categories of unlike frequency.
fn categories(rng: &mut impl Rng, rows: usize) -> Vec<f64> {
    let n = rng.random_range(2..=10);
    let shares: Vec<f64> = (0..n).map(|_| rng.random::<f64>()).collect();
    let sum: f64 = shares.iter().sum();
    let mut one = || {
        let mut left = rng.random::<f64>() * sum;
        let at = shares.iter().position(|share| {
            left -= share;
            left < 0.0
        });
        at.unwrap_or(n - 1) as f64
    };
    let codes: Vec<f64> = (0..rows).map(|_| one()).collect();
    let mean = codes.iter().sum::<f64>() / rows as f64;
    let variance = codes.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / rows as f64;
    let deviation = if variance > 0.0 { variance.sqrt() } else { 1.0 };
    codes.into_iter().map(|x| (x - mean) / deviation).collect()
}

fn heavy_tailed(rng: &mut impl Rng, rows: usize) -> Vec<f64> {
    let exponent = uniform(rng, 2.0, 4.0);
    // Both arguments are in range: cut at the largest value that is kept apart.
    let zipf = Zipf::new(1e6, exponent);
    let mut one = || {
        zipf.as_ref()
            .map_or(1.0, |zipf| zipf.sample(rng))
            .min(LARGEST)
    };
    let values: Vec<f64> = (0..rows).map(|_| one()).collect();
    let mean = values.iter().sum::<f64>() / rows as f64;
    values.into_iter().map(|x| x - mean).collect()
}
