//! Two modules and two optimisers in one run, a teacher that follows, and a task that remembers.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::tensor::{Device, Distribution, Tensor, TensorData, activation::tanh};
use forge_nn::parameters::{Floats, lerp};
use forge_nn::{ForgeError, StateDict};
use forge_train::checkpoint::PartState;
use forge_train::metric::Scores;
use forge_train::{
    CheckpointConfig, Observer, ParameterGroup, Phase, Start, StepContext, TrainOutcome, TrainTask,
    Trainer, TrainerConfig,
};
use serde_json::json;

use crate::resume::{StopAt, last_state, without_seconds};

/// A forger that makes rows out of noise, and a judge that tells them from true ones; a teacher
/// follows the forger.
#[derive(Module, Debug)]
pub(crate) struct Pair {
    forger: Linear,
    judge: Linear,
    teacher: Linear,
}

impl Pair {
    fn new(seed: u64) -> Self {
        let device = Device::flex();
        device.seed(seed);
        let forger = LinearConfig::new(2, 3).init(&device);
        Self {
            judge: LinearConfig::new(3, 1).init(&device),
            teacher: forger.clone().map(&mut NewIds).no_grad(),
            forger,
        }
        .materialize()
    }
}

struct NewIds;

impl burn::module::ModuleMapper for NewIds {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        Param::from_tensor(param.val())
    }
}

/// The judge moves at every step, the forger at every second, at a rate of its own.
pub(crate) struct Game {
    /// Forgeries judged so far; the loss depends on it.
    judged: u64,
}

impl Game {
    pub(crate) fn new() -> Self {
        Self { judged: 0 }
    }
}

impl TrainTask for Game {
    type Module = Pair;

    fn n_rows(&self) -> usize {
        26
    }

    fn groups(&self) -> Vec<ParameterGroup> {
        let adam = |json| serde_json::from_value(json).unwrap();
        vec![
            ParameterGroup::under("forger", ["forger"])
                .with_optimizer(adam(json!({"name": "adam_w", "beta_1": 0.5})))
                .with_schedule(
                    serde_json::from_value(json!({"name": "constant", "lr": 0.03})).unwrap(),
                ),
            ParameterGroup::under("judge", ["judge"]),
        ]
    }

    fn phases(&self, at: &StepContext<'_>) -> Vec<Phase> {
        let mut phases = vec![Phase::of("judge", ["judge"])];
        if at.step % 2 == 1 {
            phases.push(Phase::of("forge", ["forger"]));
        }
        phases
    }

    fn loss(
        &mut self,
        pair: &Pair,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let n = rows.len();
        let noise = Tensor::<2>::random([n, 2], Distribution::Default, at.device);
        let forged = tanh(pair.forger.forward(noise.clone()));
        let doubt = |x: Tensor<2>| pair.judge.forward(x).mean();
        if at.phase == "forge" {
            let steady = (forged.clone() - tanh(pair.teacher.forward(noise)))
                .square()
                .mean();
            return Ok(steady * 0.1 - doubt(forged));
        }
        self.judged += n as u64;
        let x = rows
            .iter()
            .flat_map(|&r| [0.1, 0.5, -0.3].map(|c| (c * r as f64).sin()));
        let x = TensorData::new(x.collect::<Vec<f64>>(), [n, 3]);
        let x = Tensor::<2>::from_data(x, at.device);
        let size = pair.judge.weight.val().square().sum();
        let weight = 1.0 + 1.0 / self.judged as f64;
        Ok(doubt(forged) * weight - doubt(x) + size)
    }

    fn after_step(
        &mut self,
        pair: &Pair,
        at: &StepContext<'_>,
    ) -> Result<Option<Pair>, ForgeError> {
        if at.step.is_multiple_of(2) {
            return Ok(None);
        }
        let mut pair = pair.clone();
        pair.teacher = lerp(pair.teacher, &pair.forger, 0.2, Floats::All)?;
        Ok(Some(pair))
    }

    fn validate(&self, pair: &Pair) -> Result<Option<Scores>, ForgeError> {
        let x = Tensor::<2>::ones([1, 2], &Device::flex());
        let score: f32 = pair.teacher.forward(x).sum().into_scalar();
        Ok(Some(Scores::new().maximize("sum", f64::from(score))))
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.judged)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.judged = state.into_json()?;
        Ok(())
    }
}

pub(crate) fn config(epochs: usize) -> TrainerConfig {
    serde_json::from_value(json!({
        "epochs": epochs,
        "batch_size": 5,
        "seed": 3,
        "clip_norm": 1.0,
        "schedule": {"name": "cosine_warmup", "base_lr": 0.02},
        "ema": {"name": "plain", "decay": 0.8},
        "early_stopping": {"patience": 100},
        "checkpoint": {"every_steps": 2},
    }))
    .unwrap()
}

pub(crate) fn bits(pair: &Pair) -> Vec<(String, Vec<u8>)> {
    let state = StateDict::from_module(&pair.valid()).unwrap();
    let bytes = state.tensors.into_iter();
    bytes
        .map(|(name, data)| (name, data.as_bytes().to_vec()))
        .collect()
}

pub(crate) fn fit(
    config: TrainerConfig,
    folder: &Path,
    start: Start,
    observer: impl Observer,
    seed: u64,
) -> (TrainOutcome<Pair>, u64) {
    let mut game = Game::new();
    let outcome = Trainer::new(config)
        .unwrap()
        .with_checkpoints(folder, start)
        .with_observer(observer)
        .fit(&mut game, Pair::new(seed))
        .unwrap();
    (outcome, game.judged)
}

struct Nobody;

impl Observer for Nobody {}

#[test]
fn each_phase_moves_its_own_group() {
    let mut game = Game::new();
    let config = forge_train::EngineConfig {
        groups: game.groups(),
        ..Default::default()
    };
    let mut engine = forge_train::Engine::new(Pair::new(1), config).unwrap();
    let rows = [0, 4, 9];
    let mut before = bits(engine.module());
    for step in 0..4 {
        engine.step_task(&mut game, &rows, 1).unwrap();
        let after = bits(engine.module());
        for ((name, a), (_, b)) in before.iter().zip(&after) {
            let moves = match name.split('.').next() {
                // The warm-up of the judge's schedule begins at 0.
                Some("judge") => step > 0,
                _ => step % 2 == 1,
            };
            assert_eq!(a != b, moves, "{name} at step {step}");
        }
        before = after;
    }
    assert_eq!(game.judged, 12);
    let sections = engine.state().unwrap().into_file();
    assert!(sections.1.contains_key("optimizer.forger"));
    assert!(
        sections
            .0
            .contains_key("optimizer.judge/judge.weight.exp_avg")
    );
    assert!(
        !sections
            .0
            .contains_key("optimizer.judge/forger.weight.exp_avg")
    );
    // Steps of their own: the forger's were two.
    assert_eq!(
        sections.1["optimizer.forger"]["forger.weight.step"],
        json!(2)
    );
}

#[test]
fn any_step_resumes_bit_equal() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, judged) = fit(config(2), folder.path(), Start::Fresh, Nobody, 1);
    // 26 rows in batches of 5: the last has 6.
    assert_eq!((whole.steps, judged), (10, 52));
    for stop in 1..10 {
        let other = tempfile::tempdir().unwrap();
        let flag = Arc::new(AtomicBool::new(false));
        Trainer::new(config(2))
            .unwrap()
            .with_checkpoints(other.path(), Start::Fresh)
            .with_observer(StopAt(stop, flag.clone()))
            .with_stop_flag(flag)
            .fit(&mut Game::new(), Pair::new(1))
            .unwrap();
        let (resumed, again) = fit(config(2), other.path(), Start::Resume, Nobody, 9);
        assert_eq!(again, judged);
        assert_eq!(bits(&resumed.module), bits(&whole.module), "stop {stop}");
        assert_eq!(
            without_seconds(&resumed.history),
            without_seconds(&whole.history)
        );
        assert_eq!(last_state(other.path()), last_state(folder.path()));
    }
}

#[test]
fn groups_that_do_not_fit_are_named() {
    let build = |groups| {
        let config = forge_train::EngineConfig {
            groups,
            ..Default::default()
        };
        let error = forge_train::Engine::new(Pair::new(1), config).unwrap_err();
        assert!(error.is_config());
        error.to_string()
    };
    let under = |name: &str, path: &str| ParameterGroup::under(name, [path]);
    for (groups, part) in [
        (vec![], "groups = none"),
        (
            vec![under("a", "forger"), under("a", "judge")],
            "two called a",
        ),
        (vec![under("a", "forge")], "\"forge\" in group a"),
        (
            vec![under("a", "forger"), under("b", "forger.bias")],
            "forger.bias in a and in b",
        ),
        (
            vec![ParameterGroup::all(), under("b", "judge")],
            "judge.weight in all and in b",
        ),
    ] {
        let error = build(groups);
        assert!(error.contains(part), "{error}");
    }

    let groups = vec![under("forger", "forger"), under("judge", "judge")];
    let config = forge_train::EngineConfig {
        groups,
        ..Default::default()
    };
    let mut engine = forge_train::Engine::new(Pair::new(1), config).unwrap();
    let loss = |pair: &Pair, _: &StepContext<'_>| Ok(pair.judge.weight.val().sum());
    let gradients = engine.gradients(loss).unwrap();
    let error = engine
        .apply(gradients, &Phase::of("p", ["nobody"]))
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("the group of phase p = nobody, must be one of forger, judge"),
        "{text}"
    );
    let gradients = engine.gradients(loss).unwrap();
    let error = engine
        .apply(gradients, &Phase::of("p", ["forger"]))
        .unwrap_err();
    assert!(
        error.is_training() && error.to_string().contains("phase p"),
        "{error}"
    );
}

/// For the test that kills: the hash of the weights that a run ends with.
pub(crate) fn hash_of_a_run(folder: &Path, slow: impl Observer) -> String {
    let config = TrainerConfig {
        checkpoint: CheckpointConfig {
            every_steps: Some(2),
            ..CheckpointConfig::default()
        },
        ..config(70)
    };
    let (outcome, judged) = fit(config, folder, Start::ResumeOrFresh, slow, 1);
    let mut hasher = blake3::Hasher::new();
    for (name, bytes) in bits(&outcome.module) {
        hasher.update(name.as_bytes());
        hasher.update(&bytes);
    }
    format!("{} {judged}", hasher.finalize().to_hex())
}
