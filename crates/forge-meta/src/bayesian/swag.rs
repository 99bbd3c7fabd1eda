//! A Gaussian around the average of the weights.

use std::collections::VecDeque;

use burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, check};
use forge_train::checkpoint::{PartState, RunPart};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::functional::{Params, normals};

/// How a [`Swag`] collects and draws.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SwagConfig {
    /// `K`, how many of the last deviations are kept, at least 2. Default: 20.
    pub max_rank: usize,
    /// Factor of the covariance, 0 or more; 0.5 is the paper's, half of it diagonal and half of low
    /// rank. Default: 0.5.
    pub scale: f64,
    /// Least variance of an element, above 0. Default: 1e-30.
    pub var_clamp: f64,
}

impl Default for SwagConfig {
    fn default() -> Self {
        Self {
            max_rank: 20,
            scale: 0.5,
            var_clamp: 1e-30,
        }
    }
}

impl SwagConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("max_rank", self.max_rank, 2..=10_000)?;
        check::in_range("scale", self.scale, 0.0..=f64::MAX)?;
        check::positive("var_clamp", self.var_clamp)
    }
}

/// Stochastic weight averaging, Gaussian: the mean of the weights that training passes through
/// late, and a covariance of low rank plus a diagonal, from which weights are drawn.
///
/// A draw is `μ + √scale (√σ² z₁ + D z₂ / √(K - 1))`, `D` the last `K` deviations, each from the
/// mean after its own update; `K` is `max_rank` even when fewer are there. Maddox et al., arXiv
/// 1902.02476, algorithm 1, as the authors' code has it. Batch-norm statistics have to be computed
/// anew for drawn weights.
///
/// Variances are sums of products of deviations (Welford), not differences of squares, which would
/// cancel in f32.
#[derive(Debug, Clone)]
pub struct Swag {
    config: SwagConfig,
    collected: usize,
    mean: Params,
    /// `Σ (θ - mean)²`.
    spread: Params,
    deviations: VecDeque<Params>,
    device: Device,
}

impl Swag {
    /// Before the first weights. `device` is that of the weights: what a checkpoint gives back goes there.
    ///
    /// # Errors
    /// As [`SwagConfig::validate`].
    pub fn new(config: SwagConfig, device: &Device) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self {
            config,
            collected: 0,
            mean: Params::default(),
            spread: Params::default(),
            deviations: VecDeque::new(),
            device: device.clone(),
        })
    }

    /// Adds the weights of one moment, once an epoch as a rule.
    ///
    /// # Errors
    /// A weights error if they are of another module than those before.
    pub fn collect(&mut self, params: &Params) -> Result<(), ForgeError> {
        let params = params.detach();
        if self.collected == 0 {
            self.mean = params.zeros_like();
            self.spread = params.zeros_like();
        }
        let count = self.collected + 1;
        let before = params.add_scaled(&self.mean, -1.0)?;
        let mean = self.mean.add_scaled(&before, 1.0 / count as f64)?;
        let after = params.add_scaled(&mean, -1.0)?;
        let product = before.zip(&after, |_, a, b| a.mul(b))?;
        self.spread = self.spread.add_scaled(&product, 1.0)?;
        self.mean = mean;
        self.collected = count;
        self.deviations.push_back(after);
        if self.deviations.len() > self.config.max_rank {
            self.deviations.pop_front();
        }
        Ok(())
    }

    /// How many have been collected.
    #[must_use]
    pub fn collected(&self) -> usize {
        self.collected
    }

    /// The mean of all collected.
    ///
    /// # Errors
    /// A config error if none has been.
    pub fn mean(&self) -> Result<&Params, ForgeError> {
        check::at_least_one("collected weights", self.collected)?;
        Ok(&self.mean)
    }

    /// The variance of each element, no less than the config's least.
    ///
    /// # Errors
    /// As [`mean`](Self::mean).
    pub fn variance(&self) -> Result<Params, ForgeError> {
        check::at_least_one("collected weights", self.collected)?;
        let (share, least) = (1.0 / self.collected as f64, self.config.var_clamp);
        Ok(self
            .spread
            .map(|_, spread| spread.scale(share).clamp_min(least)))
    }

    /// The last deviations, the oldest first.
    pub fn deviations(&self) -> impl ExactSizeIterator<Item = &Params> {
        self.deviations.iter()
    }

    /// Weights drawn from the Gaussian; the same for the same seed.
    ///
    /// # Errors
    /// As [`mean`](Self::mean).
    pub fn sample(&self, seed: u64) -> Result<Params, ForgeError> {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let diagonal = self.mean()?.normal_like(&mut random);
        let low_rank = normals(self.deviations.len(), &mut random);
        self.sample_with(&diagonal, Some(&low_rank))
    }

    /// Weights drawn with standard normal numbers of one's own: one for each element, and one for
    /// each deviation, without which the diagonal alone is drawn from.
    ///
    /// # Errors
    /// As [`mean`](Self::mean); a weights error if `diagonal` is of another module, a shape error if
    /// there are not as many numbers as deviations.
    pub fn sample_with(
        &self,
        diagonal: &Params,
        low_rank: Option<&[f64]>,
    ) -> Result<Params, ForgeError> {
        let root = self.config.scale.sqrt();
        let own = self
            .variance()?
            .zip(diagonal, |_, variance, z| variance.sqrt().mul(z))?;
        let mut drawn = self.mean.add_scaled(&own, root)?;
        let Some(low_rank) = low_rank else {
            return Ok(drawn);
        };
        if low_rank.len() != self.deviations.len() {
            return Err(ForgeError::shape(
                "the numbers for the deviations",
                low_rank.len(),
                self.deviations.len(),
            ));
        }
        let share = root / ((self.config.max_rank - 1) as f64).sqrt();
        for (deviation, z) in self.deviations.iter().zip(low_rank) {
            drawn = drawn.add_scaled(deviation, share * z)?;
        }
        Ok(drawn)
    }

    /// The covariance times a vector: `scale (diag(σ²) + D Dᵀ / (K - 1)) v`.
    ///
    /// # Errors
    /// As [`mean`](Self::mean); a weights error if `vector` is of another module.
    pub fn covariance_times(&self, vector: &Params) -> Result<Params, ForgeError> {
        let mut product = self
            .variance()?
            .zip(vector, |_, variance, v| variance.mul(v))?;
        for deviation in &self.deviations {
            let along: Tensor<1> = deviation.dot(vector)?;
            let along = along.into_scalar::<f64>() / (self.config.max_rank - 1) as f64;
            product = product.add_scaled(deviation, along)?;
        }
        Ok(product.scale(self.config.scale))
    }
}

/// The state is exact: what has been collected goes on to the same bits.
impl RunPart for Swag {
    fn name(&self) -> &str {
        "swag"
    }

    fn config(&self) -> Value {
        json!(self.config)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        let mut tensors = self.mean.saved("mean");
        tensors.append(&mut self.spread.saved("spread"));
        for (place, deviation) in self.deviations.iter().enumerate() {
            tensors.append(&mut deviation.saved(&format!("deviation{place:06}")));
        }
        let counts = (self.collected, self.deviations.len());
        Ok(PartState::from_json(&counts)?.with_tensors(tensors))
    }

    fn restore(&mut self, mut state: PartState) -> Result<(), ForgeError> {
        let (collected, deviations): (usize, usize) = state.read_json()?;
        check::in_range("deviations", deviations, 0..=self.config.max_rank)?;
        let mut take = |section: &str| Params::restored(section, &mut state.tensors, &self.device);
        let (mean, spread) = (take("mean"), take("spread"));
        let deviations: VecDeque<Params> = (0..deviations)
            .map(|place| take(&format!("deviation{place:06}")))
            .collect();
        for other in deviations.iter().chain([&spread]) {
            mean.same_as(other, "the saved state")?;
        }
        if let Some(name) = state.tensors.keys().next() {
            return Err(ForgeError::weights(format!("{name} is not expected")));
        }
        (self.collected, self.mean, self.spread) = (collected, mean, spread);
        self.deviations = deviations;
        Ok(())
    }
}
