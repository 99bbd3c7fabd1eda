//! What probabilities of buckets say, on the host.

use std::f64::consts::PI;

use super::BarDistribution;
use crate::ForgeError;
use crate::host::softmax;

/// Where half of the half-normal distribution of scale 1 lies below.
const HALF: f64 = 0.674_489_750_196_081_7;

/// The scale of the half-normal distribution of which half lies within `width`.
pub(super) fn tail(width: f64) -> f64 {
    width / HALF
}

impl BarDistribution {
    /// Softmax of one row's logits.
    ///
    /// # Errors
    /// A shape error for another number of them than buckets.
    pub fn probabilities(&self, logits: &[f64]) -> Result<Vec<f64>, ForgeError> {
        if logits.len() != self.len() {
            let expected = format!("[{}], one per bucket", self.len());
            return Err(ForgeError::shape(
                "logits",
                format!("[{}]", logits.len()),
                expected,
            ));
        }
        Ok(softmax(logits, 1.0))
    }

    /// The mean; `p` is one probability per bucket.
    #[must_use]
    pub fn mean(&self, p: &[f64]) -> f64 {
        self.sum(p, |bucket| bucket.mean)
    }

    /// The variance.
    #[must_use]
    pub fn variance(&self, p: &[f64]) -> f64 {
        let mean = self.mean(p);
        self.sum(p, |bucket| bucket.variance + (bucket.mean - mean).powi(2))
    }

    /// The middle of the bucket of the largest density, the first of several; those without width do
    /// not count.
    #[must_use]
    pub fn mode(&self, p: &[f64]) -> f64 {
        let density = |i: usize| match self.width(i) {
            width if width > 0.0 => p[i] / width,
            _ => 0.0,
        };
        let buckets = 0..self.len().min(p.len());
        let best = buckets.fold(
            0,
            |best, i| if density(i) > density(best) { i } else { best },
        );
        self.borders[best].midpoint(self.borders[best + 1])
    }

    /// Where a share `q` of the probability lies below, buckets taken for even.
    #[must_use]
    pub fn quantile(&self, p: &[f64], q: f64) -> f64 {
        let mut below = 0.0;
        let last = self.len() - 1;
        for (i, p) in p.iter().enumerate().take(self.len()) {
            if below + p >= q || i == last {
                let share = if *p > 0.0 { (q - below) / p } else { 0.0 };
                return self
                    .width(i)
                    .mul_add(share.clamp(0.0, 1.0), self.borders[i]);
            }
            below += p;
        }
        self.borders[last + 1]
    }

    /// The probability of at most `y`, buckets taken for even.
    #[must_use]
    pub fn cumulative(&self, p: &[f64], y: f64) -> f64 {
        let bucket = self.bucket(y);
        let below: f64 = p.iter().take(bucket).sum();
        let inside = match self.width(bucket) {
            width if width > 0.0 => ((y - self.borders[bucket]) / width).clamp(0.0, 1.0),
            _ => 1.0,
        };
        (below + p.get(bucket).map_or(0.0, |p| p * inside)).clamp(0.0, 1.0)
    }

    /// The scale of the half-normal distribution that an outer bucket stands for, of which half lies within it.
    #[must_use]
    pub fn tail_scale(&self, bucket: usize) -> f64 {
        tail(self.width(bucket))
    }

    /// The logarithm of the density at `y`, half-normal in the outer buckets and beyond.
    #[must_use]
    pub fn ln_density(&self, p: &[f64], y: f64) -> f64 {
        let bucket = self.bucket(y);
        p.get(bucket).map_or(f64::NEG_INFINITY, |p| p.ln()) + self.ln_even(bucket, y)
    }

    /// Probabilities of these buckets as those of others: what lies between each two of the others'
    /// borders, and beyond the outermost with the outermost bucket.
    #[must_use]
    pub fn onto(&self, p: &[f64], other: &Self) -> Vec<f64> {
        if self == other {
            return p.to_vec();
        }
        other.masses(|y| self.cumulative(p, y))
    }

    /// The probabilities of the buckets under a distribution with this cumulative function: what lies
    /// between each two borders, and beyond the outermost with the outermost bucket.
    #[must_use]
    pub fn masses(&self, cumulative: impl Fn(f64) -> f64) -> Vec<f64> {
        let last = self.len();
        let below = |i: usize| match i {
            0 => 0.0,
            i if i == last => 1.0,
            i => cumulative(self.borders[i]),
        };
        (0..last)
            .map(|i| (below(i + 1) - below(i)).max(0.0))
            .collect()
    }

    /// The bucket of `y`: a border belongs to the one on its left; beyond them, the outermost.
    pub(super) fn bucket(&self, y: f64) -> usize {
        let inner = &self.borders[1..self.len()];
        inner.partition_point(|border| *border < y)
    }

    /// The logarithm of the density at `y` where all probability is in `bucket`, which has it.
    pub(super) fn ln_even(&self, bucket: usize, y: f64) -> f64 {
        let last = self.len() - 1;
        let width = self.width(bucket);
        let away = match bucket {
            0 => self.borders[1] - y,
            i if i == last => y - self.borders[last],
            _ => return -width.ln(),
        };
        let scale = tail(width);
        let z = away.max(1e-8) / scale;
        (2.0 / PI).sqrt().ln() - scale.ln() - 0.5 * z * z
    }

    fn sum(&self, p: &[f64], of: impl Fn(Bucket) -> f64) -> f64 {
        let buckets = (0..self.len()).zip(p);
        buckets.map(|(i, p)| p * of(self.moments(i))).sum()
    }

    /// Mean and variance within a bucket.
    fn moments(&self, i: usize) -> Bucket {
        let (last, width) = (self.len() - 1, self.width(i));
        let scale = self.tail_scale(i);
        let away = scale * (2.0 / PI).sqrt();
        let variance = scale * scale * (1.0 - 2.0 / PI);
        let mean = match i {
            0 => self.borders[1] - away,
            i if i == last => self.borders[last] + away,
            i => {
                return Bucket {
                    mean: self.borders[i].midpoint(self.borders[i + 1]),
                    variance: width * width / 12.0,
                };
            }
        };
        Bucket { mean, variance }
    }
}

struct Bucket {
    mean: f64,
    variance: f64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bars() -> Result<BarDistribution, ForgeError> {
        BarDistribution::new(vec![-1.5, -0.25, 0.5, 0.5, 2.0, 3.25])
    }

    /// Numbers of `cases.py` beside this file: scipy's half-normal and even distributions, and
    /// integrals over their mixture.
    #[test]
    fn readings_are_those_of_the_mixture() -> Result<(), ForgeError> {
        let bars = bars()?;
        let p = bars.probabilities(&[0.3, -0.2, -5.0, 1.1, 0.4])?;
        let fixture: serde_json::Value =
            serde_json::from_str(include_str!("cases.json")).unwrap_or_default();
        let expected = |name: &str| fixture[name].as_f64().unwrap_or(f64::NAN);
        let pairs = |name: &str| -> Vec<(f64, f64)> {
            let list = fixture[name].as_array().into_iter().flatten();
            let pair = |pair: &serde_json::Value| Some((pair[0].as_f64()?, pair[1].as_f64()?));
            list.filter_map(pair).collect()
        };
        let close = |what: &str, found: f64, expected: f64| {
            assert!(
                (found - expected).abs() < 1e-9,
                "{what}: {found} {expected}"
            );
        };
        close("mean", bars.mean(&p), expected("mean"));
        close("variance", bars.variance(&p), expected("variance"));
        close("mode", bars.mode(&p), expected("mode"));
        assert_eq!(pairs("ln_density").len(), 8);
        for (y, value) in pairs("ln_density") {
            close("density", bars.ln_density(&p, y), value);
        }
        assert_eq!(pairs("cumulative").len(), 8);
        for (y, value) in pairs("cumulative") {
            close("cumulative", bars.cumulative(&p, y), value);
        }
        assert_eq!(pairs("quantile").len(), 5);
        for (q, value) in pairs("quantile") {
            close("quantile", bars.quantile(&p, q), value);
            close("back", bars.cumulative(&p, value), q);
        }
        Ok(())
    }

    #[test]
    fn probabilities_move_between_borders() -> Result<(), ForgeError> {
        let from = BarDistribution::new(vec![0.0, 1.0, 2.0, 4.0])?;
        let to = BarDistribution::new(vec![0.5, 1.5, 3.0])?;
        let p = [0.2, 0.5, 0.3];
        assert_eq!(from.onto(&p, &from), p);
        let found = from.onto(&p, &to);
        // At most 1.5: all of the first and half of the second.
        assert!((found[0] - 0.45).abs() < 1e-12 && (found[1] - 0.55).abs() < 1e-12);
        // There and back keeps what finer borders can tell.
        let fine = BarDistribution::new(vec![0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0])?;
        for (found, p) in fine.onto(&from.onto(&p, &fine), &from).iter().zip(p) {
            assert!((found - p).abs() < 1e-12);
        }
        Ok(())
    }
}
