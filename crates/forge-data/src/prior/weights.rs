//! The edges of one layer of a graph.

use rand::{Rng, RngExt};

use super::law::{Law, normal, uniform};

/// A linear map from all nodes of a layer to those of the next.
pub(super) struct Weights {
    /// `[to, from]`
    edges: Vec<f64>,
    bias: Vec<f64>,
    from: usize,
}

impl Weights {
    /// `drops`: whether edges are left out by the law's dropout.
    pub(super) fn draw(rng: &mut impl Rng, law: &Law, from: usize, to: usize, drops: bool) -> Self {
        let edges = match law.in_blocks {
            true => blocks(rng, law, from, to),
            false => {
                let dropout = if drops { law.dropout } else { 0.0 };
                // What is left keeps the variance of the sum.
                let deviation = law.weight / (1.0 - dropout).sqrt();
                let mut edge = || {
                    let weight = deviation * normal(rng);
                    // Drawn for every edge, so that the others do not depend on it.
                    let stays = rng.random::<f64>() >= dropout;
                    if stays { weight } else { 0.0 }
                };
                (0..from * to).map(|_| edge()).collect()
            }
        };
        let reach = 1.0 / (from as f64).sqrt();
        Self {
            edges,
            bias: (0..to).map(|_| uniform(rng, -reach, reach)).collect(),
            from,
        }
    }

    /// Values `[rows, from]` to `[rows, to]`, row by row.
    pub(super) fn apply(&self, values: &[f64]) -> Vec<f64> {
        let rows = values.chunks_exact(self.from);
        let mut out = Vec::with_capacity(rows.len() * self.bias.len());
        for row in rows {
            let edges = self.edges.chunks_exact(self.from);
            out.extend(edges.zip(&self.bias).map(|(edges, bias)| {
                let products = edges.iter().zip(row).map(|(w, x)| w * x);
                products.sum::<f64>() + bias
            }));
        }
        out
    }
}

/// Some blocks along the diagonal; no edges elsewhere.
fn blocks(rng: &mut impl Rng, law: &Law, from: usize, to: usize) -> Vec<f64> {
    let most = (from.min(to) as f64).sqrt().ceil() as usize;
    let n = rng.random_range(1..=most.max(1));
    let (height, width) = (to / n, from / n);
    let kept = (n * height * width) as f64 / (from * to) as f64;
    let deviation = law.weight / kept.sqrt();
    let mut edges = vec![0.0; from * to];
    for block in 0..n {
        for i in block * height..(block + 1) * height {
            for j in block * width..(block + 1) * width {
                edges[i * from + j] = deviation * normal(rng);
            }
        }
    }
    edges
}
