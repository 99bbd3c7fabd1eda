//! What is learned, and how Burn's loader puts it into batches.

use burn::data::dataloader::batcher::Batcher;
use burn::data::dataset::InMemDataset;
use burn::tensor::{Device, Tensor, TensorData};

/// Two numbers of each row, `[B, 2]`, and the target, `[B, 1]`.
pub type Batch = (Tensor<2>, Tensor<2>);

/// Puts rows of two numbers and a target into a [`Batch`].
pub struct Rows;

impl Batcher<[f32; 3], Batch> for Rows {
    fn batch(&self, rows: Vec<[f32; 3]>, device: &Device) -> Batch {
        let n = rows.len();
        let x = rows.iter().flat_map(|row| [row[0], row[1]]).collect();
        let y = rows.iter().map(|row| row[2]).collect();
        let tensor = |values: Vec<f32>, width| {
            Tensor::from_data(TensorData::new(values, [n, width]), device)
        };
        (tensor(x, 2), tensor(y, 1))
    }
}

/// `sin 3x` with noise whose size is `0.2 + |z|`.
pub fn rows(n: usize, mut state: u64) -> InMemDataset<[f32; 3]> {
    let mut uniform = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f32 / (1 << 23) as f32 - 1.0
    };
    let row = |_| {
        let [x, z, noise] = [uniform(), uniform(), uniform()];
        [x, z, (3.0 * x).sin() + (0.2 + z.abs()) * noise]
    };
    InMemDataset::new((0..n).map(row).collect())
}
