use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use forge_nn::ForgeError;
use forge_nn::burn::module::Module;
use forge_nn::burn::nn::{Linear, LinearConfig};
use forge_nn::burn::tensor::{Device, Tensor, TensorData};
use forge_train::metric::Scores;
use forge_train::{
    BatchEvent, EarlyStoppingConfig, EndEvent, EpochEvent, Flow, Observer, Start, StartEvent,
    StepContext, StopReason, TrainOutcome, TrainTask, Trainer, TrainerConfig,
};

use crate::case::{error, read};
use crate::net::{Net, Task, bits, config};

fn fit(config: TrainerConfig, task: &mut Task) -> TrainOutcome<Net> {
    let net = Net::new(&task.device, 1);
    Trainer::new(config).unwrap().fit(task, net).unwrap()
}

#[test]
fn learns_and_returns_the_best_epoch() {
    let mut task = Task::new(300);
    let rmse = |task: &Task, net: &Net| task.validate(net).unwrap().unwrap().get("rmse");
    let before = rmse(&task, &Net::new(&task.device, 1).valid());
    let outcome = fit(config(40), &mut task);
    assert_eq!(outcome.stop, StopReason::Completed);
    assert_eq!((outcome.epochs, outcome.steps), (40, 40 * 43));
    let score = outcome.score().unwrap();
    assert!(score < 0.5 * before.unwrap(), "{before:?} {score}");
    let scores: Vec<f64> = outcome.history.iter().map(|r| r.score().unwrap()).collect();
    let best = scores.iter().copied().fold(f64::INFINITY, f64::min);
    assert_eq!(best, score);
    assert_eq!(scores[outcome.best_epoch.unwrap()], best);
    // The module that comes back is the one that was validated then.
    assert_eq!(rmse(&task, &outcome.module), Some(score));
    let first = &outcome.history[0];
    assert_eq!((first.epoch, first.step, first.rows), (0, 43, 300));
    assert!(outcome.history[39].train_loss < first.train_loss);
    assert!(outcome.history[39].lr < 0.001);
}

#[test]
fn same_seed_same_bits_other_seed_other_bits() {
    let mut task = Task::new(40);
    let first = fit(config(3), &mut task);
    let again = fit(config(3), &mut task);
    assert_eq!(bits(&first.module), bits(&again.module));
    let other = fit(
        TrainerConfig {
            seed: 6,
            ..config(3)
        },
        &mut task,
    );
    assert_ne!(bits(&first.module), bits(&other.module));
}

#[test]
fn early_stopping_gives_back_the_best() {
    let mut task = Task::new(20);
    let outcome = fit(
        TrainerConfig {
            early_stopping: Some(EarlyStoppingConfig {
                patience: 3,
                min_delta: 0.0,
            }),
            ..config(500)
        },
        &mut task,
    );
    assert_eq!(outcome.stop, StopReason::EarlyStopped);
    assert_eq!(outcome.epochs, outcome.best_epoch.unwrap() + 1 + 3);
    assert_eq!(task.validate(&outcome.module).unwrap(), outcome.scores);
}

/// Two scores, of which the second is the same in every epoch.
struct TwoScores(Task);

impl TrainTask for TwoScores {
    type Module = Net;

    fn n_rows(&self) -> usize {
        self.0.n_rows()
    }

    fn loss(
        &mut self,
        module: &Net,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        self.0.loss(module, rows, at)
    }

    fn validate(&self, module: &Net) -> Result<Option<Scores>, ForgeError> {
        let scores = self.0.validate(module)?;
        Ok(scores.map(|scores| scores.maximize("accuracy", 0.5)))
    }
}

#[test]
fn the_score_that_selects_can_be_named() {
    let run = |select_by: Option<&str>, keep_last_of_equal| {
        let config = TrainerConfig {
            select_by: select_by.map(String::from),
            keep_last_of_equal,
            early_stopping: Some(EarlyStoppingConfig {
                patience: 5,
                min_delta: 0.0,
            }),
            ..config(8)
        };
        let mut task = TwoScores(Task::new(40));
        let net = Net::new(&task.0.device, 1);
        Trainer::new(config).unwrap().fit(&mut task, net)
    };
    let usual = run(None, false).unwrap();
    assert_eq!(
        (usual.stop, usual.best_epoch),
        (StopReason::Completed, Some(7))
    );
    // Never better, so that early stopping ends the run after its patience.
    let first = run(Some("accuracy"), false).unwrap();
    assert_eq!(
        (first.stop, first.best_epoch),
        (StopReason::EarlyStopped, Some(0))
    );
    let last = run(Some("accuracy"), true).unwrap();
    assert_eq!(last.best_epoch, Some(5));
    // The scores stand in the task's order.
    assert_eq!(last.scores.unwrap().deciding().unwrap().name, "rmse");
    let error = run(Some("f1"), false).unwrap_err().to_string();
    assert!(
        error.contains("select_by = f1, must be one of rmse, accuracy"),
        "{error}"
    );
}

#[test]
fn averaging_is_what_is_validated() {
    let mut task = Task::new(40);
    let averaged = fit(config(2), &mut task);
    let plain = fit(
        TrainerConfig {
            ema: None,
            ..config(2)
        },
        &mut task,
    );
    assert_ne!(averaged.score(), plain.score());
    // Training itself does not see the average.
    let losses = |o: &TrainOutcome<Net>| o.history.iter().map(|r| r.train_loss).collect::<Vec<_>>();
    assert_eq!(losses(&averaged), losses(&plain));
}

/// Without batch statistics and dropout.
struct Line;

impl TrainTask for Line {
    type Module = Linear;

    fn n_rows(&self) -> usize {
        23
    }

    fn loss(
        &mut self,
        module: &Linear,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        let x: Vec<f64> = rows
            .iter()
            .flat_map(|&r| [(r as f64).sin(), (3.0 * r as f64).cos()])
            .collect();
        let y: Vec<f64> = rows.iter().map(|&r| (2.0 * r as f64).sin()).collect();
        let n = rows.len();
        let x = Tensor::<2>::from_data(TensorData::new(x, [n, 2]), at.device);
        let y = Tensor::<2>::from_data(TensorData::new(y, [n, 1]), at.device);
        Ok((module.forward(x) - y).square().mean())
    }
}

#[test]
fn parts_of_a_batch_add_up_to_it() {
    let fit = |micro_batches| {
        let config = TrainerConfig {
            micro_batches,
            early_stopping: None,
            ..config(3)
        };
        let device = Device::flex();
        device.seed(3);
        let line = LinearConfig::new(2, 1).init(&device);
        let trainer = Trainer::new(config).unwrap();
        trainer.fit(&mut Line, line).unwrap()
    };
    let (whole, parts) = (fit(1), fit(3));
    for (a, b) in whole.history.iter().zip(&parts.history) {
        assert_eq!((a.step, a.rows), (b.step, b.rows));
        assert!(
            (a.train_loss / b.train_loss - 1.0).abs() < 1e-5,
            "{a:?} {b:?}"
        );
    }
    // 23 rows make batches of 7, 7, 7 and 2. At a rate of nearly 0 the weights stand still, and
    // the mean of an epoch is that of all rows, not of the batches.
    let device = Device::flex();
    let line = whole.module.clone();
    let all: Vec<usize> = (0..23).collect();
    let device = device.autodiff();
    let at = StepContext::new(&device);
    let exact = read(&Line.loss(&line.clone().train(), &all, &at).unwrap())[0];
    let still = TrainerConfig {
        schedule: serde_json::from_str(r#"{"name": "constant", "lr": 1e-12}"#).unwrap(),
        early_stopping: None,
        ..config(1)
    };
    let still = Trainer::new(still).unwrap().fit(&mut Line, line).unwrap();
    assert!((still.history[0].train_loss / exact - 1.0).abs() < 1e-5);
    let weights = |o: &TrainOutcome<Linear>| read(&o.module.weight.val());
    assert!(error(&weights(&parts), &weights(&whole)) < 1e-5);
}

#[test]
fn reading_the_loss_rarely_changes_nothing() {
    let mut task = Task::new(50);
    let often = fit(config(3), &mut task);
    let rarely = fit(
        TrainerConfig {
            read_loss_every: Some(5),
            ..config(3)
        },
        &mut task,
    );
    assert_eq!(bits(&often.module), bits(&rarely.module));
    for (a, b) in often.history.iter().zip(&rarely.history) {
        assert_eq!(a.train_loss, b.train_loss);
    }
}

#[test]
fn odd_sizes_train() {
    // One row; one more than a batch (joined); fewer than a batch; a batch size of one.
    for (n, batch_size, steps) in [(8, 7, 1), (2, 7, 1), (15, 7, 2), (9, 7, 2)] {
        let mut task = Task::new(n);
        let outcome = fit(
            TrainerConfig {
                batch_size,
                ..config(2)
            },
            &mut task,
        );
        assert_eq!(outcome.steps, 2 * steps, "{n}");
        assert!(outcome.score().unwrap().is_finite());
    }
    let mut task = Task::new(0);
    let trainer = Trainer::new(config(1)).unwrap();
    let error = trainer
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_shape());
}

#[test]
fn frozen_parameters_stay() {
    let mut task = Task::new(20);
    let net = Net::new(&task.device, 1).no_grad();
    let trainer = Trainer::new(config(1)).unwrap();
    let error = trainer.fit(&mut task, net).unwrap_err();
    assert!(error.is_training(), "{error}");

    let net = Net::new(&task.device, 1);
    let group = forge_nn::burn::module::ParamGroup::from_predicate("first");
    let net = net.set_require_grad_group(group, false);
    let before = bits(&net);
    let trainer = Trainer::new(config(1)).unwrap();
    let after = bits(&trainer.fit(&mut task, net).unwrap().module);
    for ((name, a), (_, b)) in before.iter().zip(&after) {
        assert_eq!(a == b, name.starts_with("first"), "{name}");
    }
}

#[test]
fn a_loss_that_is_not_finite_is_named_and_the_checkpoint_kept() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = Task::new(21);
    task.poison = Some(4);
    let trainer = Trainer::new(config(9))
        .unwrap()
        .with_checkpoints(folder.path(), Start::Fresh);
    let error = trainer
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_training());
    let text = error.to_string();
    assert!(
        text.contains("the loss is NaN at epoch 1, step 4"),
        "{text}"
    );
    assert!(text.contains("checkpoint-00000001.safetensors"), "{text}");

    // What was kept is good: with the fault gone the run goes on as if nothing had been.
    task.poison = None;
    let trainer = Trainer::new(config(9))
        .unwrap()
        .with_checkpoints(folder.path(), Start::Resume);
    let resumed = trainer
        .fit(&mut task, Net::new(&Device::flex(), 2))
        .unwrap();
    assert_eq!(
        bits(&resumed.module),
        bits(&fit(config(9), &mut task).module)
    );
}

#[derive(Default)]
struct Log {
    starts: Vec<StartEvent>,
    steps: Vec<u64>,
    losses: usize,
    epochs: Vec<usize>,
    bests: usize,
    ends: Vec<EndEvent>,
}

impl Observer for Log {
    fn on_train_start(&mut self, event: &StartEvent) {
        self.starts.push(*event);
    }

    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        self.steps.push(event.step);
        self.losses += usize::from(event.loss.is_some());
        assert!(event.samples_per_second > 0.0 && event.eta_seconds >= 0.0);
        assert!(event.batch >= 1 && event.batch <= event.batches);
        Flow::Continue
    }

    fn on_epoch(&mut self, event: &EpochEvent<'_>) -> Flow {
        self.epochs.push(event.record.epoch);
        self.bests += usize::from(event.is_best);
        let best = event.best.unwrap().get("rmse").unwrap();
        assert!(best <= event.record.score().unwrap());
        Flow::Continue
    }

    fn on_end(&mut self, event: &EndEvent) {
        self.ends.push(event.clone());
    }
}

#[test]
fn observers_hear_everything_once() {
    let mut task = Task::new(30);
    let mut log = Log::default();
    let outcome = Trainer::new(config(3))
        .unwrap()
        .with_observer(&mut log)
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(log.starts.len(), 1);
    let start = log.starts[0];
    assert_eq!(
        (start.rows, start.epochs, start.batches, start.steps),
        (30, 3, 5, 15)
    );
    // Less the running mean and variance of 11 channels, which no optimiser step changes.
    assert_eq!(start.parameters, outcome.module.num_params() - 2 * 11);
    assert_eq!(start.resumed_at, None);
    assert_eq!(log.steps, (1..=15).collect::<Vec<_>>());
    assert_eq!(log.losses, 15);
    assert_eq!(log.epochs, [0, 1, 2]);
    assert!(log.bests >= 1);
    assert_eq!(log.ends.len(), 1);
    assert_eq!(log.ends[0].best, outcome.scores);
}

#[test]
fn a_budget_ends_the_run_with_a_validated_module() {
    struct Slow;
    impl Observer for Slow {
        fn on_batch(&mut self, _: &BatchEvent) -> Flow {
            std::thread::sleep(std::time::Duration::from_millis(20));
            Flow::Continue
        }
    }
    let mut task = Task::new(300);
    let outcome = Trainer::new(TrainerConfig {
        max_seconds: Some(0.3),
        ..config(1000)
    })
    .unwrap()
    .with_observer(Slow)
    .fit(&mut task, Net::new(&Device::flex(), 1))
    .unwrap();
    assert_eq!(outcome.stop, StopReason::BudgetSpent);
    assert!(outcome.score().is_some());
    assert!(outcome.steps > 2 && outcome.seconds < 1.0, "{outcome:?}");
    assert_eq!(outcome.history.len(), outcome.epochs);
    assert!(outcome.history.last().unwrap().rows < 300);
}

#[test]
fn the_stop_flag_ends_after_the_step() {
    struct At(u64, Arc<AtomicBool>);
    impl Observer for At {
        fn on_batch(&mut self, event: &BatchEvent) -> Flow {
            if event.step == self.0 {
                self.1.store(true, Ordering::Relaxed);
            }
            Flow::Continue
        }
    }
    let flag = Arc::new(AtomicBool::new(false));
    let mut task = Task::new(30);
    let outcome = Trainer::new(config(3))
        .unwrap()
        .with_observer(At(7, flag.clone()))
        .with_stop_flag(flag)
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(outcome.stop, StopReason::Interrupted);
    assert_eq!((outcome.steps, outcome.epochs), (7, 1));
    // Validated once, after epoch 0.
    assert_eq!(outcome.best_epoch, Some(0));
}

#[test]
fn runs_without_validation() {
    let mut task = Task::new(30);
    task.n_valid = 0;
    let plain = TrainerConfig {
        early_stopping: None,
        ..config(2)
    };
    let outcome = fit(plain, &mut task);
    assert_eq!((outcome.score(), outcome.best_epoch), (None, None));
    let trainer = Trainer::new(config(2)).unwrap();
    let error = trainer
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_config(), "{error}");
}

#[test]
fn configs_are_checked_and_unknown_fields_refused() {
    let parse = |text: &str| serde_json::from_str::<TrainerConfig>(text);
    assert_eq!(parse("{}").unwrap(), TrainerConfig::default());
    let text = serde_json::to_string(&config(3)).unwrap();
    assert_eq!(parse(&text).unwrap(), config(3));
    for unknown in [
        r#"{"epoch": 3}"#,
        r#"{"optimizer": {"name": "adam_w", "lr": 1}}"#,
        r#"{"optimizer": {"name": "adamax"}}"#,
        r#"{"checkpoint": {"every": 1}}"#,
        r#"{"early_stopping": {"delta": 1}}"#,
    ] {
        assert!(parse(unknown).is_err(), "{unknown}");
    }
    for (text, part) in [
        (r#"{"epochs": 0}"#, "epochs = 0"),
        (r#"{"epochs": 1000001}"#, "epochs = 1000001"),
        (r#"{"batch_size": 0}"#, "batch_size = 0"),
        (r#"{"micro_batches": 0}"#, "micro_batches = 0"),
        (r#"{"clip_norm": 0}"#, "clip_norm = 0"),
        (r#"{"sam": {"rho": 0}}"#, "sam.rho = 0"),
        (
            r#"{"clip_adaptive": {"factor": -1}}"#,
            "clip_adaptive.factor = -1",
        ),
        (
            r#"{"on_divergence": {"rollback": {"factor": 2}}}"#,
            "on_divergence.rollback.factor = 2",
        ),
        (r#"{"validate_every": 0}"#, "validate_every = 0"),
        (r#"{"max_seconds": -1}"#, "max_seconds = -1"),
        (r#"{"checkpoint": {"keep": 0}}"#, "checkpoint.keep = 0"),
        (
            r#"{"checkpoint": {"every_steps": 0}}"#,
            "checkpoint.every_steps = 0",
        ),
        (
            r#"{"checkpoint": {"every_epochs": 0}}"#,
            "checkpoint.every_epochs = 0",
        ),
        (r#"{"read_loss_every": 0}"#, "read_loss_every = 0"),
        (
            r#"{"early_stopping": {"patience": 0}}"#,
            "early_stopping.patience = 0",
        ),
        (
            r#"{"early_stopping": {"min_delta": -1}}"#,
            "early_stopping.min_delta = -1",
        ),
        (
            r#"{"optimizer": {"name": "adam_w", "weight_decay": -1}}"#,
            "optimizer.weight_decay = -1",
        ),
        (
            r#"{"optimizer": {"name": "adam_w", "beta_2": 1}}"#,
            "optimizer.beta_2 = 1",
        ),
        (r#"{"ema": {"name": "plain", "decay": 2}}"#, "ema.decay = 2"),
    ] {
        let error = parse(text).unwrap().validate().unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(part),
            "{error}"
        );
    }
}

#[test]
fn plain_and_autodiff_modules_train_alike() {
    let mut task = Task::new(20);
    let plain = fit(config(2), &mut task);
    let device = Device::flex().autodiff();
    let tracked = Trainer::new(config(2))
        .unwrap()
        .fit(&mut task, Net::new(&device, 1))
        .unwrap();
    assert_eq!(bits(&plain.module), bits(&tracked.module));
}
