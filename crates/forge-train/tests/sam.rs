//! Sharpness-aware steps, schedule-free runs and plateaus in a whole run: each resumes bit-equal.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use forge_nn::ForgeError;
use forge_nn::burn::module::Param;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_train::{
    Engine, EngineConfig, Phase, Start, StopReason, TrainOutcome, Trainer, TrainerConfig,
};
use serde_json::{Value, json};

use crate::case::read;
use crate::net::{Net, Task, bits, config};
use crate::resume::{StopAt, last_state, without_seconds};

/// `w²/2` has the gradient `w (1 + ρ/|w|)` where the loss is worst within `ρ`. The loss is that of
/// `w` itself, and asked for twice with the same random numbers.
#[test]
fn a_step_takes_the_gradient_where_the_loss_is_worst() {
    let net = Param::from_data([3.0_f64, -4.0], &Device::flex());
    let sam = serde_json::from_value(json!({"rho": 0.5})).unwrap();
    let settings = EngineConfig {
        sam: Some(sam),
        ..EngineConfig::default()
    };
    let mut engine = Engine::new(net, settings).unwrap();
    let mut drawn = Vec::new();
    let gradients = engine
        .gradients(|w: &Param<Tensor<1>>, at| {
            let dice = Tensor::<1>::random(
                [2],
                forge_nn::burn::tensor::Distribution::Default,
                at.device,
            );
            drawn.push(read(&dice));
            Ok(w.val().square().sum() * 0.5)
        })
        .unwrap();
    assert_eq!(drawn.len(), 2);
    assert_eq!(drawn[0], drawn[1]);
    assert!((read(&gradients.loss)[0] - 12.5).abs() < 1e-6);
    let found = read(&gradients.params.get::<1>(engine.module().id).unwrap());
    for (found, expected) in found.iter().zip([3.3, -4.4]) {
        assert!((found - expected).abs() < 1e-5, "{found} {expected}");
    }
    // Nothing has moved yet.
    assert_eq!(read(&engine.module().val()), [3.0, -4.0]);
    engine.apply(gradients, &Phase::whole()).unwrap();
    engine.finish_step().unwrap();
}

fn fit(
    config: &TrainerConfig,
    folder: &Path,
    start: Start,
    stop_at: Option<u64>,
) -> Result<TrainOutcome<Net>, ForgeError> {
    let flag = Arc::new(AtomicBool::new(false));
    let mut trainer = Trainer::new(config.clone())?
        .with_checkpoints(folder, start)
        .with_stop_flag(flag.clone());
    if let Some(step) = stop_at {
        trainer = trainer.with_observer(StopAt(step, flag));
    }
    trainer.fit(&mut Task::new(25), Net::new(&Device::flex(), 1))
}

fn with(changes: &Value) -> TrainerConfig {
    let mut fields = serde_json::to_value(config(4)).unwrap();
    let changes = changes.as_object().unwrap().clone();
    fields.as_object_mut().unwrap().extend(changes);
    serde_json::from_value(fields).unwrap()
}

fn resumes(changes: &Value) -> TrainOutcome<Net> {
    let config = with(changes);
    let folder = tempfile::tempdir().unwrap();
    let whole = fit(&config, folder.path(), Start::Fresh, None).unwrap();
    for stop in [1, 4, 7, 13] {
        let other = tempfile::tempdir().unwrap();
        let cut = fit(&config, other.path(), Start::Fresh, Some(stop)).unwrap();
        assert_eq!(cut.stop, StopReason::Interrupted);
        let resumed = fit(&config, other.path(), Start::Resume, None).unwrap();
        assert_eq!(
            bits(&resumed.module),
            bits(&whole.module),
            "{changes} {stop}"
        );
        assert_eq!(resumed.candidate, whole.candidate);
        assert_eq!(
            without_seconds(&resumed.history),
            without_seconds(&whole.history)
        );
        assert_eq!(last_state(other.path()), last_state(folder.path()));
    }
    whole
}

#[test]
fn sharpness_aware_runs_resume_bit_equal() {
    let sharp = json!({"sam": {"rho": 0.1}, "micro_batches": 2,
        "clip_adaptive": {"factor": 0.05}, "optimizer": {"name": "sgd"}});
    let sharp = resumes(&sharp);
    let blunt = with(&json!({"micro_batches": 2,
        "clip_adaptive": {"factor": 0.05}, "optimizer": {"name": "sgd"}}));
    let folder = tempfile::tempdir().unwrap();
    let blunt = fit(&blunt, folder.path(), Start::Fresh, None).unwrap();
    assert_ne!(bits(&sharp.module), bits(&blunt.module));
}

/// Its average is what is validated, with batch statistics of its own.
#[test]
fn schedule_free_runs_return_the_average_and_resume_bit_equal() {
    let free = json!({"optimizer": {"name": "schedule_free_adam_w"}, "ema": null,
        "schedule": {"name": "constant", "lr": 0.05}});
    let outcome = resumes(&free);
    assert_eq!(outcome.candidate, "schedule_free");
    let candidates = outcome.history.iter().flat_map(|epoch| &epoch.validation);
    assert!(
        candidates
            .into_iter()
            .all(|v| v.candidate == "schedule_free")
    );
    assert!(outcome.score() < outcome.history[0].score());
}

#[test]
fn plateaus_lower_the_rate_and_resume_bit_equal() {
    let plateau = json!({"schedule": {"name": "reduce_on_plateau", "base_lr": 0.02,
        "patience": 0, "threshold": 10.0, "threshold_mode": "abs", "factor": 0.5}});
    // No score is better by 10: from the second epoch on, each halves the rate.
    let rates: Vec<f64> = resumes(&plateau)
        .history
        .iter()
        .map(|epoch| epoch.lr)
        .collect();
    assert_eq!(rates, [0.02, 0.02, 0.01, 0.005]);
    let mut task = Task::new(25);
    task.n_valid = 0;
    let mut config = with(&plateau);
    config.early_stopping = None;
    let error = Trainer::new(config)
        .unwrap()
        .fit(&mut task, Net::new(&Device::flex(), 1))
        .unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("reduce_on_plateau"),
        "{error}"
    );
}
