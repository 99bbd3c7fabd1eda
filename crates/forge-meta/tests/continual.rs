//! Several tasks one after the other: what strategies keep, and that nothing is lost when a run is
//! stopped in the middle.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{Device, Tensor, TensorData};
use forge_meta::continual::{
    ContinualTask, LateralKind, Learned, Progressive, ProgressiveConfig, Stage, StrategyConfig,
    TaskSequence,
};
use forge_meta::functional::Params;
use forge_nn::{ForgeError, ModuleConfig, StateDict};
use forge_train::loss::cross_entropy;
use forge_train::{StepContext, StopReason, TrainTask, TrainerConfig};
use serde_json::{Value, json};

const ROWS: usize = 96;
const TASKS: usize = 3;
const INPUTS: usize = 6;

/// Either kind of network.
#[derive(Module, Debug)]
pub(crate) struct Net {
    layers: Vec<Linear>,
    columns: Option<Progressive>,
}

fn net(grows: bool) -> Net {
    let device = Device::flex();
    device.seed(5);
    let sizes = [INPUTS, 16, 16, 2];
    let pairs = sizes.iter().zip(&sizes[1..]);
    let layers = pairs.map(|(a, b)| LinearConfig::new(*a, *b).init(&device));
    let net = match grows {
        false => Net {
            layers: layers.collect(),
            columns: None,
        },
        true => Net {
            layers: vec![],
            columns: Some(columns().init(&device)),
        },
    };
    net.materialize()
}

fn columns() -> ProgressiveConfig {
    ProgressiveConfig {
        d_in: INPUTS,
        hidden_sizes: vec![8, 8],
        d_out: 2,
        lateral: LateralKind::Adapter(4),
    }
}

impl Net {
    fn forward(&self, x: Tensor<2>, task: usize) -> Tensor<2> {
        if let Some(columns) = &self.columns {
            return columns.forward(x, task.min(columns.columns() - 1)).unwrap();
        }
        let last = self.layers.len() - 1;
        let layers = self.layers.iter().enumerate();
        layers.fold(x, |x, (i, layer)| match i == last {
            true => layer.forward(x),
            false => tanh(layer.forward(x)),
        })
    }
}

/// Which of two features is larger, with the columns in another order in each task.
struct Orders {
    rows: Vec<Vec<usize>>,
    /// Set once so many losses have been asked for.
    stop: Option<(usize, Arc<AtomicBool>)>,
    /// Rows of every loss that was asked for.
    seen: Vec<Vec<usize>>,
}

fn number(i: usize) -> f64 {
    2.0 * ((i as f64 + 1.0) * 0.754_877_666 + 0.3 * (i as f64).sin()).fract() - 1.0
}

impl Orders {
    fn new() -> Self {
        let rows = (0..TASKS).map(|task| (task * ROWS..(task + 1) * ROWS).collect());
        Self {
            rows: rows.collect(),
            stop: None,
            seen: vec![],
        }
    }

    /// Features and class of a row.
    fn row(row: usize) -> ([f64; INPUTS], f64) {
        let task = row % (TASKS * ROWS) / ROWS;
        let mut x = [0.0; INPUTS];
        for (place, x) in x.iter_mut().enumerate() {
            *x = number(row * INPUTS + place);
        }
        (x, f64::from(u8::from(x[2 * task] > x[2 * task + 1])))
    }

    fn batch(rows: &[usize], device: &Device) -> (Tensor<2>, Tensor<1>) {
        let (x, y): (Vec<_>, Vec<_>) = rows.iter().map(|row| Self::row(*row)).unzip();
        let x = TensorData::new(x.concat(), [rows.len(), INPUTS]);
        let y = TensorData::new(y, [rows.len()]);
        (Tensor::from_data(x, device), Tensor::from_data(y, device))
    }
}

impl TrainTask for Orders {
    type Module = Net;

    fn n_rows(&self) -> usize {
        TASKS * ROWS
    }

    fn loss(
        &mut self,
        net: &Net,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        self.seen.push(rows.to_vec());
        if let Some((after, flag)) = &self.stop
            && self.seen.len() == *after
        {
            flag.store(true, Ordering::Relaxed);
        }
        let task = rows[0] % (TASKS * ROWS) / ROWS;
        let (x, y) = Self::batch(rows, at.device);
        Ok(cross_entropy(net.forward(x, task), y).mean())
    }
}

impl ContinualTask for Orders {
    fn task_rows(&self) -> &[Vec<usize>] {
        &self.rows
    }

    fn score(&self, net: &Net, task: usize) -> Result<f64, ForgeError> {
        // Rows that nobody trains on.
        let first = (TASKS * 7 + task) * ROWS;
        let rows: Vec<usize> = (first..first + ROWS).collect();
        let (x, y) = Self::batch(&rows, &Device::flex());
        let says = net.forward(x, task);
        let right = says.argmax(1).squeeze_dim::<1>(1).float().equal(y);
        Ok(f64::from(right.float().mean().into_scalar::<f32>()))
    }

    fn outputs(&self, net: &Net, rows: &[usize], _: usize) -> Result<Tensor<2>, ForgeError> {
        let device = net.devices()[0].clone();
        Ok(net.forward(Self::batch(rows, &device).0, 0))
    }

    fn grow(&self, net: Net) -> Result<Net, ForgeError> {
        let device = net.devices()[0].clone();
        let grown = net.columns.map(|c| c.grow(&columns(), &device)).transpose();
        Ok(Net {
            layers: vec![],
            columns: grown?,
        })
    }
}

fn strategy(json: Value) -> StrategyConfig {
    serde_json::from_value(json).unwrap()
}

fn all() -> Vec<StrategyConfig> {
    [
        json!({"name": "fine_tuning"}),
        json!({"name": "ewc", "lambda": 200.0}),
        json!({"name": "ewc", "lambda": 200.0, "online": 0.9, "fisher_rows": 50}),
        json!({"name": "synaptic_intelligence", "strength": 1.0}),
        json!({"name": "pack_net", "prune_fraction": 0.6}),
        json!({"name": "gem", "memory": 60}),
        json!({"name": "a_gem", "memory": 60, "batch": 32}),
        json!({"name": "replay", "memory": 60, "keep": "reservoir"}),
        json!({"name": "lwf", "weight": 1.0}),
        json!({"name": "progressive"}),
    ]
    .map(strategy)
    .to_vec()
}

fn trainer(epochs: usize) -> TrainerConfig {
    serde_json::from_value(json!({
        "epochs": epochs, "batch_size": 16, "seed": 3, "clip_norm": 5.0,
        "optimizer": {"name": "adam_w", "weight_decay": 0.01},
        "schedule": {"name": "constant", "lr": 0.01},
        "checkpoint": {"every_steps": 3},
    }))
    .unwrap()
}

fn learn(
    strategy: &StrategyConfig,
    epochs: usize,
    folder: Option<&Path>,
    stop_after: Option<usize>,
) -> Learned<Orders> {
    let mut task = Orders::new();
    let mut sequence = TaskSequence::new(strategy.clone(), trainer(epochs)).unwrap();
    if let Some(folder) = folder {
        sequence = sequence.with_checkpoints(folder);
    }
    if let Some(after) = stop_after {
        let flag = Arc::new(AtomicBool::new(false));
        task.stop = Some((after, flag.clone()));
        sequence = sequence.with_stop_flag(flag);
    }
    let start = net(*strategy == StrategyConfig::Progressive);
    sequence.fit(&mut task, start, &Device::flex()).unwrap()
}

fn bits(learned: &Learned<Orders>) -> Vec<(String, Vec<u8>)> {
    let mut all = vec![];
    for task in 0..TASKS {
        let network = learned.network_of(task).unwrap();
        let state = StateDict::from_module(&network).unwrap();
        let tensors = state.tensors.into_iter();
        all.extend(tensors.map(|(name, data)| (name, data.as_bytes().to_vec())));
    }
    all
}

#[test]
fn what_was_stopped_ends_as_what_was_not() {
    for strategy in all() {
        let whole = learn(&strategy, 2, None, None);
        assert_eq!(whole.stop, StopReason::Completed);
        // In the first task, in the second and, for most, in the last.
        let mut stopped = 0;
        for after in [5, 20, 40, 90] {
            let folder = tempfile::tempdir().unwrap();
            let cut = learn(&strategy, 2, Some(folder.path()), Some(after));
            stopped += u32::from(cut.stop == StopReason::Interrupted);
            let resumed = learn(&strategy, 2, Some(folder.path()), None);
            let name = strategy.name();
            assert_eq!(bits(&resumed), bits(&whole), "{name}, {after}");
            assert_eq!(resumed.scores, whole.scores, "{name}, {after}");
        }
        assert!(
            stopped >= 2,
            "{} was stopped {stopped} times",
            strategy.name()
        );
    }
}

#[test]
fn strategies_forget_less_than_fine_tuning() {
    let forgetting = |strategy: &StrategyConfig| {
        let learned = learn(strategy, 12, None, None);
        let scores = learned.scores.unwrap();
        (scores.forgetting().unwrap(), scores.average().unwrap())
    };
    let (plain, average) = forgetting(&StrategyConfig::FineTuning);
    assert!(
        plain > 0.2,
        "fine tuning forgets {plain}, average {average}"
    );
    for strategy in &all()[1..] {
        let (found, _) = forgetting(strategy);
        assert!(
            found < plain - 0.05,
            "{}: {found} against {plain}",
            strategy.name()
        );
        if matches!(strategy.name(), "pack_net" | "progressive") {
            assert_eq!(found, 0.0, "{}", strategy.name());
        }
    }
}

/// What a task owns is the same to the bit after later tasks, decay and momentum and all.
#[test]
fn pack_net_and_columns_keep_old_networks_to_the_bit() {
    for json in [
        json!({"name": "pack_net", "prune_fraction": 0.6}),
        json!({"name": "progressive"}),
    ] {
        let learned = learn(&strategy(json), 4, None, None);
        let scores = learned.scores.unwrap();
        for task in 0..TASKS {
            for row in &scores.rows()[task..] {
                assert_eq!(row[task], scores.rows()[task][task]);
            }
        }
    }
}

fn error(strategy: Value, task: &mut Orders) -> String {
    let sequence = TaskSequence::new(self::strategy(strategy), trainer(1)).unwrap();
    let found = sequence.fit(task, net(false), &Device::flex());
    found.unwrap_err().to_string()
}

#[test]
fn what_does_not_fit_is_refused() {
    let cases = [
        (json!({"name": "ewc", "lambda": -1.0}), "lambda = -1"),
        (
            json!({"name": "ewc", "lambda": 1.0, "online": 1.5}),
            "online = 1.5",
        ),
        (
            json!({"name": "synaptic_intelligence", "strength": -0.1}),
            "strength = -0.1",
        ),
        (
            json!({"name": "synaptic_intelligence", "strength": 1.0, "xi": 0.0}),
            "xi = 0",
        ),
        (
            json!({"name": "pack_net", "prune_fraction": 1.0}),
            "prune_fraction = 1",
        ),
        (
            json!({"name": "pack_net", "prune_fraction": 0.0}),
            "prune_fraction = 0",
        ),
        (
            json!({"name": "gem", "memory": 2}),
            "memory = 2, must be at least 3",
        ),
        (json!({"name": "a_gem", "memory": 2}), "memory = 2"),
        (
            json!({"name": "replay", "memory": 9, "batch": 0}),
            "batch = 0",
        ),
        (
            json!({"name": "lwf", "temperature": 0.0}),
            "temperature = 0",
        ),
        (json!({"name": "lwf", "weight": -1.0}), "weight = -1"),
    ];
    for (json, expected) in cases {
        let found = error(json, &mut Orders::new());
        assert!(found.contains(expected), "{found}");
    }
    let mut empty = Orders::new();
    empty.rows[1].clear();
    let found = error(json!({"name": "fine_tuning"}), &mut empty);
    assert!(found.contains("rows of task 1 = 0"), "{found}");
    // The first task keeps all but a few weights, the second all of these.
    let greedy = json!({"name": "pack_net", "prune_fraction": 0.01, "layers": ["layers.2.weight"]});
    let found = error(greedy, &mut Orders::new());
    assert!(found.contains("prune_fraction"), "{found}");
}

/// Each step replays other rows, of earlier tasks alone, none of them twice.
#[test]
fn replay_draws_other_rows_in_every_step() {
    let mut task = Orders::new();
    let config = strategy(json!({"name": "replay", "memory": 60, "batch": 10}));
    let sequence = TaskSequence::new(config, trainer(1)).unwrap();
    sequence
        .fit(&mut task, net(false), &Device::flex())
        .unwrap();
    let steps = ROWS / 16;
    let (first, later) = task.seen.split_at(steps);
    assert!(first.iter().flatten().all(|row| *row < ROWS));
    assert_eq!(later.len(), 2 * (TASKS - 1) * steps);
    let mut replayed = BTreeSet::new();
    for (step, pair) in later.chunks(2).enumerate() {
        let [own, old] = pair else { unreachable!() };
        let begin = (1 + step / steps) * ROWS;
        assert!(own.iter().all(|row| (begin..begin + ROWS).contains(row)));
        assert!(old.iter().all(|row| *row < begin), "{old:?}");
        let different: BTreeSet<_> = old.iter().copied().collect();
        assert_eq!(different.len(), 10, "{old:?}");
        assert!(replayed.insert(different), "{old:?} again");
    }
}

/// What a strategy remembers of a task comes back with its state.
#[test]
fn memories_come_back() {
    let device = Device::flex().autodiff();
    let stage = Stage {
        task: 0,
        tasks: TASKS,
        seed: 7,
        device: device.clone(),
    };
    for config in all() {
        let name = config.name();
        let mut task = Orders::new();
        let mut module = net(config == StrategyConfig::Progressive).train();
        let mut learned = config.build::<Orders>(TASKS).unwrap();
        let mut other = config.build::<Orders>(TASKS).unwrap();
        for strategy in [&mut learned, &mut other] {
            if let Some(begun) = strategy.begin(&stage, &mut task, &module).unwrap() {
                module = begun;
            }
        }
        let empty = learned.state().unwrap();
        if name == "lwf" {
            // It remembers the network as the next task finds it.
            let next = Stage {
                task: 1,
                ..stage.clone()
            };
            let blank = Params::of(&module).zeros_like();
            let blank = blank.load_into(module.clone()).unwrap();
            for (strategy, module) in [(&mut learned, &module), (&mut other, &blank)] {
                strategy.begin(&next, &mut task, module).unwrap();
            }
        } else {
            learned.end(&stage, &mut task, &module).unwrap();
        }
        let state = learned.state().unwrap();
        let remembers = !matches!(name, "fine_tuning" | "progressive");
        assert_eq!(state != empty, remembers, "{name}");
        assert_eq!(other.state().unwrap() != state, remembers, "{name}");
        other.restore(state.clone(), &device).unwrap();
        assert_eq!(other.state().unwrap(), state, "{name}");
    }
}
