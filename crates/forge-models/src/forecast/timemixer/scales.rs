//! A series at several scales.

use burn::tensor::Tensor;
use burn::tensor::module::{avg_pool1d, max_pool1d};
use burn::tensor::ops::{AvgPoolOptions, MaxPoolOptions};
use forge_nn::ops::Axes;

use super::DownSampling;

/// How a series becomes coarser.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scales {
    /// Scales beside the series' own.
    pub(super) coarser: usize,
    /// Steps that become one.
    pub(super) window: usize,
    pub(super) pooling: DownSampling,
}

impl Scales {
    /// Steps at each scale, the finest first.
    pub(super) fn steps(self, lookback: usize) -> Vec<usize> {
        let next = |steps: &usize| Some(steps / self.window.max(1));
        let steps = std::iter::successors(Some(lookback), next);
        steps.take(self.coarser.saturating_add(1)).collect()
    }

    /// The series at each scale. Steps that do not fill a window are left out.
    ///
    /// # Shapes
    /// - x: `[B, L, N]`
    /// - output: `[B, L', N]` each
    pub(super) fn of_targets(self, x: Tensor<3>) -> Vec<Tensor<3>> {
        let mut all = vec![x];
        for scale in 0..self.coarser {
            let x = all[scale].clone().swapped(1, 2);
            let pooled = match self.pooling {
                DownSampling::Avg => avg_pool1d(x, AvgPoolOptions::new([self.window])),
                DownSampling::Max => max_pool1d(x, MaxPoolOptions::new([self.window])),
            };
            all.push(pooled.swapped(1, 2));
        }
        all
    }

    /// Covariates at each scale: the first step of each window.
    ///
    /// # Shapes
    /// - x: `[B, L, P]`
    /// - output: `[B, L', P]` each
    pub(super) fn of_covariates(self, x: Tensor<3>) -> Vec<Tensor<3>> {
        let mut all = vec![x];
        for scale in 0..self.coarser {
            let x = all[scale].clone();
            let [batch, time, columns] = x.dims();
            let steps = time / self.window;
            let x = x.narrow(1, 0, steps * self.window);
            let windows = x.reshape([batch, steps, self.window, columns]);
            all.push(windows.narrow(2, 0, 1).squeeze_dim(2));
        }
        all
    }
}
