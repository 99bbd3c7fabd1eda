//! The networks: one hidden layer of 50, as the published figures have it.

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;
use volatilityforge::burn::module::Module;
use volatilityforge::burn::nn::{Linear, LinearConfig};
use volatilityforge::burn::optim::{AdamConfig, GradientsParams};
use volatilityforge::burn::tensor::activation::relu;
use volatilityforge::burn::tensor::{Device, Tensor, TensorData};
use volatilityforge::meta::bayesian::{BayesianLinear, BayesianLinearConfig};
use volatilityforge::nn::ModuleConfig;
use volatilityforge::nn::regularisation::{Dropout, DropoutConfig};

use crate::set::Rows;

/// Width of the hidden layer.
pub(crate) const HIDDEN: usize = 50;
/// Rows per step.
const BATCH: usize = 32;

/// How long to train, and how fast.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Schedule {
    /// Passes over the training rows.
    pub(crate) epochs: usize,
    /// The learning rate of Adam, which falls to a tenth over the training.
    pub(crate) rate: f64,
}

/// A network of ordinary weights, with dropout before both layers.
#[derive(Module, Debug)]
pub(crate) struct Net {
    hidden: Linear,
    last: Linear,
    dropout: Dropout,
}

impl Net {
    pub(crate) fn new(inputs: usize, outputs: usize, dropout: f64, device: &Device) -> Self {
        Self {
            hidden: LinearConfig::new(inputs, HIDDEN).init(device),
            last: LinearConfig::new(HIDDEN, outputs).init(device),
            dropout: DropoutConfig { rate: dropout }.init(device),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        let x = self.features(x);
        self.last.forward(self.dropout.forward(x))
    }

    /// What the last layer sees, `[N, 50]`. As in the published figures the input is dropped too.
    pub(crate) fn features(&self, x: Tensor<2>) -> Tensor<2> {
        relu(self.hidden.forward(self.dropout.forward(x)))
    }

    /// Weights of the last layer of a network with one output, and its bias.
    pub(crate) fn head(&self) -> Vec<f64> {
        let mut head = host(self.last.weight.val());
        let bias = self.last.bias.as_ref().map(|bias| bias.val().unsqueeze());
        head.extend(bias.into_iter().flat_map(host));
        head
    }
}

/// A network whose weights are distributions.
#[derive(Module, Debug)]
pub(crate) struct Bayes {
    hidden: BayesianLinear,
    last: BayesianLinear,
}

impl Bayes {
    pub(crate) fn new(inputs: usize, device: &Device) -> Self {
        Self {
            hidden: BayesianLinearConfig::new(inputs, HIDDEN).init(device),
            last: BayesianLinearConfig::new(HIDDEN, 1).init(device),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.last.forward(relu(self.hidden.forward(x)))
    }

    pub(crate) fn kl(&self) -> Tensor<1> {
        self.hidden.kl() + self.last.kl()
    }
}

/// The values of a tensor.
pub(crate) fn host(y: Tensor<2>) -> Vec<f64> {
    y.into_data().iter::<f64>().collect()
}

/// Rows on a device: `[N, D]` and `[N, 1]`.
pub(crate) fn tensors(rows: &Rows, device: &Device) -> (Tensor<2>, Tensor<2>) {
    let n = rows.y.len();
    let tensor = |values: &[f64]| {
        let data = TensorData::new(values.to_vec(), [n, values.len() / n.max(1)]);
        Tensor::<2>::from_data(
            data.convert_dtype(device.settings().float_dtype.into()),
            device,
        )
    };
    (tensor(&rows.x), tensor(&rows.y))
}

/// Trains `net` by Adam on rows in a new order each epoch, and shows it to `seen` after each.
pub(crate) fn train<M: Module>(
    mut net: M,
    rows: &Rows,
    schedule: Schedule,
    seed: u64,
    device: &Device,
    loss: impl Fn(&M, Tensor<2>, Tensor<2>) -> Tensor<1>,
    mut seen: impl FnMut(usize, &M),
) -> M {
    let (width, mut order) = (
        rows.x.len() / rows.y.len(),
        (0..rows.y.len()).collect::<Vec<_>>(),
    );
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut optimizer = AdamConfig::new().init();
    let Schedule { epochs, rate: peak } = schedule;
    for epoch in 0..epochs {
        let rate = peak * (1.0 - 0.9 * epoch as f64 / epochs as f64);
        order.shuffle(&mut random);
        for batch in order.chunks(BATCH) {
            let row = |row: &usize| rows.x[row * width..][..width].iter().copied();
            let batch = Rows {
                x: batch.iter().flat_map(row).collect(),
                y: batch.iter().map(|row| rows.y[*row]).collect(),
            };
            let (x, y) = tensors(&batch, device);
            let gradients = loss(&net, x, y).backward();
            net = optimizer.step(
                rate,
                net.clone(),
                GradientsParams::from_grads(gradients, &net),
            );
        }
        seen(epoch, &net);
    }
    net
}
