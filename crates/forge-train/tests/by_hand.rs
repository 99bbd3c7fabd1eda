//! Loops of one's own over an engine, and what a task may say of its rows.

use std::collections::BTreeMap;
use std::path::Path;

use forge_nn::ForgeError;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::tensor::{Device, Tensor, TensorData};
use forge_train::checkpoint::{CheckpointFolder, RunPart, Sections};
use forge_train::metric::Scores;
use forge_train::rule::ClipNorm;
use forge_train::sampler::{Sampler, Sequential, Shuffle, Weighted};
use forge_train::{
    BatchEvent, Engine, EngineConfig, EpochEvent, Flow, Observer, Start, StepContext, StopReason,
    TrainTask, Trainer, TrainerConfig, inner_step,
};
use serde_json::{Value, json};

use crate::case::{error, read};
use crate::net::{Net, Task, bits, config};
use crate::resume::last_state;

#[test]
fn a_loop_by_hand_is_the_trainers_loop() {
    let mut task = Task::new(25);
    let mut plain = config(3);
    plain.ema = None;
    let trained = Trainer::new(plain.clone())
        .unwrap()
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap();

    let mut rows = Shuffle::new(25, 7, 5);
    let settings = EngineConfig {
        optimizer: plain.optimizer,
        schedule: plain.schedule,
        steps: 3 * rows.batches() as u64,
        seed: plain.seed,
        ..EngineConfig::default()
    };
    let mut engine = Engine::new(Net::new(&Device::flex(), 1), settings)
        .unwrap()
        .with_rule(ClipNorm::new(0.5).unwrap());
    let mut best = (f64::INFINITY, Vec::new());
    for epoch in 0..3 {
        for batch in 0..rows.batches() {
            let rows = rows.rows(epoch, batch).unwrap();
            engine.step(|net, at| task.loss(net, &rows, at)).unwrap();
        }
        engine.end_epoch().unwrap();
        let net = engine.module().valid();
        let rmse = task.validate(&net).unwrap().unwrap().get("rmse").unwrap();
        if rmse < best.0 {
            best = (rmse, bits(&net));
        }
    }
    assert_eq!(Some(best.0), trained.score());
    assert_eq!(best.1, bits(&trained.module));
}

#[test]
fn a_loop_by_hand_goes_on_from_a_checkpoint() {
    let folder = tempfile::tempdir().unwrap();
    let steps = |engine: &mut Engine<'_, Net>, n: usize| {
        let mut task = Task::new(25);
        for _ in 0..n {
            engine
                .step(|net, at| task.loss(net, &[1, 5, 9, 2], at))
                .unwrap();
        }
    };
    let new = |seed| Engine::new(Net::new(&Device::flex(), seed), EngineConfig::default()).unwrap();
    let mut whole = new(1);
    steps(&mut whole, 3);
    let checkpoints = CheckpointFolder::open(folder.path(), 1).unwrap();
    let (tensors, parts) = whole.state().unwrap().into_file();
    checkpoints.write(&parts, &tensors).unwrap();
    steps(&mut whole, 2);

    let mut resumed = new(9);
    let saved = checkpoints.latest::<BTreeMap<String, Value>>();
    let saved = saved.unwrap().unwrap().file;
    let parts = saved.manifest.clone();
    let mut sections = Sections::from_file(saved.tensors("").unwrap(), parts).unwrap();
    resumed.restore(&mut sections).unwrap();
    sections.finish().unwrap();
    assert_eq!(resumed.steps_done(), 3);
    steps(&mut resumed, 2);
    assert_eq!(resumed.state().unwrap(), whole.state().unwrap());
}

/// `(w x - y)²` with a weight per row, and the mean over the sum of the weights.
struct Weighed {
    interact: bool,
}

fn row_weight(row: usize) -> f64 {
    [0.5, 4.0, 1.0][row % 3]
}

impl TrainTask for Weighed {
    type Module = Linear;

    fn n_rows(&self) -> usize {
        21
    }

    fn loss(
        &mut self,
        module: &Linear,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let n = rows.len();
        let column = |f: &dyn Fn(usize) -> f64| {
            let values: Vec<f64> = rows.iter().map(|&r| f(r)).collect();
            Tensor::<2>::from_data(TensorData::new(values, [n, 1]), at.device)
        };
        let x = column(&|r| (r as f64).sin());
        let y = column(&|r| (2.0 * r as f64).cos());
        let weights = column(&row_weight);
        let squares = (module.forward(x) - y).square();
        Ok((squares * weights).sum() * (1.0 / self.weight(rows)))
    }

    fn weight(&self, rows: &[usize]) -> f64 {
        rows.iter().map(|&row| row_weight(row)).sum()
    }

    fn rows_interact(&self) -> bool {
        self.interact
    }
}

fn line() -> Linear {
    let device = Device::flex();
    device.seed(3);
    LinearConfig::new(1, 1).init(&device).materialize()
}

fn constant(epochs: usize, more: Value) -> TrainerConfig {
    let mut config = json!({
        "epochs": epochs, "batch_size": 7, "schedule": {"name": "constant", "lr": 0.02},
    });
    let more = more.as_object().unwrap().clone();
    config.as_object_mut().unwrap().extend(more);
    serde_json::from_value(config).unwrap()
}

#[test]
fn parts_of_a_weighted_batch_add_up_to_it() {
    let gradients = |parts: usize| {
        let mut engine = Engine::new(line(), EngineConfig::default()).unwrap();
        let rows: Vec<usize> = (0..7).collect();
        let outcome = engine.step_task(&mut Weighed { interact: false }, &rows, parts);
        // After one step the first moment is 0.1 times the gradient.
        let state = engine.state().unwrap().into_file().0;
        let moments = ["weight", "bias"].map(|name| {
            let data = state[&format!("optimizer/{name}.exp_avg")].clone();
            data.iter::<f64>().next().unwrap()
        });
        (read(&outcome.unwrap().loss)[0], moments)
    };
    let (whole, exact) = gradients(1);
    let (parts, found) = gradients(3);
    assert!((whole / parts - 1.0).abs() < 1e-6, "{whole} {parts}");
    assert!(error(&found, &exact) < 1e-6, "{found:?} {exact:?}");

    // The mean of an epoch is that of all rows, with their weights.
    let still = constant(1, json!({"schedule": {"name": "constant", "lr": 1e-12}}));
    let mut task = Weighed { interact: false };
    let device = Device::flex().autodiff();
    let all: Vec<usize> = (0..21).collect();
    let at = StepContext::new(&device);
    let mean = read(&task.loss(&line().train(), &all, &at).unwrap())[0];
    let outcome = Trainer::new(still).unwrap().fit(&mut task, line()).unwrap();
    assert!((outcome.history[0].train_loss / mean - 1.0).abs() < 1e-5);
}

#[test]
fn rows_that_see_each_other_are_never_computed_apart() {
    let fit = |parts: usize| {
        let config = constant(1, json!({"micro_batches": parts}));
        Trainer::new(config)
            .unwrap()
            .fit(&mut Weighed { interact: true }, line())
    };
    fit(1).unwrap();
    let error = fit(2).unwrap_err();
    assert!(error.is_config());
    assert!(error.to_string().contains("micro_batches = 2"), "{error}");
    assert!(
        error.to_string().contains("depends on which others"),
        "{error}"
    );
}

/// Remembers the rows that came, and validates by a score that falls after a while.
struct Rows {
    seen: Vec<Vec<usize>>,
}

impl TrainTask for Rows {
    type Module = Linear;

    fn n_rows(&self) -> usize {
        9
    }

    fn loss(
        &mut self,
        module: &Linear,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        self.seen.push(rows.to_vec());
        Ok(module.forward(Tensor::<2>::ones([1, 1], at.device)).mean())
    }

    fn validate(&self, _: &Linear) -> Result<Option<Scores>, ForgeError> {
        // Two steps per epoch: rises to epoch 2, then falls.
        let epoch = self.seen.len() as f64 / 2.0 - 1.0;
        let scores = Scores::new()
            .maximize("accuracy", 0.9 - 0.1 * (epoch - 2.0).abs())
            .minimize("log_loss", epoch)
            .minimize("undefined", f64::NAN);
        Ok(Some(scores))
    }
}

#[test]
fn the_first_score_decides_in_its_own_direction() {
    let folder = tempfile::tempdir().unwrap();
    let fit = |start| {
        let config = constant(
            20,
            json!({"batch_size": 5, "early_stopping": {"patience": 3}}),
        );
        Trainer::new(config)
            .unwrap()
            .with_checkpoints(folder.path(), start)
            .fit(&mut Rows { seen: Vec::new() }, line())
            .unwrap()
    };
    let outcome = fit(Start::Fresh);
    assert_eq!(outcome.stop, StopReason::EarlyStopped);
    assert_eq!((outcome.best_epoch, outcome.epochs), (Some(2), 6));
    let best = outcome.scores.as_ref().unwrap();
    assert_eq!(
        (best.get("accuracy"), best.get("log_loss")),
        (Some(0.9), Some(2.0))
    );
    // A score that does not decide may be undefined; it is not written down.
    assert_eq!(best.get("undefined"), None);
    assert_eq!(outcome.candidate, "module");
    let again = fit(Start::Resume);
    assert_eq!(again.scores, outcome.scores);
    assert_eq!(again.history, outcome.history);
}

#[test]
fn rows_come_from_the_sampler_that_is_given() {
    let mut task = Rows { seen: Vec::new() };
    let fit = |task: &mut Rows, sampler: Box<dyn Sampler>| {
        Trainer::new(constant(1, json!({})))
            .unwrap()
            .with_sampler(sampler)
            .fit(task, line())
    };
    fit(&mut task, Box::new(Sequential::new(9, 4))).unwrap();
    assert_eq!(task.seen, [vec![0, 1, 2, 3], vec![4, 5, 6, 7, 8]]);
    task.seen.clear();
    let mut weights = [0.0; 9];
    weights[4] = 1.0;
    fit(
        &mut task,
        Box::new(Weighted::new(&weights, 5, 3, 1).unwrap()),
    )
    .unwrap();
    assert_eq!(task.seen, [vec![4; 3], vec![4; 2]]);
    let error = fit(&mut task, Box::new(Sequential::new(10, 10))).unwrap_err();
    assert!(
        error.to_string().contains("a row = 9 by sampler"),
        "{error}"
    );
    let error = fit(&mut task, Box::new(Sequential::new(0, 10))).unwrap_err();
    assert!(
        error.to_string().contains("sampler = without batches"),
        "{error}"
    );
}

/// Takes the next rows wherever it is: an order that lies in its own state alone.
struct Wander {
    at: usize,
}

impl RunPart for Wander {
    fn name(&self) -> &str {
        "wander"
    }

    fn state(&self) -> Result<forge_train::checkpoint::PartState, ForgeError> {
        forge_train::checkpoint::PartState::from_json(&self.at)
    }

    fn restore(&mut self, state: forge_train::checkpoint::PartState) -> Result<(), ForgeError> {
        self.at = state.into_json()?;
        Ok(())
    }
}

impl Sampler for Wander {
    fn batches(&self) -> usize {
        3
    }

    fn rows(&mut self, _: usize, _: usize) -> Result<Vec<usize>, ForgeError> {
        self.at = (self.at * 7 + 3) % 25;
        Ok(vec![self.at, (self.at + 5) % 25, (self.at + 11) % 25])
    }
}

/// Whose batches are so many that the steps of a run cannot be counted.
struct Endless;

impl RunPart for Endless {
    fn name(&self) -> &str {
        "endless"
    }
}

impl Sampler for Endless {
    fn batches(&self) -> usize {
        usize::MAX
    }

    fn rows(&mut self, _: usize, _: usize) -> Result<Vec<usize>, ForgeError> {
        Ok(vec![0, 1])
    }
}

#[test]
fn steps_that_cannot_be_counted_are_refused() {
    let error = Trainer::new(config(3))
        .unwrap()
        .with_sampler(Endless)
        .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("epochs = 3 of"), "{error}");
}

#[test]
fn a_sampler_with_a_state_resumes_bit_equal() {
    let run = |folder: &Path, start, observer: &mut dyn Observer| {
        Trainer::new(config(3))
            .unwrap()
            .with_sampler(Wander { at: 1 })
            .with_checkpoints(folder, start)
            .with_observer(observer)
            .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
            .unwrap()
    };
    struct Nobody;
    impl Observer for Nobody {}
    let folder = tempfile::tempdir().unwrap();
    let whole = run(folder.path(), Start::Fresh, &mut Nobody);
    for stop in 1..9 {
        let other = tempfile::tempdir().unwrap();
        let cut = run(other.path(), Start::Fresh, &mut GiveUp::at(stop));
        // Asked for after the last step of an epoch, it ends before the epoch is closed.
        assert_eq!(cut.stop, StopReason::Observer(format!("step {stop}")));
        assert_eq!(cut.steps, stop);
        let resumed = run(other.path(), Start::Resume, &mut Nobody);
        assert_eq!(bits(&resumed.module), bits(&whole.module), "stop {stop}");
        assert_eq!(last_state(other.path()), last_state(folder.path()));
    }
}

struct GiveUp {
    step: u64,
    epoch: usize,
    weights: usize,
}

impl GiveUp {
    fn at(step: u64) -> Self {
        Self {
            step,
            epoch: usize::MAX,
            weights: 0,
        }
    }
}

impl Observer for GiveUp {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step == self.step {
            Flow::Stop(format!("step {}", event.step))
        } else {
            Flow::Continue
        }
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        let net = event.module.downcast::<Net>().unwrap();
        assert!(event.module.downcast::<Linear>().is_none());
        // What was validated is what can be looked at.
        let scores = Task::new(25).validate(net).unwrap().unwrap();
        assert_eq!(scores, event.record.validation[0].scores);
        self.weights = event.module.state().unwrap().tensors.len();
        if event.record.epoch == self.epoch {
            Flow::Stop("not worth it".into())
        } else {
            Flow::Continue
        }
    }
}

#[test]
fn an_observer_may_look_at_the_module_and_end_the_run() {
    let mut watch = GiveUp {
        step: u64::MAX,
        epoch: 1,
        weights: 0,
    };
    let folder = tempfile::tempdir().unwrap();
    let fit = |watch: &mut GiveUp, start| {
        Trainer::new(config(4))
            .unwrap()
            .with_observer(watch)
            .with_observer(GiveUp::at(u64::MAX))
            .with_checkpoints(folder.path(), start)
            .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
            .unwrap()
    };
    let outcome = fit(&mut watch, Start::Fresh);
    assert_eq!(outcome.stop, StopReason::Observer("not worth it".into()));
    assert_eq!((outcome.epochs, outcome.steps), (2, 8));
    assert!(watch.weights > 5);
    let text = serde_json::to_string(&outcome.stop).unwrap();
    assert_eq!(text, r#"{"observer":"not worth it"}"#);
    // The run can be taken up where it was given up.
    watch.epoch = usize::MAX;
    let resumed = fit(&mut watch, Start::Resume);
    assert_eq!((resumed.stop, resumed.epochs), (StopReason::Completed, 4));
    let whole = Trainer::new(config(4))
        .unwrap()
        .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(bits(&resumed.module), bits(&whole.module));
}

#[test]
fn an_inner_step_keeps_its_gradients_on_the_graph() {
    let device = Device::flex().autodiff();
    let mut line: Linear = LinearConfig::new(1, 1).with_bias(false).init(&device);
    let w0 = Tensor::<2>::from_data([[0.7]], &device).require_grad();
    line.weight = Param::initialized(line.weight.id, w0);
    let id = line.weight.id;
    let w = line.weight.val();
    // g = w³ by hand, on the graph: w' = w - 0.1 w³, so dw'/dw = 1 - 0.3 w².
    let step = |gradient: Tensor<2>| {
        let mut grads = forge_nn::burn::optim::GradientsParams::new();
        grads.register(id, gradient);
        let adapted = inner_step(&line, grads, 0.1);
        let loss = adapted.forward(Tensor::<2>::ones([1, 1], &device)).sum();
        let value = read(&loss)[0];
        let slope = line.weight.val().grad(&loss.backward()).unwrap();
        (value, read(&slope)[0])
    };
    let cube = w.clone().powi_scalar(3);
    let (value, slope) = step(cube.clone());
    assert!((value - (0.7 - 0.0343)).abs() < 1e-6);
    assert!((slope - (1.0 - 0.3 * 0.49)).abs() < 1e-6, "{slope}");
    // Off the graph: the first-order step.
    let (value, slope) = step(cube.inner());
    assert!((value - (0.7 - 0.0343)).abs() < 1e-6);
    assert!((slope - 1.0).abs() < 1e-6, "{slope}");
}
