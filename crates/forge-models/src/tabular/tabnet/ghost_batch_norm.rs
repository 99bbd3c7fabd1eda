//! Batch normalisation over parts of a batch.

use burn::module::Module;
use burn::tensor::{Device, Tensor, TensorData};
use forge_nn::ModuleConfig;
use forge_nn::norm::{BatchNorm, BatchNormConfig};
use forge_nn::ops::batch_norm;

/// The package's, as PyTorch's default.
const EPS: f64 = 1e-5;

/// [`BatchNorm`] with the statistics of each part of the batch, a "virtual batch".
///
/// Training: the rows are cut as `torch.chunk` cuts them into `⌈B / V⌉` parts: all of `⌈B / n⌉`
/// rows but the last, which has the rest (13 rows at `V = 6` are 5, 5 and 3). Each part is
/// normalised by its own mean and variance and moves the running statistics, in order. A last part
/// of a single row, whose variance is nothing to divide by (PyTorch refuses it), joins the part
/// before it. Evaluation: the running statistics.
///
/// Hoffer et al. 2017, "Train longer, generalize better" (arXiv 1705.08741), algorithm 1.
#[derive(Module, Debug)]
pub struct GhostBatchNorm {
    norm: BatchNorm,
    virtual_batch_size: usize,
    momentum: f64,
}

impl GhostBatchNorm {
    pub(super) fn new(
        width: usize,
        virtual_batch_size: usize,
        momentum: f64,
        device: &Device,
    ) -> Self {
        let norm = BatchNormConfig::new(width)
            .with_eps(EPS)
            .with_momentum(momentum);
        Self {
            norm: norm.build(device),
            virtual_batch_size,
            momentum,
        }
    }

    /// # Shapes
    /// - x, output: `[B, D]`
    pub(super) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let [rows, width] = x.dims();
        let (parts, size) = equal_parts(rows, self.virtual_batch_size);
        let trains = self.norm.batch_statistics.is_enabled();
        if !trains || parts == 0 {
            return self.norm.forward(x);
        }
        let equal = x.clone().narrow(0, 0, parts * size);
        let equal = self.normalize_parts(equal.reshape([parts, size, width]));
        match rows - parts * size {
            0 => equal,
            rest => {
                let last = self.norm.forward(x.narrow(0, parts * size, rest));
                Tensor::cat(vec![equal, last], 0)
            }
        }
    }

    /// All parts of one size at once.
    ///
    /// # Shapes
    /// - x: `[P, B / P, D]`
    /// - output: `[B, D]`
    fn normalize_parts(&self, x: Tensor<3>) -> Tensor<2> {
        let [parts, size, width] = x.dims();
        let (weight, bias) = (self.norm.weight.val(), self.norm.bias.val());
        let (y, mean, var) = batch_norm(x.unsqueeze_dim(3), weight, bias, EPS);
        let unbiased = size as f64 / (size - 1) as f64;
        self.update(mean, var * unbiased);
        y.reshape([parts * size, width])
    }

    /// What one update per part, in order, comes to: the first is forgotten most.
    ///
    /// # Shapes
    /// - mean, var: `[P, D]`
    fn update(&self, mean: Tensor<2>, var: Tensor<2>) {
        let [parts, width] = mean.dims();
        let kept = 1.0 - self.momentum;
        let weights: Vec<f64> = (0..parts)
            .map(|part| kept.powi((parts - 1 - part) as i32))
            .collect();
        let total: f64 = weights.iter().sum();
        let weights = weights.into_iter().map(|weight| weight / total).collect();
        let weights = TensorData::new::<f64, _>(weights, [parts, 1]);
        let weights = Tensor::<2>::from_data(weights, (&mean.device(), mean.dtype()));
        let observed = |x: Tensor<2>| (x * weights.clone()).sum_dim(0).reshape([width]);
        let momentum = 1.0 - kept.powi(parts as i32);
        self.norm.running_mean.update(observed(mean), momentum);
        self.norm.running_var.update(observed(var), momentum);
    }
}

/// Into how many parts of which one size the rows are cut; what is left is the last part. None if
/// all rows are one part.
fn equal_parts(rows: usize, virtual_batch_size: usize) -> (usize, usize) {
    let size = rows.div_ceil(rows.div_ceil(virtual_batch_size).max(1));
    if size >= rows {
        return (0, rows);
    }
    let parts = rows / size;
    match rows % size {
        1 => (parts - 1, size),
        _ => (parts, size),
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Tolerance;

    use super::*;

    #[test]
    fn rows_are_cut_as_torch_chunk_cuts_them() {
        // As torch.chunk: 5, 5, 3; then 4, 4, 4; then 100, 100.
        assert_eq!(equal_parts(13, 6), (2, 5));
        assert_eq!(equal_parts(12, 5), (3, 4));
        assert_eq!(equal_parts(200, 128), (2, 100));
        assert_eq!(equal_parts(128, 128), (0, 128));
        assert_eq!(equal_parts(1, 2), (0, 1));
        // A lone last row joins the part before it: 3, 3, 4 and 2, 3.
        assert_eq!(equal_parts(10, 3), (2, 3));
        assert_eq!(equal_parts(5, 2), (1, 2));
        assert_eq!(equal_parts(3, 2), (0, 2));
    }

    /// Against one batch norm per part in turn: outputs and running statistics.
    #[test]
    fn parts_at_once_are_parts_in_turn() {
        let device = Device::flex().autodiff();
        for (rows, virtual_batch_size, parts) in [
            (13, 6, vec![5, 5, 3]),
            (12, 4, vec![4, 4, 4]),
            (10, 3, vec![3, 3, 4]),
        ] {
            let ghost = GhostBatchNorm::new(2, virtual_batch_size, 0.3, &device);
            let plain = BatchNormConfig::new(2).with_momentum(0.3).init(&device);
            let values = (0..rows * 2)
                .map(|i| ((i * i * 7) % 23) as f32 - 9.0)
                .collect();
            let x = TensorData::new::<f32, _>(values, [rows, 2]);
            let x = Tensor::<2>::from_data(x, &device);
            let in_turn = x.clone().split_with_sizes(parts, 0).into_iter();
            let expected = Tensor::cat(in_turn.map(|part| plain.forward(part)).collect(), 0);
            let tolerance = Tolerance::<f32>::absolute(1e-5);
            let close = |found: TensorData, expected: TensorData| {
                found.assert_approx_eq(&expected, tolerance);
            };
            close(ghost.forward(x).into_data(), expected.into_data());
            let (found, expected) = (&ghost.norm, &plain);
            close(
                found.running_mean.value().into_data(),
                expected.running_mean.value().into_data(),
            );
            close(
                found.running_var.value().into_data(),
                expected.running_var.value().into_data(),
            );
        }
    }
}
