//! Gradient episodic memory.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use crate::functional::Params;

/// How a [`Gem`] projects.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct GemConfig {
    /// Least multiple of each memory's gradient that is added once any is violated, 0 or more: bends
    /// the step towards old tasks. Default: 0.5, as in the authors' code; 0 is the paper's exact
    /// projection.
    pub margin: f64,
    /// Added to the diagonal of the quadratic problem, 0 or more. Default: 1e-3, as in the authors'
    /// code.
    pub epsilon: f64,
}

impl Default for GemConfig {
    fn default() -> Self {
        Self {
            margin: 0.5,
            epsilon: 1e-3,
        }
    }
}

impl GemConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("margin", self.margin, 0.0..=f64::MAX)?;
        check::in_range("epsilon", self.epsilon, 0.0..=f64::MAX)
    }
}

/// Gradient episodic memory: a gradient is changed as little as possible so that a step along it
/// does not raise the loss on the remembered samples of any old task.
///
/// If `gᵀ m_t < 0` for the gradient `m_t` of some memory: minimise `½ vᵀ P v + (M g)ᵀ v` over
/// `v ≥ margin` with `P = M Mᵀ + ε I`, and take `g + Mᵀ v`. Lopez-Paz & Ranzato, arXiv 1706.08840,
/// eq. 11. With one memory, the mean over all old tasks, it is A-GEM (arXiv 1812.00420).
#[derive(Debug, Clone, Copy)]
pub struct Gem {
    config: GemConfig,
}

/// What became of a gradient.
#[derive(Debug, Clone)]
pub struct Projection {
    /// The gradient to take.
    pub gradient: Params,
    /// `v`, how much of each memory's gradient was added.
    pub dual: Vec<f64>,
    /// Whether any memory was violated.
    pub violated: bool,
}

impl Gem {
    /// With this config.
    ///
    /// # Errors
    /// As [`GemConfig::validate`].
    pub fn new(config: GemConfig) -> Result<Self, ForgeError> {
        config.validate()?;
        Ok(Self { config })
    }

    /// Projects `gradient` given the gradients of the memories.
    ///
    /// # Errors
    /// A weights error if they are of different modules; a training error if one is not finite.
    pub fn project(
        &self,
        gradient: &Params,
        memories: &[Params],
    ) -> Result<Projection, ForgeError> {
        let dot = |a: &Params, b: &Params| Ok(a.dot(b)?.into_scalar::<f64>());
        let against: Vec<f64> = memories
            .iter()
            .map(|memory| dot(memory, gradient))
            .collect::<Result<_, ForgeError>>()?;
        if let Some(task) = against.iter().position(|dot| !dot.is_finite()) {
            return Err(ForgeError::training(format!(
                "the gradient, or that of memory {task}, is not finite; lower the learning rate"
            )));
        }
        let violated = against.iter().any(|dot| *dot < 0.0);
        if !violated {
            return Ok(Projection {
                gradient: gradient.clone(),
                dual: vec![0.0; memories.len()],
                violated,
            });
        }
        let mut products = vec![vec![0.0; memories.len()]; memories.len()];
        for (i, a) in memories.iter().enumerate() {
            for (j, b) in memories[..=i].iter().enumerate() {
                let product = dot(a, b)?;
                products[i][j] = product;
                products[j][i] = product;
            }
            products[i][i] += self.config.epsilon;
        }
        let dual = minimum(&products, &against, self.config.margin);
        let mut projected = gradient.clone();
        for (memory, v) in memories.iter().zip(&dual) {
            projected = projected.add_scaled(memory, *v)?;
        }
        Ok(Projection {
            gradient: projected,
            dual,
            violated,
        })
    }
}

/// Most sweeps of the descent; tasks are few, and it ends when nothing moves.
const MOST_SWEEPS: usize = 200_000;

/// `argmin ½ vᵀ P v + qᵀ v` over `v ≥ least`, coordinate by coordinate: each minimum is exact, and
/// for a convex function with bounds that converges to the minimum.
fn minimum(p: &[Vec<f64>], q: &[f64], least: f64) -> Vec<f64> {
    let mut v = vec![least; q.len()];
    for _ in 0..MOST_SWEEPS {
        let mut moved = 0.0f64;
        for (i, row) in p.iter().enumerate() {
            // A memory without a gradient cannot be violated.
            if row[i] <= 0.0 {
                continue;
            }
            let slope: f64 = q[i] + row.iter().zip(&v).map(|(p, v)| p * v).sum::<f64>();
            let new = (v[i] - slope / row[i]).max(least);
            moved = moved.max((new - v[i]).abs() / (1.0 + new.abs()));
            v[i] = new;
        }
        if moved < 1e-15 {
            break;
        }
    }
    v
}
