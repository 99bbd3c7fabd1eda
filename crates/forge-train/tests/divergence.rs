//! Runs that diverge: stopped with what is wrong and where, or taken back at lower rates.

use std::path::Path;

use forge_nn::ForgeError;
use forge_nn::burn;
use forge_nn::burn::module::{Module, Param};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_train::{
    Observer, OnDivergence, Start, StepContext, TrainOutcome, TrainTask, Trainer, TrainerConfig,
};
use serde_json::{Value, json};

#[derive(Module, Debug)]
pub(crate) struct One {
    w: Param<Tensor<1>>,
}

/// `w⁴`, which gradient descent leaves for good where the rate is too high.
struct Steep;

impl TrainTask for Steep {
    type Module = One;

    fn n_rows(&self) -> usize {
        4
    }

    fn loss(
        &mut self,
        one: &One,
        _: &[usize],
        _: &StepContext<'_>,
    ) -> Result<Tensor<1>, ForgeError> {
        Ok(one.w.val().powi_scalar(4).sum())
    }
}

fn fit(on_divergence: Value, folder: Option<&Path>) -> Result<TrainOutcome<One>, ForgeError> {
    fit_watched(on_divergence, folder, Vec::<Box<dyn Observer>>::new())
}

/// 20 epochs of 2 steps, unless it is stopped.
pub(crate) fn fit_watched(
    on_divergence: Value,
    folder: Option<&Path>,
    observer: impl Observer,
) -> Result<TrainOutcome<One>, ForgeError> {
    let config: TrainerConfig = serde_json::from_value(json!({
        "epochs": 20, "batch_size": 2, "optimizer": {"name": "sgd", "momentum": 0.0},
        "schedule": {"name": "constant", "lr": 1.0}, "on_divergence": on_divergence,
    }))
    .unwrap();
    let mut trainer = Trainer::new(config)?.with_observer(observer);
    if let Some(folder) = folder {
        trainer = trainer.with_checkpoints(folder, Start::Fresh);
    }
    let w = Param::from_data([2.0_f32], &Device::flex());
    trainer.fit(&mut Steep, One { w })
}

#[test]
fn a_run_that_diverges_stops_by_default_and_says_where() {
    let folder = tempfile::tempdir().unwrap();
    let error = fit(json!("stop"), Some(folder.path())).unwrap_err();
    assert!(error.is_training());
    let text = error.to_string();
    for part in [
        "the loss is inf at epoch 1, step 3",
        "w is not finite",
        "the last good checkpoint is",
    ] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn by_choice_it_goes_back_and_on_at_lower_rates() {
    let folder = tempfile::tempdir().unwrap();
    let rollback = json!({"rollback": {"factor": 0.1, "most": 3}});
    let outcome = fit(rollback, Some(folder.path())).unwrap();
    assert_eq!(outcome.steps, 40);
    let rates: Vec<f64> = outcome.history.iter().map(|epoch| epoch.lr).collect();
    // w⁴ from 2 is stable below a rate of 1/24: two rollbacks from 1. The checkpoint after the first
    // epoch is far off already, so the second goes back to the start.
    assert!((rates[19] - 0.01).abs() < 1e-12, "{rates:?}");
    assert!(outcome.history[19].train_loss < outcome.history[0].train_loss);
}

#[test]
fn it_does_not_go_back_for_ever_and_needs_somewhere_to_go() {
    let folder = tempfile::tempdir().unwrap();
    let rollback = json!({"rollback": {"factor": 0.9, "most": 2}});
    let error = fit(rollback.clone(), Some(folder.path())).unwrap_err();
    assert!(error.is_training(), "{error}");
    let error = fit(rollback, None).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("on_divergence"),
        "{error}"
    );
    for (config, part) in [
        (
            json!({"rollback": {"factor": 1.0}}),
            "on_divergence.rollback.factor = 1",
        ),
        (
            json!({"rollback": {"most": 0}}),
            "on_divergence.rollback.most = 0",
        ),
    ] {
        let config: OnDivergence = serde_json::from_value(config).unwrap();
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(part), "{error}");
    }
}
