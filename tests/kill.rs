//! A fit that is killed at random moments, and resumed until it is done.

use std::path::Path;
use std::time::Duration;

use serde_json::json;
use volatilityforge::data::SplitConfig;
use volatilityforge::train::{BatchEvent, Flow, Observer, StopReason};
use volatilityforge::{DeviceName, FitOptions, TabularEstimator};

use crate::chain::{chain, quick};
use crate::killing::survives;

/// Makes steps slow enough to be hit.
struct Slow;

impl Observer for Slow {
    fn on_batch(&mut self, _: &BatchEvent) -> Flow {
        std::thread::sleep(Duration::from_millis(4));
        Flow::Continue
    }
}

/// With averages, a schedule, a sampler, augmentation, numbers of the loss that move, early stopping.
fn fit(folder: &Path) -> String {
    let mut config = quick("tabular_mlp");
    let objective = json!({"name": "returns_direction", "weights": {"rate": 0.1}});
    config.objective = Some(serde_json::from_value(objective).unwrap());
    config.training = serde_json::from_value(json!({
        "augmentation": {"cutmix": 0.5, "noise": 0.05},
        "config": {
            "epochs": 60,
            "batch_size": 32,
            "ema": {"name": "ema_pytorch", "beta": 0.9, "update_every": 2},
            "swa": {"start": 0.2},
            "schedule": {"name": "one_cycle", "max_lr": 0.01},
            "sampler": {"name": "stratified", "by": "target", "bins": 4},
            "clip_norm": 0.5,
            "early_stopping": {"patience": 6, "min_delta": 0.0005},
            "checkpoint": {"every_steps": 2},
        },
    }))
    .unwrap();
    let options = FitOptions {
        checkpoints: Some(folder.into()),
        resume: true,
        observers: vec![Box::new(Slow)],
        ..FitOptions::default()
    };
    let table = chain();
    let split = SplitConfig::default().split(&table, 0.2).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let estimator = TabularEstimator::new("vol").with_config(config).unwrap();
    let (fitted, report) = estimator
        .fit_split(&table, &split, &device, options)
        .unwrap();
    assert_eq!(report.stopped, StopReason::EarlyStopped);
    let said = fitted.predictions(&table).unwrap();
    let losses: Vec<f64> = report
        .history
        .iter()
        .map(|epoch| epoch.train_loss)
        .collect();
    format!("{said:?} {losses:?}")
}

#[test]
fn a_killed_fit_ends_as_one_that_was_not() {
    let moments = [60, 300].map(Duration::from_millis);
    survives("kill::a_killed_fit_ends_as_one_that_was_not", moments, fit);
}
