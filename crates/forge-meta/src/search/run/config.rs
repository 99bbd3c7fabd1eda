//! The settings of a search.

use forge_nn::{ForgeError, ModuleConfig, check};
use serde::{Deserialize, Serialize};

use crate::search::{EnasControllerConfig, GateMode, SearchSpace, Unrolling};

/// How a search chooses.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case", deny_unknown_fields)]
pub enum SearchMethod {
    /// `darts`: the validation loss's gradient for the strengths, through a step of the weights.
    Darts {
        /// How far the gradient looks. `{"kind": "none"}` is the first-order form. Default: exactly.
        #[serde(default)]
        unrolling: Unrolling,
    },
    /// `gumbel_softmax`: one draw per edge and step, relaxed or hard, at a temperature that falls in equal
    /// ratios to its last.
    GumbelSoftmax {
        /// At the first step, above 0.
        first_temperature: f64,
        /// At the last step, above 0.
        last_temperature: f64,
        /// Whether the forward pass takes the one operation drawn.
        hard: bool,
    },
    /// `proxyless_nas`: one open gate per edge and step, gradients for the gates, and the latency in the
    /// loss.
    ProxylessNas {
        /// How many operations take part in a step of the strengths. Default: two.
        #[serde(default)]
        gates: GateMode,
        /// Loss per millisecond of expected latency, at least 0. Default: 0, nothing is measured.
        #[serde(default)]
        latency_weight: f64,
    },
    /// `enas`: a controller that learns by the rewards of its cells. The reward of a cell is
    /// `1 / (1 + loss)` on a batch for validation, this library's choice for losses of any kind.
    Enas {
        /// Width of the controller's LSTM, at least 1.
        lstm_size: usize,
        /// Cells that a step of the controller rewards, at least 1.
        arcs_per_step: usize,
        /// See [`MovingBaseline`](crate::search::MovingBaseline).
        baseline_decay: f64,
        /// The same.
        entropy_weight: f64,
        /// Cells drawn in the end, of which the best on the validation set is taken; at least 1.
        candidates: usize,
    },
    /// `random`: weights trained on cells that are all equally likely, and of `candidates` such cells the
    /// best on the validation set (Li & Talwalkar, arXiv 1902.07638).
    Random {
        /// At least 1.
        candidates: usize,
    },
}

impl SearchMethod {
    /// The names that files have.
    pub const NAMES: [&'static str; 5] =
        ["darts", "gumbel_softmax", "proxyless_nas", "enas", "random"];

    /// The method called `name` with its usual settings; `darts` is the second-order form,
    /// `darts_first_order` the first-order one.
    ///
    /// # Errors
    /// A config error that lists the names there are.
    pub fn named(name: &str) -> Result<Self, ForgeError> {
        Ok(match name {
            "darts" => Self::Darts {
                unrolling: Unrolling::Exact,
            },
            "darts_first_order" => Self::Darts {
                unrolling: Unrolling::None,
            },
            "gumbel_softmax" => Self::GumbelSoftmax {
                first_temperature: 1.0,
                last_temperature: 0.1,
                hard: false,
            },
            "proxyless_nas" => Self::ProxylessNas {
                gates: GateMode::TwoPaths,
                latency_weight: 0.0,
            },
            "enas" => Self::Enas {
                lstm_size: 64,
                arcs_per_step: 4,
                baseline_decay: 0.95,
                entropy_weight: 1e-4,
                candidates: 16,
            },
            "random" => Self::Random { candidates: 16 },
            _ => {
                let allowed = format!("one of {}, darts_first_order", Self::NAMES.join(", "));
                return Err(ForgeError::config("method", name, allowed));
            }
        })
    }

    fn validate(&self) -> Result<(), ForgeError> {
        match self {
            Self::Darts { unrolling } => match unrolling {
                Unrolling::Difference { r } => check::positive("method.unrolling.r", *r),
                Unrolling::Exact | Unrolling::None => Ok(()),
            },
            Self::GumbelSoftmax {
                first_temperature,
                last_temperature,
                ..
            } => {
                check::positive("method.first_temperature", *first_temperature)?;
                check::positive("method.last_temperature", *last_temperature)
            }
            Self::ProxylessNas { latency_weight, .. } => {
                check::in_range("method.latency_weight", *latency_weight, 0.0..=f64::MAX)
            }
            Self::Enas {
                lstm_size,
                arcs_per_step,
                baseline_decay,
                entropy_weight,
                candidates,
            } => {
                check::at_least_one("method.lstm_size", *lstm_size)?;
                check::at_least_one("method.arcs_per_step", *arcs_per_step)?;
                check::probability("method.baseline_decay", *baseline_decay)?;
                check::in_range("method.entropy_weight", *entropy_weight, 0.0..=f64::MAX)?;
                check::at_least_one("method.candidates", *candidates)
            }
            Self::Random { candidates } => check::at_least_one("method.candidates", *candidates),
        }
    }
}

/// The settings of a [`Search`](super::Search). The numbers of the optimisers are those of DARTS by
/// default: gradient descent with momentum for the weights, Adam for the architecture.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchConfig {
    /// What is chosen from. Default: [`SearchSpace::rows`].
    pub space: SearchSpace,
    /// How. Default: `darts`, exact second order.
    pub method: SearchMethod,
    /// Steps of the whole search, at least 1: a step moves the weights and the architecture. Default: 500.
    pub steps: usize,
    /// Width of the states, at least 1. Default: 16.
    pub d_model: usize,
    /// Rows of a batch, of the training and of the validation set, at least 1 and at most the smaller
    /// set. Default: 64.
    pub batch_size: usize,
    /// Learning rate of the weights, above 0. Default: 0.025.
    pub weight_rate: f64,
    /// Momentum of the weights, in `[0, 1)`. Default: 0.9.
    pub momentum: f64,
    /// Weight decay of the weights, at least 0. Default: 3e-4.
    pub weight_decay: f64,
    /// Largest norm of the weights' gradient, above 0; a longer one is shortened. Default: 5.
    pub clip_norm: f64,
    /// Learning rate of the architecture or of the controller, above 0. Default: 3e-3, this library's for
    /// short searches on tables (DARTS's for images is 3e-4).
    pub architecture_rate: f64,
    /// Of first weights, batches and draws. Default: 0.
    pub seed: u64,
}

impl Default for SearchConfig {
    fn default() -> Self {
        Self {
            space: SearchSpace::rows(),
            method: SearchMethod::Darts {
                unrolling: Unrolling::Exact,
            },
            steps: 500,
            d_model: 16,
            batch_size: 64,
            weight_rate: 0.025,
            momentum: 0.9,
            weight_decay: 3e-4,
            clip_norm: 5.0,
            architecture_rate: 3e-3,
            seed: 0,
        }
    }
}

impl SearchConfig {
    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        self.space.validate()?;
        self.method.validate()?;
        check::at_least_one("steps", self.steps)?;
        check::at_least_one("d_model", self.d_model)?;
        check::at_least_one("batch_size", self.batch_size)?;
        check::positive("weight_rate", self.weight_rate)?;
        check::probability("momentum", self.momentum)?;
        check::in_range("weight_decay", self.weight_decay, 0.0..=f64::MAX)?;
        check::positive("clip_norm", self.clip_norm)?;
        check::positive("architecture_rate", self.architecture_rate)?;
        match self.controller() {
            Some(controller) => controller.validate(),
            None => Ok(()),
        }
    }

    /// The controller of `enas`.
    pub(super) fn controller(&self) -> Option<EnasControllerConfig> {
        let SearchMethod::Enas { lstm_size, .. } = self.method else {
            return None;
        };
        Some(EnasControllerConfig {
            n_nodes: self.space.n_nodes,
            n_operations: self.space.operations.len(),
            lstm_size,
            ..EnasControllerConfig::default()
        })
    }
}
