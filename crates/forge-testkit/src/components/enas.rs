//! `enas_controller` and `enas_child`: log probabilities, entropies and baselines, and the outputs of shared
//! cells, against a program after `melodyguan/enas`.

use burn::tensor::{Int, Tensor, TensorData};
use forge_meta::search::{EnasChildConfig, EnasControllerConfig, MovingBaseline, SearchSpace};
use forge_nn::ModuleConfig;
use forge_nn::cell::{Genotype, Operation};
use forge_nn::parameters::KeyMap;

use crate::oracle::{OracleError, Session};

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ControllerCase {
    lstm_size: usize,
    lstm_num_layers: usize,
    num_cells: usize,
    num_branches: usize,
    temperature: Option<f64>,
    tanh_constant: Option<f64>,
    op_tanh_reduce: f64,
    n_arcs: usize,
    fixed_op_bias: bool,
    entropy_weight: f64,
    baseline_decay: f64,
}

/// The integers of an input, row by row.
fn rows(tensor: Tensor<2, Int>) -> Vec<Vec<usize>> {
    let width = tensor.dims()[1];
    let values: Vec<i64> = tensor.into_data().iter().collect();
    let values: Vec<usize> = values.into_iter().map(|v| v as usize).collect();
    values.chunks(width).map(<[usize]>::to_vec).collect()
}

pub(super) fn run_controller(session: &Session<'_>) -> Result<(), OracleError> {
    let case: ControllerCase = session.config()?;
    let config = EnasControllerConfig {
        n_nodes: case.num_cells,
        n_operations: case.num_branches,
        n_cells: case.n_arcs,
        lstm_size: case.lstm_size,
        n_layers: case.lstm_num_layers,
        temperature: case.temperature,
        tanh_constant: case.tanh_constant,
        op_tanh_reduce: case.op_tanh_reduce,
        fixed_op_bias: case.fixed_op_bias,
    };
    let transposed = |map: KeyMap, ours: &str, theirs: &str| {
        map.transposed(&format!("{ours}.weight"), &format!("{theirs}.weight"))
    };
    let mut keys = KeyMap::new()
        .same("start", "start")
        .same("op_embedding", "op_embedding.weight")
        .linear("op_logits", "op_logits");
    for layer in (0..case.lstm_num_layers).map(|layer| format!("lstm.{layer}")) {
        keys = transposed(keys, &layer, &layer);
    }
    for name in ["anchor_proj", "query_proj", "score"] {
        keys = transposed(keys, name, name);
    }
    let controller = session.load(config.try_init(session.device())?, keys)?;
    let arcs: Option<Tensor<3, Int>> = session.optional_int("arcs")?;
    let arcs = arcs.ok_or_else(|| OracleError::new("the arcs are missing"))?;
    let [samples, cells, numbers] = arcs.dims();
    let said = controller.score(&rows(arcs.reshape([samples, cells * numbers])))?;
    session.output("logits", said.logits)?;
    let entropies: Vec<f64> = said.entropy.clone().into_data().iter().collect();
    session.output("entropy", said.entropy)?;
    let first = session.values("input/baseline")?;
    let mut baseline = MovingBaseline {
        value: first.first().copied().unwrap_or(0.0),
        decay: case.baseline_decay,
        entropy_weight: case.entropy_weight,
    };
    baseline.validate()?;
    let mut columns = [vec![], vec![], vec![]];
    for (reward, entropy) in session.values("input/reward")?.into_iter().zip(entropies) {
        let said = baseline.take(reward, entropy)?;
        columns[0].push(said.reward);
        columns[1].push(said.baseline);
        columns[2].push(said.advantage);
    }
    let names = ["reward_total", "baseline_after", "advantage"];
    for (name, values) in names.into_iter().zip(columns) {
        let data = TensorData::new(values, [samples]);
        session.compare(&format!("output/{name}"), data);
    }
    session.output("y", said.log_probability)
}

#[derive(serde::Deserialize)]
#[serde(deny_unknown_fields)]
struct ChildCase {
    num_cells: usize,
    d_in: usize,
    d_model: usize,
    d_out: usize,
    ops: Vec<Operation>,
}

pub(super) fn run_child(session: &Session<'_>) -> Result<(), OracleError> {
    let case: ChildCase = session.config()?;
    let config = EnasChildConfig {
        space: SearchSpace {
            operations: case.ops.clone(),
            n_nodes: case.num_cells,
        },
        d_in: case.d_in,
        d_model: case.d_model,
        d_out: case.d_out,
    };
    let mut keys = KeyMap::new().linear("classifier", "classifier");
    for stem in 0..Genotype::INPUTS {
        keys = keys.linear(&format!("stems.{stem}"), &format!("stem_{stem}"));
    }
    for state in 0..Genotype::INPUTS + case.num_cells {
        keys = keys.transposed(
            &format!("finals.{state}.weight"),
            &format!("final.{state}.weight"),
        );
    }
    for node in 0..case.num_cells {
        for side in 0..SearchSpace::KEPT {
            for source in 0..Genotype::INPUTS + node {
                let learned = case.ops.iter().enumerate();
                for (k, operation) in learned.filter(|(_, operation)| operation.has_weights()) {
                    keys = keys.linear(
                        &format!(
                            "nodes.{node}.sides.{side}.sources.{source}.operations.{k}.linear"
                        ),
                        &format!("nodes.{node}.{side}.{operation}.{source}"),
                    );
                }
            }
        }
    }
    let child = session.load(config.try_init(session.device())?, keys)?;
    let arc: Option<Tensor<1, Int>> = session.optional_int("arc")?;
    let arc = arc.ok_or_else(|| OracleError::new("the arc is missing"))?;
    let arc = rows(arc.unsqueeze_dim(0)).remove(0);
    let loose: Vec<i64> = child.loose_ends(&arc)?.iter().map(|k| *k as i64).collect();
    let count = loose.len();
    session.compare("output/loose_ends", TensorData::new(loose, [count]));
    let x = session.input::<2>("x")?.unsqueeze_dim(1);
    session.output("y", child.forward(x, &arc)?)
}
