//! Batch normalisation.

use burn::module::{Flag, Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Bool, Device, Tensor};

use super::RunningStatistic;
use crate::broadcast::along_channels;
use crate::config_macro::config;
use crate::ops::{LinearActivation, batch_norm, channel_affine, in_f32};
use crate::{ForgeError, ModuleConfig, check, training_flag};

config! {
    /// Recipe of a [`BatchNorm`].
    pub struct BatchNormConfig {
        /// Channels (axis 1), at least 1.
        pub n_channels: usize,
        /// Added to the variance inside the root; above 0.
        #[config(default = 1e-5)]
        pub eps: f64,
        /// Weight of the newest batch in the running statistics, in `0.0..=1.0`.
        #[config(default = 0.1)]
        pub momentum: f64,
    }
}

/// Batch normalisation over axis 1, for flat rows, sequences and images.
///
/// Training: `y = (x - mean) / √(var + ε) · w + b` with the statistics of the batch (biased
/// variance), and `running ← (1 - m) running + m batch`, where the running variance takes the
/// *unbiased* batch variance, as PyTorch does (Burn's takes the biased one). A batch with a single
/// value per channel has no unbiased variance: it updates the mean alone. Evaluation: the running
/// statistics, as constants.
///
/// It trains in [`Mode::Train`](crate::Mode::Train) alone. Running statistics belong to one copy of the
/// module: see [`RunningStatistic`].
///
/// Ioffe & Szegedy, arXiv 1502.03167, algorithm 1.
///
/// ```
/// use forge_nn::ModuleConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::norm::BatchNormConfig;
///
/// let device = Device::flex().autodiff();
/// let layer = BatchNormConfig::new(1).init(&device);
/// let copy = layer.clone();
/// layer.forward(Tensor::<2>::from_data([[1.0], [3.0]], &device));
/// assert!((layer.running_mean.value().into_scalar::<f32>() - 0.2).abs() < 1e-6);
/// assert_eq!(copy.running_mean.value().into_scalar::<f32>(), 0.0);
/// ```
#[derive(Module, Debug)]
pub struct BatchNorm {
    /// `w`, `[C]`, from ones.
    pub weight: Param<Tensor<1>>,
    /// `b`, `[C]`, from zeros.
    pub bias: Param<Tensor<1>>,
    /// `[C]`, from zeros.
    pub running_mean: RunningStatistic,
    /// `[C]`, from ones.
    pub running_var: RunningStatistic,
    /// Whether batch statistics are used, and update the running ones.
    pub batch_statistics: Param<Flag>,
    n_channels: usize,
    eps: f64,
    momentum: f64,
}

impl ModuleConfig for BatchNormConfig {
    type Module = BatchNorm;

    fn validate(&self) -> Result<(), ForgeError> {
        check::at_least_one("n_channels", self.n_channels)?;
        check::positive("eps", self.eps)?;
        check::in_range("momentum", self.momentum, 0.0..=1.0)
    }

    fn build(&self, device: &Device) -> BatchNorm {
        let shape = [self.n_channels];
        BatchNorm {
            weight: Initializer::Ones.init(shape, device),
            bias: Initializer::Zeros.init(shape, device),
            running_mean: RunningStatistic::new(Tensor::zeros(shape, device)),
            running_var: RunningStatistic::new(Tensor::ones(shape, device)),
            batch_statistics: training_flag(device),
            n_channels: self.n_channels,
            eps: self.eps,
            momentum: self.momentum,
        }
    }
}

impl BatchNorm {
    /// Normalises every channel. Half precision is computed in f32.
    ///
    /// # Shapes
    /// - input and output: `[B, C, ..]`, rank 2 or more
    ///
    /// # Panics
    /// If axis 1 is not `n_channels`.
    pub fn forward<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let channels = self.n_channels;
        assert!(
            D >= 2 && x.dims()[1] == channels,
            "batch norm over {channels} channels got {:?}",
            x.dims()
        );
        in_f32(x, |x| self.normalize(x))
    }

    fn normalize<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let shape = x.shape();
        if shape.num_elements() == 0 {
            // No value: no statistics either.
            return x;
        }
        let (device, dtype) = (x.device(), x.dtype());
        let [weight, bias] = [&self.weight, &self.bias].map(|of| of.val().cast(dtype));
        let (rows, positions) = (
            shape[0],
            shape.num_elements() / (shape[0] * self.n_channels),
        );
        if self.batch_statistics.is_enabled() {
            let x = x.reshape([1, rows, self.n_channels, positions]);
            let (y, mean, var) = batch_norm(x, weight, bias, self.eps);
            self.update(mean.squeeze_dim(0), var.squeeze_dim(0), rows * positions);
            return y.reshape(shape);
        }
        let [mean, var] = [&self.running_mean, &self.running_var]
            .map(|of| of.value().to_device(&device).cast(dtype));
        let scale = weight / (var + self.eps).sqrt();
        if D == 2 {
            let rows = x.reshape([rows, self.n_channels]);
            let identity = LinearActivation::Identity;
            return channel_affine(rows, Some(mean), scale, Some(bias), identity).reshape(shape);
        }
        let along = along_channels::<D>;
        (x - along(mean)) * along(scale) + along(bias)
    }

    /// Takes the statistics of a batch of `count` values per channel into the running ones.
    fn update(&self, mean: Tensor<1>, var: Tensor<1>, count: usize) {
        self.running_mean.update(mean, self.momentum);
        if count > 1 {
            let unbiased = var * (count as f64 / (count - 1) as f64);
            self.running_var.update(unbiased, self.momentum);
        }
    }

    /// [`forward`](Self::forward) over sequences with padding: where batch statistics are used, they
    /// are those of the positions that count. Outputs at the others mean nothing.
    ///
    /// # Shapes
    /// - input and output: `[B, C, T]`
    /// - valid: `[B, T]`, true for positions that count; in training at least one
    ///
    /// # Panics
    /// If axis 1 is not `n_channels` or `valid` is not `[B, T]`.
    pub fn forward_valid(&self, x: Tensor<3>, valid: Tensor<2, Bool>) -> Tensor<3> {
        let [batch, channels, time] = x.dims();
        assert!(
            valid.dims() == [batch, time],
            "valid {:?} does not fit a sequence {:?}",
            valid.dims(),
            x.dims()
        );
        if !self.batch_statistics.is_enabled() {
            return self.forward(x);
        }
        assert!(
            channels == self.n_channels,
            "batch norm over {} channels got {:?}",
            self.n_channels,
            x.dims()
        );
        let counted = valid.clone().float().cast(x.dtype()).unsqueeze_dim::<3>(1);
        let all = counted.clone().sum();
        let absent = valid.bool_not().unsqueeze_dim::<3>(1).expand(x.dims());
        let sum = |x: Tensor<3>| {
            let x = x.mask_fill(absent.clone(), 0.0);
            x.sum_dim(0).sum_dim(2)
        };
        let mean = sum(x.clone()) / all.clone().reshape([1, 1, 1]);
        let centred = x - mean.clone();
        let var = sum(centred.clone().square()) / all.clone().reshape([1, 1, 1]);

        let running = mean.reshape([channels]);
        self.running_mean.update(running, self.momentum);
        // With a single position: 1 / 1, of a variance that is 0.
        let unbiased = all.clone() / (all - 1.0).clamp_min(1.0);
        let unbiased = var.clone().reshape([channels]) * unbiased;
        self.running_var.update(unbiased, self.momentum);
        let normalized = centred / (var + self.eps).sqrt();
        normalized * along_channels(self.weight.val()) + along_channels(self.bias.val())
    }

    /// What evaluation multiplies each channel by and then adds: `w / √(running_var + ε)` and
    /// `b - running_mean · w / √(running_var + ε)`. For folding into a layer before it.
    ///
    /// # Shapes
    /// - both: `[C]`
    #[must_use]
    pub fn scale_and_shift(&self) -> (Tensor<1>, Tensor<1>) {
        let weight = self.weight.val();
        let device = weight.device();
        let var = self.running_var.value().to_device(&device);
        let mean = self.running_mean.value().to_device(&device);
        let scale = weight / (var + self.eps).sqrt();
        let shift = self.bias.val() - mean * scale.clone();
        (scale, shift)
    }
}
