//! The network that proposes cells.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Tensor};
use forge_nn::cell::Genotype;
use forge_nn::{ForgeError, Linear, LinearConfig, ModuleConfig, check};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::walk::{ScoredArcs, walk};

/// Makes an [`EnasController`]. Defaults are the authors' for search on images.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EnasControllerConfig {
    /// Nodes of a cell, 1 to 64. Default: 4.
    pub n_nodes: usize,
    /// Operations to choose from, at least 2. Default: 8.
    pub n_operations: usize,
    /// Cells chosen in one go, at least 1. Default: 1.
    pub n_cells: usize,
    /// Width of the LSTM, at least 1. Default: 64.
    pub lstm_size: usize,
    /// Layers of the LSTM, at least 1. Default: 2.
    pub n_layers: usize,
    /// Divides all logits, above 0; absent: 1. Default: 5.
    pub temperature: Option<f64>,
    /// Bounds all logits, `c tanh(z)`, above 0; absent: no bound. Default: 1.1.
    pub tanh_constant: Option<f64>,
    /// The bound of operations' logits is `c` over this, above 0. Default: 2.5.
    pub op_tanh_reduce: f64,
    /// The first cell's first two operations have 0.25 added to their logits, its others -0.25. Default:
    /// false (the authors': true, for two kinds of convolution).
    pub fixed_op_bias: bool,
}

impl Default for EnasControllerConfig {
    fn default() -> Self {
        Self {
            n_nodes: 4,
            n_operations: 8,
            n_cells: 1,
            lstm_size: 64,
            n_layers: 2,
            temperature: Some(5.0),
            tanh_constant: Some(1.1),
            op_tanh_reduce: 2.5,
            fixed_op_bias: false,
        }
    }
}

/// An LSTM that makes the decisions of a cell one after the other: for each node which two earlier states
/// it reads, by attention over them, then which two operations.
///
/// As melodyguan/enas, `src/cifar10/micro_controller.py`: the LSTM has no biases, its gates stand in the
/// order input, forget, output, cell; states 0 and 1 are read as zeros, though their keys are those of two
/// steps from the start.
#[derive(Module, Debug)]
pub struct EnasController {
    /// `[L]`: the input before each node.
    pub start: Param<Tensor<1>>,
    /// Of input and hidden state, `[2 L, 4 L]`, layer by layer.
    pub lstm: Vec<Linear>,
    /// `[O, L]`.
    pub op_embedding: Param<Tensor<2>>,
    /// To the logits of the operations.
    pub op_logits: Linear,
    /// Of the states to choose from.
    pub anchor_proj: Linear,
    /// Of the state that chooses.
    pub query_proj: Linear,
    /// To one number for each.
    pub score: Linear,
    #[module(skip)]
    pub(super) config: EnasControllerConfig,
}

impl ModuleConfig for EnasControllerConfig {
    type Module = EnasController;

    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("n_nodes", self.n_nodes, 1..=Genotype::MOST_NODES)?;
        check::in_range("n_operations", self.n_operations, 2..)?;
        check::at_least_one("n_cells", self.n_cells)?;
        check::at_least_one("lstm_size", self.lstm_size)?;
        check::at_least_one("n_layers", self.n_layers)?;
        check::positive("temperature", self.temperature.unwrap_or(1.0))?;
        check::positive("tanh_constant", self.tanh_constant.unwrap_or(1.0))?;
        check::positive("op_tanh_reduce", self.op_tanh_reduce)
    }

    fn build(&self, device: &Device) -> EnasController {
        let size = self.lstm_size;
        // The authors' start of all weights.
        let small = Initializer::Uniform {
            min: -0.1,
            max: 0.1,
        };
        let linear = |from, to, bias| {
            LinearConfig::new(from, to)
                .with_bias(bias)
                .with_initializer(small.clone())
                .with_bias_initializer(Some(Initializer::Zeros))
                .build(device)
        };
        EnasController {
            start: small.init([size], device),
            lstm: (0..self.n_layers)
                .map(|_| linear(2 * size, 4 * size, false))
                .collect(),
            op_embedding: small.init([self.n_operations, size], device),
            op_logits: linear(size, self.n_operations, true),
            anchor_proj: linear(size, size, false),
            query_proj: linear(size, size, false),
            score: linear(size, 1, false),
            config: self.clone(),
        }
    }
}

impl EnasController {
    /// Its config.
    #[must_use]
    pub fn config(&self) -> &EnasControllerConfig {
        &self.config
    }

    /// How probable these cells are.
    ///
    /// `arcs` has a row for each sample, cell after cell: `[source, operation, source, operation]` of each
    /// node, at least one row.
    ///
    /// # Errors
    /// A shape error for a row of another length; a config error for a number out of range.
    pub fn score(&self, arcs: &[Vec<usize>]) -> Result<ScoredArcs, ForgeError> {
        let (config, per_node) = (&self.config, 4);
        check::at_least_one("number of arcs", arcs.len())?;
        let length = per_node * config.n_nodes * config.n_cells;
        for arc in arcs {
            if arc.len() != length {
                return Err(ForgeError::shape("an arc", arc.len(), length));
            }
            for (at, value) in arc.iter().enumerate() {
                let node = at / per_node % config.n_nodes;
                let most = match at % 2 {
                    0 => Genotype::INPUTS + node,
                    _ => config.n_operations,
                };
                check::in_range(&format!("arc[{at}]"), *value, 0..most)?;
            }
        }
        walk(self, arcs.len(), |at, _| {
            Ok(arcs.iter().map(|arc| arc[at]).collect())
        })
    }

    /// Draws `count` samples of cells, at least 1.
    ///
    /// # Errors
    /// A config error for none; a training error if the controller's numbers are not finite.
    pub fn sample(&self, count: usize, random: &mut ChaCha8Rng) -> Result<ScoredArcs, ForgeError> {
        check::at_least_one("count", count)?;
        walk(self, count, |_, logits| super::walk::drawn(logits, random))
    }
}
