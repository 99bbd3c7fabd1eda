//! Dropout masks as a function of a seed and a position, so that the backward pass recomputes
//! what the forward pass used and nothing of the mask's size is stored.

use burn::backend::{Backend, TensorData, TensorMetadata, tensor::FloatTensor};
use burn::tensor::{Device, Distribution, Tensor};

/// A Bernoulli mask over rows of elements: position `(row, column)` is kept with probability
/// `1 - probability`, and kept values are scaled by `1 / (1 - probability)`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct DropoutMask {
    seed: u64,
    threshold: u32,
    scale: f64,
}

impl DropoutMask {
    /// The mask of `seed`. `probability` lies in `[0, 1)`; checked by the callers.
    pub(crate) fn new(seed: u64, probability: f64) -> Self {
        Self {
            seed,
            threshold: (probability * 4_294_967_296.0) as u32,
            scale: 1.0 / (1.0 - probability),
        }
    }

    /// `1 / (1 - p)`.
    #[cfg(feature = "flex")]
    pub(crate) fn scale(&self) -> f64 {
        self.scale
    }

    /// What distinguishes this row from others; once a row, so it may be slow (splitmix64).
    pub(crate) fn row_key(&self, row: u64) -> u32 {
        let mut z = self
            .seed
            .wrapping_add((row.wrapping_add(1)).wrapping_mul(0x9E37_79B9_7F4A_7C15));
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ (z >> 31)) as u32
    }

    /// Whether the element at `column` of the row with `key` is kept. 32-bit integer arithmetic
    /// only (the "lowbias32" finaliser), so that loops over columns vectorise.
    #[inline(always)]
    pub(crate) fn keeps(&self, key: u32, column: u32) -> bool {
        let mut h = column.wrapping_mul(0x9E37_79B9) ^ key;
        h = (h ^ (h >> 16)).wrapping_mul(0x7FEB_352D);
        h = (h ^ (h >> 15)).wrapping_mul(0x846C_A68B);
        (h ^ (h >> 16)) >= self.threshold
    }

    /// The multipliers (0 or `1 / (1 - p)`) for a tensor like `like`, whose last axis are the
    /// columns and whose other axes together are the rows.
    pub(crate) fn multipliers<B: Backend>(&self, like: &FloatTensor<B>) -> FloatTensor<B> {
        let shape = like.shape();
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let rows = shape.num_elements() / columns;
        let mut values = Vec::with_capacity(rows * columns);
        for row in 0..rows {
            let key = self.row_key(row as u64);
            values.extend((0..columns).map(|column| {
                if self.keeps(key, column as u32) {
                    self.scale
                } else {
                    0.0
                }
            }));
        }
        let data = TensorData::new(values, shape).convert_dtype(like.dtype());
        B::float_from_data(data, &like.device())
    }
}

/// A seed drawn from Burn's generator of `device`, so that [`Device::seed`] decides it.
pub(crate) fn draw_seed(device: &Device) -> u64 {
    let device: Device = device.as_dispatch().clone().inner().into();
    Tensor::<1>::random([4], Distribution::Uniform(0.0, 65_536.0), &device)
        .into_data()
        .iter::<f64>()
        .fold(0, |seed, value| (seed << 16) | (value as u64 & 0xFFFF))
}
