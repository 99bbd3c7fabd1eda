//! Gradient rules: clipping, skipping, scaling; and resumption after a skipped step.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forge_nn::ForgeError;

use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::optim::GradientsParams;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_train::averaging::Ema;
use forge_train::checkpoint::{PartState, RunPart};
use forge_train::optimizer::{global_norm, scale};
use forge_train::rule::{ClipNorm, ClipValue, Decision, GradientRule, Gradients, SkipNonFinite};
use forge_train::{
    Engine, EngineConfig, Phase, Start, StepContext, StopReason, TrainOutcome, Trainer,
    TrainerConfig,
};
use serde_json::{Value, json};

use crate::case::read;
use crate::net::{Net, Task, bits, config};
use crate::resume::{StopAt, last_state, without_seconds};

#[derive(Module, Debug)]
struct Two {
    a: Param<Tensor<1>>,
    b: Param<Tensor<1>>,
}

fn two(device: &Device) -> Two {
    Two {
        a: Param::from_data([1.0, 1.0], device),
        b: Param::from_data([1.0], device),
    }
}

/// Gradients by hand.
fn gradients(two: &Two, a: [f64; 2], b: f64) -> Gradients {
    let device = Device::flex();
    let mut params = GradientsParams::new();
    params.register(two.a.id, Tensor::<1>::from_data(a, &device));
    params.register(two.b.id, Tensor::<1>::from_data([b], &device));
    Gradients {
        loss: Tensor::from_data([0.5], &device),
        params,
    }
}

fn apply(rule: &mut dyn GradientRule<Two>, a: [f64; 2], b: f64) -> Option<Vec<f64>> {
    let device = Device::flex().autodiff();
    let two = two(&device);
    let at = StepContext::new(&device);
    match rule.apply(&two, gradients(&two, a, b), &at).unwrap() {
        Decision::Skip => None,
        Decision::Proceed(gradients) => {
            let mut values = read(&gradients.params.get::<1>(two.a.id).unwrap());
            values.extend(read(&gradients.params.get::<1>(two.b.id).unwrap()));
            Some(values)
        }
    }
}

#[test]
fn clipping_by_value_and_by_norm() {
    let mut value = ClipValue::new(2.0).unwrap();
    assert_eq!(
        apply(&mut value, [1.5, -3.0], 7.0).unwrap(),
        [1.5, -2.0, 2.0]
    );
    let found = apply(&mut value, [f64::NAN, f64::NEG_INFINITY], 0.0).unwrap();
    assert!(found[0].is_nan());
    assert_eq!(found[1..], [-2.0, 0.0]);
    let mut norm = ClipNorm::new(1.0).unwrap();
    let found = apply(&mut norm, [2.0, 3.0], 6.0).unwrap();
    for (found, expected) in found.iter().zip([2.0 / 7.0, 3.0 / 7.0, 6.0 / 7.0]) {
        assert!((found - expected).abs() < 1e-6, "{found} {expected}");
    }
    for error in [ClipValue::new(0.0).err(), ClipNorm::new(f64::NAN).err()] {
        assert!(error.unwrap().is_config());
    }
}

#[test]
fn what_is_not_finite_is_skipped_and_counted() {
    let mut rule = SkipNonFinite::new();
    assert!(apply(&mut rule, [1.0, 2.0], 3.0).is_some());
    // Finite, although no sum of it is.
    assert!(apply(&mut rule, [3e38, 3e38], 3e38).is_some());
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        assert!(apply(&mut rule, [0.0, bad], 0.0).is_none());
        assert!(apply(&mut rule, [0.0, 0.0], bad).is_none());
    }
    assert_eq!(rule.skipped(), 6);
    let mut other = SkipNonFinite::new();
    other.restore(rule.state().unwrap()).unwrap();
    assert_eq!(other, rule);
}

/// Skips some steps, whatever the gradients.
struct SkipAt(Vec<u64>);

impl RunPart for SkipAt {
    fn name(&self) -> &str {
        "skip_at"
    }

    fn config(&self) -> Value {
        json!(self.0)
    }
}

impl<M: Module> GradientRule<M> for SkipAt {
    fn apply(
        &mut self,
        _: &M,
        gradients: Gradients,
        at: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        if self.0.contains(&at.step) {
            Ok(Decision::Skip)
        } else {
            Ok(Decision::Proceed(gradients))
        }
    }
}

#[test]
fn a_skipped_step_changes_neither_weights_nor_optimiser_nor_averages() {
    let mut task = Task::new(25);
    let net = Net::new(&task.device, 1);
    let mut engine = Engine::new(net, EngineConfig::default())
        .unwrap()
        .with_rule(SkipAt(vec![3]));
    let ema = Ema::new(config(1).ema.unwrap(), engine.module());
    engine = engine.with_averaging(ema);
    let rows = [0, 3, 5, 8];
    for _ in 0..3 {
        assert!(
            engine
                .step_task(&mut task, &rows, 1)
                .unwrap()
                .skipped_by
                .is_none()
        );
    }
    let before = engine.state().unwrap();
    let skipped = engine.step_task(&mut task, &rows, 1).unwrap();
    assert_eq!(skipped.skipped_by.as_deref(), Some("skip_at"));
    let mut after = engine.state().unwrap();
    // The step counts, and is all that has changed: not even batch statistics have.
    let place: Value = after.take("engine").unwrap().into_json().unwrap();
    assert_eq!(place, json!({"epoch": 0, "step": 4}));
    let mut before = before;
    before.take("engine").unwrap();
    assert_eq!(after, before);
    // The next one moves all of it.
    engine.step_task(&mut task, &rows, 1).unwrap();
    let mut next = engine.state().unwrap();
    for part in ["module", "optimizer", "ema"] {
        assert_ne!(
            next.take(part).unwrap(),
            before.take(part).unwrap(),
            "{part}"
        );
    }
}

fn run(
    config: &TrainerConfig,
    folder: &Path,
    start: Start,
    stop_at: Option<u64>,
) -> TrainOutcome<Net> {
    let mut task = Task::new(25);
    // Not only a loss that is NaN: a row that makes batch statistics NaN.
    task.bad_row = Some(11);
    let flag = Arc::new(AtomicBool::new(false));
    let mut trainer = Trainer::new(config.clone())
        .unwrap()
        .with_rule(SkipAt(vec![6]))
        .with_checkpoints(folder, start)
        .with_stop_flag(flag.clone());
    if let Some(step) = stop_at {
        trainer = trainer.with_observer(StopAt(step, flag));
    }
    trainer
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap()
}

#[test]
fn runs_with_skipped_steps_resume_bit_equal() {
    let config = TrainerConfig {
        skip_non_finite: true,
        clip_value: Some(0.4),
        swa: Some(serde_json::from_value(json!({"start": 0.4, "unit": "steps"})).unwrap()),
        ..config(3)
    };
    let folder = tempfile::tempdir().unwrap();
    let whole = run(&config, folder.path(), Start::Fresh, None);
    assert_eq!(whole.stop, StopReason::Completed);
    // The bad row comes once per epoch; step 6 is the third of epoch 1.
    let skipped: Vec<u64> = whole.history.iter().map(|r| r.skipped).collect();
    assert!(skipped == [1, 2, 1] || skipped == [1, 1, 1], "{skipped:?}");
    for record in &whole.history {
        assert!(record.train_loss.is_finite());
        assert!(record.rows < 25);
        assert_eq!(
            record.validation.len(),
            if record.epoch == 0 { 1 } else { 2 }
        );
    }
    for stop in 1..12 {
        let other = tempfile::tempdir().unwrap();
        let cut = run(&config, other.path(), Start::Fresh, Some(stop));
        assert_eq!(cut.steps, stop);
        let resumed = run(&config, other.path(), Start::Resume, None);
        assert_eq!(bits(&resumed.module), bits(&whole.module), "stop {stop}");
        assert_eq!(resumed.candidate, whole.candidate);
        assert_eq!(
            without_seconds(&resumed.history),
            without_seconds(&whole.history)
        );
        assert_eq!(last_state(other.path()), last_state(folder.path()));
    }
}

#[test]
fn a_rule_of_other_settings_is_another_run() {
    let folder = tempfile::tempdir().unwrap();
    let fit = |rule: SkipAt, start| {
        let mut task = Task::new(25);
        Trainer::new(config(1))
            .unwrap()
            .with_rule(rule)
            .with_checkpoints(folder.path(), start)
            .fit(&mut task, Net::new(&Device::flex(), 1))
    };
    fit(SkipAt(vec![1]), Start::Fresh).unwrap();
    let error = fit(SkipAt(vec![2]), Start::Resume).unwrap_err();
    assert!(error.is_config());
    assert!(
        error.to_string().contains("with.skip_at[0] = 2, must be 1"),
        "{error}"
    );
}

#[test]
fn an_epoch_of_nothing_but_skipped_steps_is_an_error() {
    let mut task = Task::new(25);
    let error = Trainer::new(config(3))
        .unwrap()
        .with_rule(SkipAt((4..8).collect()))
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.is_training());
    assert!(
        error
            .to_string()
            .contains("every step of epoch 1 was skipped"),
        "{error}"
    );
}

#[test]
fn two_parts_of_one_name_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let mut task = Task::new(25);
    let error = Trainer::new(config(1))
        .unwrap()
        .with_rule(ClipNorm::new(1.0).unwrap())
        .with_checkpoints(folder.path(), Start::Fresh)
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(error.to_string().contains("\"clip_norm\""), "{error}");
}

/// Loss scaling in the manner of half precision: the loss grows, the gradients shrink, an overflow
/// halves the factor.
struct Scale {
    factor: f64,
    applied: u64,
}

impl RunPart for Scale {
    fn name(&self) -> &str {
        "scale"
    }

    fn state(&self) -> Result<PartState, ForgeError> {
        PartState::from_json(&self.factor)
    }

    fn restore(&mut self, state: PartState) -> Result<(), ForgeError> {
        self.factor = state.into_json()?;
        Ok(())
    }
}

impl<M: Module> GradientRule<M> for Scale {
    fn loss_factor(&self, _: &StepContext<'_>) -> f64 {
        self.factor
    }

    fn apply(
        &mut self,
        module: &M,
        gradients: Gradients,
        _: &StepContext<'_>,
    ) -> Result<Decision, ForgeError> {
        self.applied += 1;
        let norm = global_norm(module, &gradients.params).unwrap();
        if self.applied == 2 {
            self.factor /= 2.0;
            return Ok(Decision::Skip);
        }
        // Scaled gradients are what arrives here.
        assert!(read(&norm)[0] > 1000.0);
        let factor = gradients.loss.ones_like().mul_scalar(1.0 / self.factor);
        Ok(Decision::Proceed(Gradients {
            params: scale(module, gradients.params, factor),
            loss: gradients.loss,
        }))
    }
}

#[test]
fn a_loss_scale_fits_in_as_a_rule() {
    let run = |rule: Option<&mut Scale>| {
        let mut task = Task::new(25);
        let net = Net::new(&task.device, 1);
        let mut engine = Engine::new(net, EngineConfig::default()).unwrap();
        engine = match rule {
            Some(rule) => engine.with_rule(rule),
            None => engine.with_rule(SkipAt(vec![1])),
        };
        let mut losses = Vec::new();
        for _ in 0..4 {
            let outcome = engine.step_task(&mut task, &[0, 3, 5, 8], 1).unwrap();
            losses.push(read(&outcome.loss));
        }
        (losses, bits(engine.module()))
    };
    let mut scale = Scale {
        factor: 65536.0,
        applied: 0,
    };
    // A power of two changes no bit of weights, moments or reported losses.
    assert_eq!(run(Some(&mut scale)), run(None));
    assert_eq!((scale.factor, scale.applied), (32768.0, 4));
}

#[test]
fn gradients_can_be_changed_by_hand() {
    let device = Device::flex();
    let mut engine = Engine::new(two(&device), EngineConfig::default()).unwrap();
    let loss = |two: &Two, _: &StepContext<'_>| Ok((two.a.val() * 3.0).sum() + two.b.val());
    let mut gradients = engine.gradients(loss).unwrap();
    let (a, b) = (engine.module().a.id, engine.module().b.id);
    assert_eq!(read(&gradients.params.get::<1>(a).unwrap()), [3.0, 3.0]);
    // Without a gradient a parameter stays.
    gradients.params.remove::<1>(b);
    let start = read(&engine.module().b.val());
    engine.apply(gradients, &Phase::whole()).unwrap();
    engine.finish_step().unwrap();
    assert_eq!(engine.steps_done(), 1);
    assert_eq!(read(&engine.module().b.val()), start);
    let mut none = engine.gradients(loss).unwrap();
    none.params = GradientsParams::new();
    let error = engine.apply(none, &Phase::whole()).unwrap_err();
    assert!(error.is_training(), "{error}");
}

#[test]
fn two_devices_are_refused_and_one_is_where_it_computes() {
    let device = Device::flex();
    let on = |devices: Vec<Device>| {
        let config = EngineConfig {
            devices,
            ..EngineConfig::default()
        };
        Engine::new(two(&device), config)
    };
    let error = on(vec![device.clone(), device.clone()]).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("devices = 2, must be one device"),
        "{error}"
    );
    let mut engine = on(vec![device.clone()]).unwrap();
    engine
        .step(|two, at| {
            assert!(at.device.is_autodiff());
            Ok(two.a.val().sum() * Tensor::<1>::from_data([2.0], at.device))
        })
        .unwrap();
}
