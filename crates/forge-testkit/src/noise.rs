//! Numbers that look random and are the same everywhere.

use burn::tensor::TensorData;

/// A small generator of its own (SplitMix64), so that test data depend neither on Burn's global
/// generator nor on a crate's version.
#[derive(Debug, Clone)]
pub struct Noise(u64);

impl Noise {
    /// The sequence of this seed.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Uniform in `[-1, 1)`.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 52) as f64 - 1.0
    }

    /// A code in `0..n`; `n` at least 1.
    pub fn code(&mut self, n: usize) -> i64 {
        (self.bits() % n as u64) as i64
    }

    /// An f64 tensor of uniform values.
    pub fn tensor(&mut self, shape: &[usize]) -> TensorData {
        let values = (0..shape.iter().product())
            .map(|_| self.uniform())
            .collect::<Vec<f64>>();
        TensorData::new(values, shape.to_vec())
    }
}
