//! The controller's decisions, in their order.

use burn::tensor::activation::{log_softmax, sigmoid, tanh};
use burn::tensor::{Int, Tensor, TensorData};
use forge_nn::ForgeError;
use forge_nn::cell::Genotype;
use rand_chacha::ChaCha8Rng;

use super::EnasController;
use crate::search::proxyless::{GateMode, GatedPaths};
use crate::search::super_net::host_rows;

/// Cells and how probable the controller finds them.
#[derive(Debug, Clone)]
pub struct ScoredArcs {
    /// A row for each sample: `[source, operation, source, operation]` of each node of each cell.
    pub arcs: Vec<Vec<usize>>,
    /// The logarithm of the probability, `[S]`.
    pub log_probability: Tensor<1>,
    /// The sum of the entropies of all decisions, `[S]`, without a gradient.
    pub entropy: Tensor<1>,
    /// The logits of all decisions in their order, `[S, …]`.
    pub logits: Tensor<2>,
}

/// One choice for each row by its probability.
pub(super) fn drawn(logits: &Tensor<2>, random: &mut ChaCha8Rng) -> Result<Vec<usize>, ForgeError> {
    let rows = host_rows(logits.clone());
    let one = |row: &Vec<f64>| Ok(GatedPaths::draw(row, GateMode::Full, random)?.active);
    rows.iter().map(one).collect()
}

/// The state of the LSTM and what has been said so far.
struct Walker<'a> {
    controller: &'a EnasController,
    /// Cell and hidden state of each layer, `[S, L]`.
    state: Vec<(Tensor<2>, Tensor<2>)>,
    log_probability: Tensor<1>,
    entropy: Tensor<1>,
    logits: Vec<Tensor<2>>,
}

impl Walker<'_> {
    /// One step of the LSTM: the last layer's hidden state, `[S, L]`.
    fn step(&mut self, mut x: Tensor<2>) -> Tensor<2> {
        let size = self.controller.config.lstm_size;
        for (layer, (cell, hidden)) in self.controller.lstm.iter().zip(&mut self.state) {
            let gates = layer.forward(Tensor::cat(vec![x, hidden.clone()], 1));
            let gate = |at: usize| gates.clone().narrow(1, at * size, size);
            let kept = sigmoid(gate(1)) * cell.clone();
            *cell = sigmoid(gate(0)) * tanh(gate(3)) + kept;
            *hidden = sigmoid(gate(2)) * tanh(cell.clone());
            x = hidden.clone();
        }
        x
    }

    /// Logits after temperature and bound.
    fn tempered(&self, logits: Tensor<2>, reduce: f64) -> Tensor<2> {
        let config = &self.controller.config;
        let logits = match config.temperature {
            Some(temperature) => logits * (1.0 / temperature),
            None => logits,
        };
        match config.tanh_constant {
            Some(bound) => tanh(logits) * (bound / reduce),
            None => logits,
        }
    }

    /// Counts a decision in; the choice as `[S]`.
    fn decide(&mut self, logits: Tensor<2>, chosen: &[usize]) -> Tensor<1, Int> {
        let device = logits.device();
        let chosen: Vec<i64> = chosen.iter().map(|k| *k as i64).collect();
        let rows = chosen.len();
        let chosen = Tensor::<1, Int>::from_data(TensorData::new(chosen, [rows]), &device);
        let says = log_softmax(logits.clone(), 1);
        let of_choice = says.clone().gather(1, chosen.clone().unsqueeze_dim(1));
        self.log_probability = self.log_probability.clone() + of_choice.squeeze_dim(1);
        let plain = says.detach();
        let entropy = (plain.clone().exp() * plain).sum_dim(1).neg();
        self.entropy = self.entropy.clone() + entropy.squeeze_dim(1);
        self.logits.push(logits);
        chosen
    }
}

/// Makes all decisions for `rows` samples; `choose` gets where a decision stands in the arc, and its logits.
pub(super) fn walk(
    controller: &EnasController,
    rows: usize,
    mut choose: impl FnMut(usize, &Tensor<2>) -> Result<Vec<usize>, ForgeError>,
) -> Result<ScoredArcs, ForgeError> {
    let config = &controller.config;
    let size = config.lstm_size;
    let start = controller.start.val();
    let zeros = Tensor::<2>::zeros([rows, size], (&start.device(), start.dtype()));
    let start = start.unsqueeze::<2>().expand([rows, size]);
    let nothing = Tensor::<1>::zeros([rows], (&start.device(), start.dtype()));
    let mut walker = Walker {
        controller,
        state: vec![(zeros.clone(), zeros.clone()); config.n_layers],
        log_probability: nothing.clone(),
        entropy: nothing,
        logits: vec![],
    };
    let per_node = 2 * Genotype::INPUTS;
    let mut arcs = vec![vec![0; per_node * config.n_nodes * config.n_cells]; rows];
    for cell in 0..config.n_cells {
        let (mut anchors, mut keys) = (vec![], vec![]);
        for _ in 0..Genotype::INPUTS {
            let hidden = walker.step(start.clone());
            anchors.push(zeros.clone());
            keys.push(controller.anchor_proj.forward(hidden));
        }
        for node in 0..config.n_nodes {
            let first = per_node * (cell * config.n_nodes + node);
            let mut x = start.clone();
            for side in 0..Genotype::INPUTS {
                let query = controller.query_proj.forward(walker.step(x));
                let each = Tensor::stack::<3>(keys.clone(), 1) + query.unsqueeze_dim::<3>(1);
                let logits = controller.score.forward(tanh(each)).squeeze_dim::<2>(2);
                let logits = walker.tempered(logits, 1.0);
                let at = first + 2 * side;
                let chosen = choose(at, &logits)?;
                note(&mut arcs, at, &chosen);
                let places = walker.decide(logits, &chosen);
                let places = places.reshape([rows, 1, 1]).expand([rows, 1, size]);
                let read = Tensor::stack::<3>(anchors.clone(), 1).gather(1, places);
                x = read.squeeze_dim(1);
            }
            for side in 0..Genotype::INPUTS {
                let logits = controller.op_logits.forward(walker.step(x));
                let mut logits = walker.tempered(logits, config.op_tanh_reduce);
                if config.fixed_op_bias && cell == 0 {
                    logits = logits + fixed_bias(controller);
                }
                let at = first + 2 * side + 1;
                let chosen = choose(at, &logits)?;
                note(&mut arcs, at, &chosen);
                let places = walker.decide(logits, &chosen);
                x = controller.op_embedding.val().select(0, places);
            }
            let hidden = walker.step(x);
            keys.push(controller.anchor_proj.forward(hidden.clone()));
            anchors.push(hidden);
        }
    }
    Ok(ScoredArcs {
        arcs,
        log_probability: walker.log_probability,
        entropy: walker.entropy,
        logits: Tensor::cat(walker.logits, 1),
    })
}

fn note(arcs: &mut [Vec<usize>], at: usize, chosen: &[usize]) {
    for (arc, chosen) in arcs.iter_mut().zip(chosen) {
        arc[at] = *chosen;
    }
}

/// `[0.25, 0.25, -0.25, …]` for the operations, `[1, O]`.
fn fixed_bias(controller: &EnasController) -> Tensor<2> {
    let like = controller.op_embedding.val();
    let count = controller.config.n_operations;
    let bias = (0..count).map(|k| if k < 2 { 0.25 } else { -0.25 });
    let data = TensorData::new(bias.collect::<Vec<f64>>(), [1, count]);
    Tensor::from_data(data, (&like.device(), like.dtype()))
}
