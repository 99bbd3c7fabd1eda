//! The authors' settings, and smaller ones.

use serde_json::{Value, json};

use super::{RealMlpActivation, RealMlpConfig};
use crate::{Preset, Recipe, Strategy, TargetKind, TrainingPreset};

/// Decoupled weight decay at the start.
const WEIGHT_DECAY: f64 = 2e-2;

fn learning_rate(target: TargetKind) -> f64 {
    match target {
        TargetKind::Classes => 4e-2,
        TargetKind::Numbers => 2e-1,
    }
}

pub(super) fn preset(strategy: Strategy, target: TargetKind) -> Preset<RealMlpConfig> {
    const OURS: &str = "width, batches and epochs: this library's; all else RealMLP-TD of pytabkit \
                        1.7.3 (arXiv 2407.04491)";
    const THEIRS: &str = "RealMLP-TD of pytabkit 1.7.3 (arXiv 2407.04491)";
    let (width, batch_size, source) = match strategy {
        Strategy::Fast => (64, None, OURS),
        Strategy::Balanced => (128, None, OURS),
        Strategy::Accurate => (256, Some(256), THEIRS),
    };
    let base = RealMlpConfig {
        hidden_sizes: vec![width; 3],
        ..RealMlpConfig::default()
    };
    Preset {
        config: match target {
            TargetKind::Numbers => base,
            TargetKind::Classes => RealMlpConfig {
                n_classes: 2,
                act: RealMlpActivation::Selu,
                normalize_output: false,
                clamp_output: false,
                ..base
            },
        },
        training: TrainingPreset {
            learning_rate: learning_rate(target),
            weight_decay: WEIGHT_DECAY,
            batch_size,
            steps: 1.0,
            source,
        },
    }
}

/// How it is trained: see the page of the model.
pub(super) fn recipe(strategy: Strategy, target: TargetKind) -> Recipe {
    let flat_cos = json!({"name": "flat_cos"});
    // The reference's decay has the factor of the rate twice: once in the rate, once here.
    let group = |paths: &str, factor: f64, decay: f64| json!({"match": [paths], "rate": factor, "decay": decay, "optional": true});
    let mut trainer = json!({
        "schedule": {
            "name": "factor",
            "base_lr": learning_rate(target),
            "factor": {"name": "cos_log", "cycles": 4},
        },
        "optimizer": {
            "name": "adam_w",
            "beta_1": 0.9,
            "beta_2": 0.95,
            "weight_decay": WEIGHT_DECAY,
            "decay_schedule": flat_cos,
            "no_decay": [],
            "groups": [
                group("front_scale", 6.0, 6.0),
                group("layers.*.bias", 0.1, 0.0),
                group("activations", 0.1, 0.1),
                group("columns.numeric_embedding", 0.1, 0.1),
            ],
        },
        "dropout_schedule": flat_cos,
        "ema": null,
        "clip_norm": null,
        "early_stopping": null,
        "keep_last_of_equal": true,
    });
    if strategy == Strategy::Accurate {
        trainer["epochs"] = json!(256);
        trainer["batch_size"] = json!(256);
    }
    let objective = match target {
        TargetKind::Numbers => json!({"loss": {"name": "mse"}}),
        TargetKind::Classes => {
            trainer["select_by"] = Value::from("accuracy");
            json!({"label_smoothing": 0.1})
        }
    };
    Recipe::new(trainer, objective)
}
