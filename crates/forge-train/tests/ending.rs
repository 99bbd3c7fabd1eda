//! Runs without validation rows that end where an earlier run was best.

use forge_nn::ForgeError;
use forge_nn::burn::tensor::Device;
use forge_train::log::MetricsLog;
use forge_train::{Ending, Start, StopReason, TrainOutcome, Trainer, TrainerConfig};
use serde_json::Value;

use crate::net::{Net, Task, bits, config};
use crate::resume::StopAt;

/// Without validation rows.
fn alone() -> Task {
    let mut task = Task::new(25);
    task.n_valid = 0;
    task
}

fn settings(epochs: usize) -> TrainerConfig {
    TrainerConfig {
        early_stopping: None,
        ..config(epochs)
    }
}

fn ending(epochs: usize, candidate: &str) -> Ending {
    Ending {
        epochs,
        candidate: candidate.into(),
    }
}

fn fit(config: TrainerConfig, ending: Ending) -> Result<TrainOutcome<Net>, ForgeError> {
    Trainer::new(config)?
        .with_ending(ending)
        .fit(&mut alone(), Net::new(&Device::flex(), 1))
}

#[test]
fn rates_are_those_of_the_longer_run_and_the_weights_those_that_are_named() {
    let all = |module: TrainerConfig| {
        Trainer::new(module)
            .unwrap()
            .fit(&mut alone(), Net::new(&Device::flex(), 1))
            .unwrap()
    };
    let whole = all(settings(9));
    let cut = fit(settings(9), ending(4, "ema")).unwrap();
    assert_eq!((cut.epochs, cut.stop), (4, StopReason::Completed));
    assert_eq!((cut.steps, cut.candidate.as_str()), (16, "ema"));
    for (cut, whole) in cut.history.iter().zip(&whole.history) {
        assert_eq!((cut.lr, cut.train_loss), (whole.lr, whole.train_loss));
    }
    // A run of so many epochs has other rates.
    let short = all(settings(4));
    assert_ne!(short.history[3].lr, cut.history[3].lr);
    assert_ne!(bits(&short.module), bits(&cut.module));
    // Of all its epochs the whole run.
    let same = fit(settings(9), ending(9, "ema")).unwrap();
    assert_eq!(bits(&same.module), bits(&whole.module));
}

#[test]
fn an_outcome_says_where_it_was_best() {
    let trainer = Trainer::new(config(9)).unwrap();
    let outcome = trainer
        .fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
        .unwrap();
    let best = Ending::of(&outcome).unwrap();
    assert_eq!(best.epochs, outcome.best_epoch.unwrap() + 1);
    assert_eq!(best.candidate, "ema");
    // The same rows and weights, ended there: the weights that were best.
    let again = fit(settings(9), best).unwrap();
    assert_eq!(bits(&again.module), bits(&outcome.module));
    let blind = Trainer::new(settings(2)).unwrap();
    let blind = blind
        .fit(&mut alone(), Net::new(&Device::flex(), 1))
        .unwrap();
    assert_eq!(Ending::of(&blind), None);
}

#[test]
fn endings_that_no_run_can_have_are_refused() {
    let refused = |config: TrainerConfig, ending: Ending, field: &str| {
        let error = fit(config, ending).unwrap_err();
        assert!(error.is_config(), "{error}");
        assert!(error.to_string().contains(field), "{error}");
    };
    refused(settings(9), ending(0, "ema"), "ending.epochs");
    refused(settings(9), ending(10, "ema"), "1..=9");
    refused(
        settings(2),
        ending(1, "swa"),
        "one of those at the run's end: ema",
    );
    refused(config(9), ending(3, "ema"), "early_stopping");
    let soup = serde_json::from_value(serde_json::json!({"keep": 2})).unwrap();
    let soup = TrainerConfig {
        soup: Some(soup),
        ..settings(9)
    };
    refused(soup, ending(3, "ema"), "soup");
}

/// A first run with validation and a second one to its ending, with one log, stopped at any step and
/// gone on with: the same weights and the same lines.
#[test]
fn both_runs_of_a_fit_resume_and_are_in_one_log() {
    let folder = tempfile::tempdir().unwrap();
    let both = |name: &str, stop: Option<(usize, u64)>, start: Start| {
        let at = folder.path().join(name);
        let mut log = MetricsLog::new(at.join("metrics.jsonl")).every_steps(1);
        let mut runs = vec![];
        for run in 0..2 {
            let (config, mut task, ending) = match run {
                0 => (config(6), Task::new(25), None),
                _ => (settings(6), alone(), Some(ending(3, "ema"))),
            };
            let flag = std::sync::Arc::default();
            let mut trainer = Trainer::new(config)
                .unwrap()
                .with_checkpoints(at.join(format!("run_{run}")), start)
                .with_stop_flag(std::sync::Arc::clone(&flag))
                .with_observer(&mut log)
                .as_run(run);
            if let Some(ending) = ending {
                trainer = trainer.with_ending(ending);
            }
            if let Some((_, step)) = stop.filter(|stop| stop.0 == run) {
                trainer = trainer.with_observer(StopAt(step, flag));
            }
            let outcome = trainer
                .fit(&mut task, Net::new(&Device::flex(), 1))
                .unwrap();
            if outcome.stop == StopReason::Interrupted {
                return None;
            }
            runs.push(bits(&outcome.module));
        }
        let text = std::fs::read_to_string(at.join("metrics.jsonl")).unwrap();
        let line = |line: &str| {
            let mut line: Value = serde_json::from_str(line).unwrap();
            for name in ["time", "train/seconds", "step/samples_per_second"] {
                line.as_object_mut().unwrap().remove(name);
            }
            line
        };
        Some((runs, text.lines().map(line).collect::<Vec<_>>()))
    };
    let whole = both("whole", None, Start::Fresh).unwrap();
    let of = |run: u64| whole.1.iter().filter(|line| line["run"] == run).count();
    assert_eq!((of(0), of(1)), (6 + 24, 3 + 12));
    for stop in [(0, 5), (0, 23), (1, 1), (1, 7), (1, 11)] {
        let name = format!("{stop:?}");
        assert!(both(&name, Some(stop), Start::Fresh).is_none(), "{name}");
        let resumed = both(&name, None, Start::ResumeOrFresh).unwrap();
        assert_eq!(resumed, whole, "{name}");
    }
    // To another end is another run.
    let at = folder.path().join("whole/run_1");
    let error = Trainer::new(settings(6))
        .unwrap()
        .with_checkpoints(at, Start::Resume)
        .with_ending(ending(4, "ema"))
        .fit(&mut alone(), Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.to_string().contains("ending"), "{error}");
}
