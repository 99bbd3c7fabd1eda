//! Attention in plain loops over f64: what a hidden key holds does not count.

use crate::ops::cases::AttentionCase;

/// Where feature `d` of token `t` of head `h` of `heads` stands.
pub(super) struct Place<'a> {
    pub(super) case: &'a AttentionCase,
    pub(super) heads: usize,
    pub(super) tokens: usize,
    pub(super) width: usize,
}

impl Place<'_> {
    pub(super) fn at(&self, b: usize, h: usize, t: usize) -> usize {
        let row = if self.case.swapped {
            (b * self.tokens + t) * self.heads + h
        } else {
            (b * self.heads + h) * self.tokens + t
        };
        row * self.width
    }
}

impl AttentionCase {
    pub(super) fn query_places(&self) -> Place<'_> {
        Place {
            case: self,
            heads: self.heads,
            tokens: self.queries,
            width: self.width,
        }
    }

    pub(super) fn key_places(&self) -> Place<'_> {
        Place {
            case: self,
            heads: self.groups,
            tokens: self.keys,
            width: self.width,
        }
    }

    pub(super) fn value_places(&self) -> Place<'_> {
        Place {
            width: self.value_width,
            ..self.key_places()
        }
    }

    /// `[B, H, Tq, Dv]`.
    pub(super) fn plain_output(&self, inputs: &[Vec<f64>]) -> Vec<f64> {
        let (qs, ks, vs) = (self.query_places(), self.key_places(), self.value_places());
        let scale = self
            .options
            .scale
            .unwrap_or(1.0 / (self.width as f64).sqrt());
        let mut output = Vec::new();
        for (b, h) in (0..self.batch).flat_map(|b| (0..self.heads).map(move |h| (b, h))) {
            let group = h * self.groups / self.heads;
            for i in 0..self.queries {
                let q = &inputs[0][qs.at(b, h, i)..][..self.width];
                let visible: Vec<usize> = (0..self.keys)
                    .filter(|&j| self.visible(b, h, i, j))
                    .collect();
                let scores: Vec<f64> = visible
                    .iter()
                    .map(|&j| {
                        let k = &inputs[1][ks.at(b, group, j)..][..self.width];
                        let mut score = scale * q.iter().zip(k).map(|(q, k)| q * k).sum::<f64>();
                        if let Some(cap) = self.options.softcap {
                            score = cap * (score / cap).tanh();
                        }
                        if self.bias {
                            score += inputs[3][(h * self.queries + i) * self.keys + j];
                        }
                        score
                    })
                    .collect();
                let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                let terms: Vec<f64> = scores.iter().map(|s| (s - highest).exp()).collect();
                let sum: f64 = terms.iter().sum();
                for d in 0..self.value_width {
                    let mixed = visible
                        .iter()
                        .zip(&terms)
                        .map(|(&j, term)| term / sum * inputs[2][vs.at(b, group, j) + d]);
                    output.push(mixed.sum());
                }
            }
        }
        output
    }
}
