//! Muon, for matrices.

use burn::tensor::Tensor;
use forge_nn::ops::Axes;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::lion::{decayed, mix};
use super::shared_settings::{betas, not_negative, optimizer_config};
use super::update_rule::burn_optimizer;
use super::{Memory, UpdateRule};

optimizer_config! {
    /// [`Muon`]'s fields. It moves hidden matrices; everything else (other ranks, and what
    /// `adam_w` names) moves by AdamW.
    pub struct MuonConfig {
        /// Memory of the gradient, in `[0, 1)`. Default 0.95.
        pub momentum: f64 = 0.95,
        /// Mix the gradient in once more (Nesterov). Default true.
        pub nesterov: bool = true,
        /// Newton-Schulz steps, 1 to 99. Default 5.
        pub ns_steps: usize = 5,
        /// Least norm that a matrix is divided by. Above 0, default 1e-7.
        pub epsilon: f64 = 1e-7,
        /// How the rate follows a matrix's shape. Default `match_rms_adam_w`, so that rates and
        /// decays are AdamW's (PyTorch's default: `original`).
        pub adjust_lr: MuonScale = MuonScale::MatchRmsAdamW,
        /// [Patterns](super::PathPattern) over the paths of matrices that AdamW moves. Default:
        /// embeddings, tokens, positions and heads, as its author advises.
        pub adam_w: Vec<String> = ["*embed*", "*token*", "*position*", "head", "*.head"]
            .map(String::from)
            .to_vec(),
        /// Times the learning rate, for what AdamW moves. At least 0, default 1.
        pub adam_w_rate: f64 = 1.0,
        /// AdamW's memory of the gradient, in `[0, 1)`. Default 0.9.
        pub beta_1: f64 = 0.9,
        /// AdamW's memory of the squared gradient, in `[0, 1)`. Default 0.999.
        pub beta_2: f64 = 0.999,
        /// AdamW's epsilon. Above 0, default 1e-8.
        pub adam_w_epsilon: f64 = 1e-8,
    }
    weight_decay = 0.01;
    /// Decoupled weight decay of either. At least 0, default 0.01 (PyTorch's Muon: 0.1).
}

/// What Muon's rate of a matrix with `a` outputs and `b` inputs is multiplied by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum MuonScale {
    /// `√max(1, a/b)` (Jordan 2024). Wants rates near 0.02.
    Original,
    /// `0.2 √max(a, b)`: steps as long as AdamW's (Liu et al. 2025, section 2.2).
    MatchRmsAdamW,
}

impl MuonConfig {
    pub(super) fn validate(&self) -> Result<(), ForgeError> {
        betas(&[
            ("momentum", self.momentum),
            ("beta_1", self.beta_1),
            ("beta_2", self.beta_2),
        ])?;
        check::in_range("optimizer.ns_steps", self.ns_steps, 1..=99)?;
        check::positive("optimizer.epsilon", self.epsilon)?;
        check::positive("optimizer.adam_w_epsilon", self.adam_w_epsilon)?;
        not_negative("optimizer.adam_w_rate", self.adam_w_rate)?;
        if let Some(i) = self.adam_w.iter().position(String::is_empty) {
            let field = format!("optimizer.adam_w[{i}]");
            return Err(ForgeError::config(&field, "\"\"", "a pattern"));
        }
        Ok(())
    }
}

/// Momentum made orthogonal by Newton and Schulz's iteration (Jordan 2024):
///
/// ```text
/// b ← μ b + (1 - μ) g        X = b, or μ b + (1 - μ) g with nesterov; X ← X/‖X‖
/// X ← 3.4445 X - 4.775 (X Xᵀ) X + 2.0315 (X Xᵀ)² X        five times
/// p ← p (1 - lr·wd) - lr·s X
/// ```
///
/// in PyTorch's arithmetic, with `s` of [`MuonScale`]. Outputs are a matrix's last axis, as in Burn's
/// `Linear` (its first in PyTorch).
///
/// Departure: computed in the parameter's own type, where PyTorch goes down to bf16.
#[derive(Debug, Clone)]
pub struct Muon {
    config: MuonConfig,
    weight_decay: f64,
}

impl Muon {
    /// One optimiser with the numbers of `config` and a weight decay of its own.
    #[must_use]
    pub fn new(config: &MuonConfig, weight_decay: f64) -> Self {
        Self {
            config: config.clone(),
            weight_decay,
        }
    }

    /// Nearly orthogonal with the singular vectors of `x`, `[rows, columns]`.
    fn orthogonal<const D: usize>(&self, x: Tensor<D>) -> Tensor<D> {
        let (rows, columns) = sides(&x);
        let tall = rows > columns;
        let x = if tall { x.swapped(D - 2, D - 1) } else { x };
        let norm = x
            .clone()
            .square()
            .sum()
            .sqrt()
            .clamp_min(self.config.epsilon);
        let mut x = x.div(norm.reshape([1; D]));
        for _ in 0..self.config.ns_steps {
            let gram = x.clone().matmul(x.clone().swapped(D - 2, D - 1));
            let square = gram.clone().matmul(gram.clone()).mul_scalar(2.0315);
            let update = gram.mul_scalar(-4.775).add(square);
            x = x.clone().mul_scalar(3.4445).add(update.matmul(x));
        }
        if tall { x.swapped(D - 2, D - 1) } else { x }
    }

    fn scale(&self, rows: usize, columns: usize) -> f64 {
        let (outputs, inputs) = (columns as f64, rows as f64);
        match self.config.adjust_lr {
            MuonScale::Original => (outputs / inputs).max(1.0).sqrt(),
            MuonScale::MatchRmsAdamW => 0.2 * outputs.max(inputs).sqrt(),
        }
    }
}

/// The last two axes.
fn sides<const D: usize>(x: &Tensor<D>) -> (usize, usize) {
    let dims = x.dims();
    (dims[D - 2], dims[D - 1])
}

impl UpdateRule for Muon {
    const TENSORS: &'static [&'static str] = &["momentum_buffer"];

    /// # Panics
    /// If the parameter is no matrix.
    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D> {
        assert!(D == 2, "Muon moves matrices, not a parameter of rank {D}");
        let [momentum] = memory.take();
        let momentum = mix(momentum, gradient.clone(), self.config.momentum);
        memory.tensors = vec![momentum.clone()];
        let direction = if self.config.nesterov {
            mix(momentum, gradient, self.config.momentum)
        } else {
            momentum
        };
        let (rows, columns) = sides(&parameter);
        let step = self
            .orthogonal(direction)
            .mul_scalar(lr * self.scale(rows, columns));
        decayed(parameter, lr, self.weight_decay).sub(step)
    }
}

burn_optimizer!(Muon);
