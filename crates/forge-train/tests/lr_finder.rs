//! The rate finder: the reference's sweep, suggestions of a curve that is known, and everything as
//! before afterwards.

use forge_nn::burn::module::Module;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ForgeError, StateDict};
use forge_train::averaging::Ema;
use forge_train::checkpoint::PartState;
use forge_train::sampler::{Sampler, Shuffle};
use forge_train::{
    Engine, EngineConfig, LrFinder, LrFinderConfig, LrSweep, StepContext, TrainTask, Trainer,
};
use serde_json::json;

use crate::case::Case;
use crate::net::{Net, Task, bits, config};

#[test]
fn the_sweep_is_the_references() {
    let cases = Case::all("lr_finder");
    assert_eq!(cases.len(), 1);
    for mut case in cases {
        let fields = case.config.as_object_mut().unwrap();
        assert_eq!(fields.remove("spacing"), Some(json!("exponential")));
        let steps = fields.remove("n_steps").unwrap();
        fields.insert("steps".into(), steps);
        let config: LrFinderConfig = serde_json::from_value(case.config.clone()).unwrap();
        let mut sweep = LrSweep::new(config).unwrap();
        for loss in case.values("input/loss") {
            sweep.take_in(*loss);
        }
        let curve = sweep.into_curve().unwrap();
        assert_eq!(curve.points.len() as f64, case.values("output/n_run")[0]);
        let close = |a: f64, b: f64| assert!((a - b).abs() <= 1e-12 * b.abs(), "{a} {b}");
        let expected = case
            .values("output/lr")
            .iter()
            .zip(case.values("output/smoothed_loss"));
        for (point, (lr, smoothed)) in curve.points.iter().zip(expected) {
            close(point.lr, *lr);
            close(point.smoothed, *smoothed);
        }
        close(
            curve.steepest().unwrap(),
            case.values("output/suggested_lr")[0],
        );
        let least = curve
            .points
            .iter()
            .map(|p| p.smoothed)
            .fold(f64::INFINITY, f64::min);
        close(least, case.values("output/best_loss")[0]);
    }
}

/// Losses without smoothing at the rates 1, 10, 100, …
fn curve(losses: &[f64]) -> forge_train::LrCurve {
    let mut sweep = LrSweep::new(LrFinderConfig {
        start_lr: 1.0,
        end_lr: 10_f64.powi(losses.len() as i32 - 1),
        steps: losses.len(),
        smoothing: 1.0,
        ..LrFinderConfig::default()
    })
    .unwrap();
    losses.iter().for_each(|loss| sweep.take_in(*loss));
    sweep.into_curve().unwrap()
}

#[test]
fn suggestions_of_a_known_curve() {
    let near = |found: Option<f64>, expected: f64| {
        let found = found.unwrap();
        assert!((found / expected - 1.0).abs() < 1e-9, "{found} {expected}");
    };
    let valley = curve(&[9.0, 9.5, 8.0, 7.0, 3.0, 2.5, 2.0, 4.0, 9.0]);
    // The fall of 6 points ends at point 6; a third of it and half a third from its start at 0.
    near(valley.valley(), 1e3);
    near(valley.suggestion(), 1e3);
    near(valley.steepest(), 1e3);
    near(valley.minimum_tenth(), 1e5);
    assert!(!valley.diverged);
    let rising = curve(&[1.0, 2.0, 3.0]);
    assert_eq!(
        (rising.valley(), rising.steepest(), rising.minimum_tenth()),
        (None, None, None)
    );
    // Negative losses (likelihoods) diverge by their size, and NaN ends a sweep without being in it.
    let negative = curve(&[-1.0, -2.0, -1.5, 5.9, 6.1, 0.0]);
    assert!(negative.diverged && negative.points.len() == 5);
    let nan = curve(&[2.0, 1.0, f64::NAN, 0.5]);
    assert!(nan.diverged && nan.points.len() == 2);
    let mut none = LrSweep::new(LrFinderConfig::default()).unwrap();
    none.take_in(f64::INFINITY);
    assert!(none.lr().is_none() && none.into_curve().unwrap_err().is_training());
}

/// A task that remembers how often it was asked.
struct Counting {
    task: Task,
    asked: u64,
}

impl TrainTask for Counting {
    type Module = Net;

    fn n_rows(&self) -> usize {
        self.task.n_rows()
    }

    fn loss(
        &mut self,
        net: &Net,
        rows: &[usize],
        at: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        self.asked += 1;
        Ok(self.task.loss(net, rows, at)? * (1.0 + 0.01 * self.asked as f64))
    }

    fn validate(&self, net: &Net) -> Result<Option<forge_train::metric::Scores>, ForgeError> {
        self.task.validate(net)
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.asked)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.asked = state.into_json()?;
        Ok(())
    }
}

fn finder() -> LrFinder {
    LrFinder::new(LrFinderConfig {
        start_lr: 1e-4,
        end_lr: 1e4,
        steps: 23,
        ..LrFinderConfig::default()
    })
    .unwrap()
}

/// A run is the same to the bit whether rates were tried before it or not, also from weights that
/// are not drawn yet.
#[test]
fn trying_rates_changes_nothing() {
    let run = |find: bool| {
        let mut task = Counting {
            task: Task::new(25),
            asked: 5,
        };
        let net = Net::new(&Device::flex(), 1);
        if find {
            let curve = finder().find(&config(3), &mut task, &net).unwrap();
            assert!(curve.points.len() > 5 && curve.suggestion().is_some());
            assert_eq!(task.asked, 5);
        }
        let outcome = Trainer::new(config(3))
            .unwrap()
            .fit(&mut task, net)
            .unwrap();
        (bits(&outcome.module), outcome.scores, task.asked)
    };
    assert_eq!(run(true), run(false));
}

#[test]
fn an_engine_goes_on_as_if_nothing_had_been_tried() {
    let mut ends = Vec::new();
    for find in [false, true] {
        let mut task = Counting {
            task: Task::new(25),
            asked: 0,
        };
        let net = Net::new(&Device::flex(), 1);
        let settings = EngineConfig {
            schedule: config(1).schedule,
            ..EngineConfig::default()
        };
        let mut engine = Engine::new(net, settings).unwrap();
        engine = {
            let ema = Ema::new(config(1).ema.unwrap(), engine.module());
            engine.with_averaging(ema)
        };
        let mut rows = Shuffle::new(25, 7, 5);
        for batch in 0..3 {
            let rows = rows.rows(0, batch).unwrap();
            engine.step_task(&mut task, &rows, 1).unwrap();
        }
        if find {
            let before = engine.state().unwrap();
            let curve = finder()
                .sweep(&mut engine, &mut task, &mut rows, 2)
                .unwrap();
            assert!(curve.points.len() > 5);
            assert_eq!(engine.state().unwrap(), before);
            assert_eq!(task.asked, 3);
        }
        engine
            .step_task(&mut task, &rows.rows(0, 3).unwrap(), 1)
            .unwrap();
        let net = StateDict::from_module(&engine.module().valid()).unwrap();
        ends.push((engine.state().unwrap(), net.tensors));
    }
    assert_eq!(ends[0], ends[1]);
}

#[test]
fn bad_settings_are_named() {
    for (config, part) in [
        (json!({"start_lr": 0.0}), "lr_finder.start_lr = 0"),
        (
            json!({"start_lr": 1.0, "end_lr": 0.5}),
            "lr_finder.end_lr = 0.5",
        ),
        (json!({"steps": 1}), "lr_finder.steps = 1"),
        (json!({"smoothing": 0.0}), "lr_finder.smoothing = 0"),
        (
            json!({"diverge_factor": 1.0}),
            "lr_finder.diverge_factor = 1",
        ),
    ] {
        let config: LrFinderConfig = serde_json::from_value(config).unwrap();
        let error = LrFinder::new(config).unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
    let mut task = Task::new(25);
    task.poison = Some(0);
    let error = finder().find(&config(1), &mut task, &Net::new(&Device::flex(), 1));
    assert!(error.unwrap_err().is_training());
}
