//! What a search is for.

use burn::tensor::activation::log_softmax;
use burn::tensor::{Device, Int, Tensor, TensorData};
use forge_nn::{ForgeError, check};
use rand::seq::index::sample;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// How wrong outputs are; the mean over the rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SearchLoss {
    /// The squared difference, averaged over the outputs.
    SquaredError,
    /// Of `softmax(outputs)` against probabilities of the classes (one-hot rows, say).
    CrossEntropy,
}

impl SearchLoss {
    /// # Shapes
    /// - outputs, targets: `[B, D_out]`
    /// - output: `[1]`
    #[must_use]
    pub fn of(self, outputs: Tensor<2>, targets: Tensor<2>) -> Tensor<1> {
        match self {
            Self::SquaredError => (outputs - targets).square().mean(),
            Self::CrossEntropy => {
                let each = (log_softmax(outputs, 1) * targets).sum_dim(1);
                each.mean().neg()
            }
        }
    }
}

/// Rows or sequences with their targets, on one device without autodiff.
#[derive(Debug, Clone)]
pub struct SearchData {
    /// `[N, T, F]`
    pub x: Tensor<3>,
    /// `[N, D_out]`
    pub y: Tensor<2>,
}

impl SearchData {
    /// Of rows of a table: sequences of one token.
    ///
    /// # Shapes
    /// - x: `[N, F]`, y: `[N, D_out]`
    #[must_use]
    pub fn rows(x: Tensor<2>, y: Tensor<2>) -> Self {
        Self {
            x: x.unsqueeze_dim(1),
            y,
        }
    }

    /// How many samples there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.dims()[0]
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A batch of `size` different samples.
    pub(super) fn batch(&self, size: usize, random: &mut ChaCha8Rng) -> Self {
        let drawn = sample(random, self.len(), size);
        let places: Vec<i64> = drawn.iter().map(|place| place as i64).collect();
        let places = TensorData::new(places, [size]);
        let places = Tensor::<1, Int>::from_data(places, &self.x.device());
        Self {
            x: self.x.clone().select(0, places.clone()),
            y: self.y.clone().select(0, places),
        }
    }

    pub(super) fn to_device(&self, device: &Device) -> Self {
        Self {
            x: self.x.clone().to_device(device),
            y: self.y.clone().to_device(device),
        }
    }
}

/// The data that weights are trained on, the data that the architecture is chosen by, and a loss.
#[derive(Debug, Clone)]
pub struct SearchTask {
    /// For the weights.
    pub train: SearchData,
    /// For the architecture.
    pub validation: SearchData,
    /// Of both.
    pub loss: SearchLoss,
}

impl SearchTask {
    /// Checks that the two sets fit each other and a batch.
    ///
    /// # Errors
    /// A config error that names the set that is empty or smaller than a batch; a shape error for sets of
    /// different widths, and for samples without targets.
    pub fn validate(&self, batch_size: usize) -> Result<(), ForgeError> {
        let sets = [("train", &self.train), ("validation", &self.validation)];
        for (name, set) in sets {
            check::at_least_one(&format!("samples of {name}"), set.len())?;
            let targets = set.y.dims()[0];
            if targets != set.len() {
                let what = format!("the targets of {name}");
                return Err(ForgeError::shape(what, targets, set.len()));
            }
            let most = 1..=set.len();
            check::in_range("batch_size", batch_size, most).map_err(|_| {
                let allowed = format!("in 1..={}, the samples of {name}", set.len());
                ForgeError::config("batch_size", batch_size, allowed)
            })?;
            let [_, tokens, features] = set.x.dims();
            check::at_least_one(&format!("tokens of {name}"), tokens)?;
            check::at_least_one(&format!("features of {name}"), features)?;
            check::at_least_one(&format!("targets of {name}"), set.y.dims()[1])?;
        }
        let [a, b] = sets.map(|(_, set)| (set.x.dims()[1], set.x.dims()[2], set.y.dims()[1]));
        match a == b {
            true => Ok(()),
            false => {
                let shown = |(tokens, features, outputs)| {
                    format!("{tokens} tokens, {features} features, {outputs} targets")
                };
                Err(ForgeError::shape("validation", shown(b), shown(a)))
            }
        }
    }
}
