//! Dropout masks as a function of a seed and a position, so that the backward pass recomputes
//! what the forward pass used and nothing of the mask's size is stored.

use burn::backend::{Backend, TensorData, TensorMetadata, tensor::FloatTensor};
use burn::tensor::{DType, Device, Distribution, Tensor};

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

    /// The multiplier of what is kept, and the hash from which on an element is kept.
    #[cfg(feature = "cube")]
    pub(crate) fn scale_and_threshold(&self) -> (f64, u32) {
        (self.scale, self.threshold)
    }

    /// What distinguishes this row from others. 32-bit arithmetic, as every device has it.
    pub(crate) fn row_key(&self, row: u64) -> u32 {
        mixed(mixed(row as u32 ^ self.seed as u32) ^ (row >> 32) as u32 ^ (self.seed >> 32) as u32)
    }

    /// Whether the element at `column` of the row with `key` is kept.
    #[inline(always)]
    pub(crate) fn keeps(&self, key: u32, column: u32) -> bool {
        mixed(column.wrapping_mul(0x9E37_79B9) ^ key) >= self.threshold
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

/// The "lowbias32" finaliser: 32-bit integer arithmetic only, so that loops vectorise.
#[inline(always)]
fn mixed(h: u32) -> u32 {
    let h = (h ^ (h >> 16)).wrapping_mul(0x7FEB_352D);
    let h = (h ^ (h >> 15)).wrapping_mul(0x846C_A68B);
    h ^ (h >> 16)
}

/// A seed drawn from Burn's generator of `device`, so that [`Device::seed`] decides it.
pub(crate) fn draw_seed(device: &Device) -> u64 {
    seed_of(draw_seed_parts(device).into_data())
}

/// The same as four numbers below 2¹⁶ on the device, for backends on which reading them back
/// would make the host wait.
pub(crate) fn draw_seed_parts(device: &Device) -> Tensor<1> {
    let device: Device = device.as_dispatch().clone().inner().into();
    let options = (&device, DType::F32);
    Tensor::random([4], Distribution::Uniform(0.0, 65_536.0), options)
}

/// The seed of four parts, the highest first.
pub(crate) fn seed_of(parts: TensorData) -> u64 {
    parts
        .iter::<f64>()
        .fold(0, |seed, value| (seed << 16) | (value as u64 & 0xFFFF))
}
