//! A small net with everything that makes exact resumption hard: batch statistics, dropout, an
//! enum, an embedding; and a task on it.

use forge_nn::ForgeError;
use forge_nn::burn;
use forge_nn::burn::module::Module;
use forge_nn::burn::nn::{
    BatchNorm, BatchNormConfig, Embedding, EmbeddingConfig, Linear, LinearConfig,
};
use forge_nn::burn::tensor::{Device, Int, Tensor, TensorData, activation::relu};
use forge_nn::regularisation::{Dropout, DropoutConfig};
use forge_nn::{ModuleConfig, StateDict};
use forge_train::loss::{LossConfig, RegressionLoss};
use forge_train::metric::Scores;
use forge_train::{StepContext, TrainTask, TrainerConfig};
use serde_json::json;

#[derive(Module, Debug)]
pub(crate) struct Net {
    embedding: Embedding,
    first: Linear,
    norm: BatchNorm,
    dropout: Dropout,
    head: Head,
}

#[derive(Module, Debug)]
enum Head {
    Linear(Linear),
}

impl Net {
    pub(crate) fn new(device: &Device, seed: u64) -> Self {
        device.seed(seed);
        Self {
            embedding: EmbeddingConfig::new(3, 2).init(device),
            first: LinearConfig::new(2 + 4, 11).init(device),
            norm: BatchNormConfig::new(11).init(device),
            dropout: DropoutConfig::new(0.2).init(device),
            head: Head::Linear(LinearConfig::new(11, 1).init(device)),
        }
    }

    pub(crate) fn forward(&self, x: Tensor<2>, category: Tensor<2, Int>) -> Tensor<2> {
        let embedded = self.embedding.forward(category).flatten(1, 2);
        let h = self.first.forward(Tensor::cat(vec![x, embedded], 1));
        let h = self.dropout.forward(relu(self.norm.forward(h)));
        let Head::Linear(head) = &self.head;
        head.forward(h)
    }
}

/// `y = x0 x1 - x2 + offset(category) + noise`, from a formula.
pub(crate) struct Task {
    pub(crate) device: Device,
    pub(crate) n_train: usize,
    pub(crate) n_valid: usize,
    pub(crate) loss: LossConfig,
    /// Loss is NaN from this call of `loss` on.
    pub(crate) poison: Option<usize>,
    /// The inputs of this row are NaN.
    pub(crate) bad_row: Option<usize>,
}

impl Task {
    pub(crate) fn new(n_train: usize) -> Self {
        Self {
            device: Device::flex(),
            n_train,
            n_valid: 40,
            loss: LossConfig::default(),
            poison: None,
            bad_row: None,
        }
    }

    fn batch(&self, rows: &[usize], device: &Device) -> (Tensor<2>, Tensor<2, Int>, Tensor<2>) {
        let hash = |row: usize, j: u64| {
            let mut z = (row as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (j << 17);
            z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
            z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
            ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64 * 2.0 - 1.0
        };
        let (mut x, mut c, mut y) = (Vec::new(), Vec::new(), Vec::new());
        for &row in rows {
            let v: Vec<f64> = (0..4).map(|j| hash(row, j)).collect();
            y.push((v[0] * v[1] - v[2] + 0.3 * (row % 3) as f64 + 0.2 * hash(row, 9)) as f32);
            let spoil = if self.bad_row == Some(row) {
                f32::NAN
            } else {
                0.0
            };
            x.extend(v.iter().map(|v| *v as f32 + spoil));
            c.push((row % 3) as i32);
        }
        let n = rows.len();
        (
            Tensor::from_data(TensorData::new(x, [n, 4]), device),
            Tensor::from_data(TensorData::new(c, [n, 1]), device),
            Tensor::from_data(TensorData::new(y, [n, 1]), device),
        )
    }
}

impl TrainTask for Task {
    type Module = Net;

    fn n_rows(&self) -> usize {
        self.n_train
    }

    fn loss(
        &mut self,
        module: &Net,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let (x, c, y) = self.batch(rows, at.device);
        let loss = self.loss.mean(module.forward(x, c), y);
        if let Some(poison) = &mut self.poison {
            if *poison == 0 {
                return Ok(loss * f64::NAN);
            }
            *poison -= 1;
        }
        Ok(loss)
    }

    fn observe_statistics(
        &mut self,
        module: &Net,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<(), ForgeError> {
        let good = rows
            .iter()
            .copied()
            .filter(|row| Some(*row) != self.bad_row);
        let good: Vec<usize> = good.collect();
        self.loss(module, &good, at).map(drop)
    }

    fn validate(&self, module: &Net) -> Result<Option<Scores>, ForgeError> {
        if self.n_valid == 0 {
            return Ok(None);
        }
        let rows: Vec<usize> = (1_000_000..1_000_000 + self.n_valid).collect();
        let (x, c, y) = self.batch(&rows, &self.device);
        let r = module.forward(x, c) - y;
        let mse: f32 = (r.clone() * r).mean().into_scalar();
        Ok(Some(Scores::new().minimize("rmse", f64::from(mse).sqrt())))
    }
}

/// Everything on: averaging, clipping, early stopping, warm-up.
pub(crate) fn config(epochs: usize) -> TrainerConfig {
    serde_json::from_value(json!({
        "epochs": epochs,
        "batch_size": 7,
        "seed": 5,
        "schedule": {"name": "cosine_warmup", "base_lr": 0.02},
        "ema": {"name": "ema_pytorch", "beta": 0.9, "update_every": 2},
        "clip_norm": 0.5,
        "early_stopping": {"patience": 100},
    }))
    .unwrap()
}

/// All bits of a module.
pub(crate) fn bits(module: &Net) -> Vec<(String, Vec<u8>)> {
    let state = StateDict::from_module(&module.valid()).unwrap();
    state
        .tensors
        .into_iter()
        .map(|(name, data)| (name, data.as_bytes().to_vec()))
        .collect()
}
