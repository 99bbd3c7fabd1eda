//! Outputs in the targets' scale and range.

use burn::module::{Flag, Module, Param};
use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, training_flag};

use super::RealMlpConfig;
use super::robust_scale::{buffer, with_values};

/// `y std + mean`, and outside of fitting not beyond the targets of the training rows.
///
/// Statistics of the training targets; buffers, never trained. Before any target was seen, the
/// identity.
#[derive(Module, Debug)]
pub struct OutputRange {
    /// Whether outputs are left as they are; not in passes that are drawn (Monte-Carlo dropout).
    pub fitting: Param<Flag>,
    /// `[1, D_out]`; absent where outputs are not normalised.
    pub mean: Option<Param<Tensor<2>>>,
    /// `[1, D_out]`.
    pub std: Option<Param<Tensor<2>>>,
    /// `[1, D_out]`; absent where outputs are not clamped.
    pub low: Option<Param<Tensor<2>>>,
    /// `[1, D_out]`.
    pub high: Option<Param<Tensor<2>>>,
}

impl OutputRange {
    pub(super) fn new(config: &RealMlpConfig, device: &Device) -> Self {
        let shape = [1, config.d_out()];
        let full = |value: f64| buffer(Tensor::full(shape, value, device));
        let (normalize, clamp) = (config.normalize_output, config.clamp_output);
        // The largest numbers: infinities are none to save.
        let far = f64::from(f32::MAX);
        Self {
            fitting: training_flag(device),
            mean: normalize.then(|| full(0.0)),
            std: normalize.then(|| full(1.0)),
            low: clamp.then(|| full(-far)),
            high: clamp.then(|| full(far)),
        }
    }

    /// With the statistics of training targets.
    ///
    /// # Shapes
    /// - target: `[N, D_out]`
    pub(super) fn fitted(self, target: Tensor<2>, d_out: usize) -> Result<Self, ForgeError> {
        let [rows, width] = target.dims();
        if rows == 0 || width != d_out {
            let (found, allowed) = (format!("[{rows}, {width}]"), format!("[N, {d_out}], N > 0"));
            return Err(ForgeError::shape(
                "targets of the training rows",
                found,
                allowed,
            ));
        }
        let mean = target.clone().mean_dim(0);
        let std = (target.clone() - mean.clone()).square().mean_dim(0).sqrt();
        let values = |statistic: Tensor<2>| statistic.into_data().iter::<f64>().collect();
        let set = |param: Option<Param<Tensor<2>>>, statistic: Tensor<2>| {
            param.map(|param| with_values(param, values(statistic)))
        };
        Ok(Self {
            fitting: self.fitting,
            mean: set(self.mean, mean),
            std: set(self.std, std),
            low: set(self.low, target.clone().min_dim(0)),
            high: set(self.high, target.max_dim(0)),
        })
    }

    /// # Shapes
    /// - y, output: `[B, D_out]`
    pub fn forward(&self, y: Tensor<2>) -> Tensor<2> {
        let y = match (&self.mean, &self.std) {
            (Some(mean), Some(std)) => y * std.val() + mean.val(),
            _ => y,
        };
        match (&self.low, &self.high) {
            (Some(low), Some(high)) if !self.fitting.is_enabled() => {
                y.max_pair(low.val()).min_pair(high.val())
            }
            _ => y,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use forge_nn::{Mode, set_mode};

    #[test]
    fn passes_that_are_drawn_stay_in_the_range_too() -> Result<(), ForgeError> {
        let device = Device::flex();
        let range = OutputRange::new(&RealMlpConfig::default(), &device);
        let targets = Tensor::<2>::from_data([[-1.0], [2.0]], &device);
        let range = range.fitted(targets, 1)?;
        let far = || Tensor::<2>::from_data([[100.0]], &device);
        for mode in [Mode::Sample, Mode::Evaluate] {
            let range = set_mode(range.clone(), mode);
            assert_eq!(range.forward(far()).into_scalar::<f32>(), 2.0, "{mode:?}");
        }
        let range = set_mode(range, Mode::Train);
        assert!(range.forward(far()).into_scalar::<f32>() > 50.0);
        Ok(())
    }
}
