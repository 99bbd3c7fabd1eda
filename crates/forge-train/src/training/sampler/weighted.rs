//! Rows drawn by weight.

use forge_nn::{ForgeError, check};
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use super::epoch_order::EpochOrder;
use super::uniform::{generator, unit};
use crate::checkpoint::RunPart;

/// Rows drawn with replacement, each with a probability in proportion to its weight (PyTorch's
/// `WeightedRandomSampler`): for rare classes, say. A row may come several times in a batch.
#[derive(Debug, Clone)]
pub struct Weighted {
    /// Sums of the weights up to and with each row.
    sums: Vec<f64>,
    draws: usize,
    batch_size: usize,
    seed: u64,
    drawn: EpochOrder,
}

impl Weighted {
    /// One weight per training row, finite and at least 0, with a sum above 0; `draws` rows per
    /// epoch, at least 1, in batches. A batch size of 0 counts as 1.
    ///
    /// # Errors
    /// A config error naming the first bad weight.
    pub fn new(
        weights: &[f64],
        draws: usize,
        batch_size: usize,
        seed: u64,
    ) -> Result<Self, ForgeError> {
        check::at_least_one("sampler.draws", draws)?;
        let mut sums = Vec::with_capacity(weights.len());
        let mut sum = 0.0;
        for (row, &weight) in weights.iter().enumerate() {
            if !(weight.is_finite() && weight >= 0.0) {
                let field = format!("sampler.weights[{row}]");
                return Err(ForgeError::config(&field, weight, "finite and at least 0"));
            }
            sum += weight;
            sums.push(sum);
        }
        check::positive("the sum of sampler.weights", sum)?;
        Ok(Self {
            sums,
            draws,
            batch_size,
            seed,
            drawn: EpochOrder::default(),
        })
    }
}

fn draw(sums: &[f64], draws: usize, seed: u64, epoch: usize) -> Vec<usize> {
    let total = sums.last().copied().unwrap_or(0.0);
    // The last row that can be drawn: rounding must not lead past it.
    let last = sums.partition_point(|&sum| sum < total);
    let mut rng = generator("volatilityforge trainer weighted rows", seed, epoch);
    (0..draws)
        .map(|_| {
            let u = unit(&mut rng) * total;
            sums.partition_point(|&sum| sum <= u).min(last)
        })
        .collect()
}

impl RunPart for Weighted {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        let mut hasher = blake3::Hasher::new();
        for sum in &self.sums {
            hasher.update(&sum.to_le_bytes());
        }
        json!({
            "name": "weighted",
            "weights": hasher.finalize().to_hex().to_string(),
            "draws": self.draws,
            "batch_size": self.batch_size,
            "seed": self.seed,
        })
    }
}

impl Sampler for Weighted {
    fn batches(&self) -> usize {
        Cut::new(self.draws, self.batch_size).count()
    }

    fn rows(&mut self, epoch: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        let range = Cut::new(self.draws, self.batch_size).batch(batch);
        let draw = || draw(&self.sums, self.draws, self.seed, epoch);
        Ok(self.drawn.of(epoch, draw)[range].to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_in_proportion_to_their_weights() -> Result<(), ForgeError> {
        let mut sampler = Weighted::new(&[0.0, 1.0, 0.0, 3.0, 6.0, 0.0], 20_000, 20_000, 4)?;
        let mut counts = [0_f64; 6];
        for row in sampler.rows(2, 0)? {
            counts[row] += 1.0;
        }
        assert_eq!((counts[0], counts[2], counts[5]), (0.0, 0.0, 0.0));
        let expected = [2000.0, 6000.0, 12000.0];
        let found = [counts[1], counts[3], counts[4]];
        // 2 degrees of freedom, 13.8 is the 0.1 % point.
        let chi2: f64 = found
            .iter()
            .zip(expected)
            .map(|(c, e)| (c - e) * (c - e) / e)
            .sum();
        assert!(chi2 < 13.8, "{counts:?}");
        Ok(())
    }

    #[test]
    fn epochs_differ_and_repeat() -> Result<(), ForgeError> {
        let new = || Weighted::new(&[1.0; 9], 12, 5, 4);
        let mut sampler = new()?;
        assert_eq!(sampler.batches(), 3);
        let (first, second) = (sampler.rows(0, 1)?, sampler.rows(1, 1)?);
        assert_ne!(first, second);
        assert_eq!(new()?.rows(1, 1)?, second);
        assert_eq!(sampler.rows(0, 1)?, first);
        Ok(())
    }

    #[test]
    fn bad_weights_are_named() {
        for (weights, part) in [
            (vec![1.0, -1.0], "sampler.weights[1] = -1"),
            (vec![f64::NAN], "sampler.weights[0] = NaN"),
            (vec![0.0, 0.0], "the sum of sampler.weights = 0"),
            (vec![], "the sum of sampler.weights = 0"),
        ] {
            let error = Weighted::new(&weights, 1, 1, 0).err();
            let error = error.map(|e| e.to_string()).unwrap_or_default();
            assert!(error.contains(part), "{error}");
        }
        assert!(Weighted::new(&[1.0], 0, 1, 0).is_err());
    }
}
