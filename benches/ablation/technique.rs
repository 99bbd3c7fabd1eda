//! What is changed of the preset, one thing at a time.

use serde_json::{Value, json};
use volatilityforge::models::{ModelConfig, TargetKind};
use volatilityforge::nn::ForgeError;
use volatilityforge::train::TrainerConfig;
use volatilityforge::train::schedule::ScheduleConfig;
use volatilityforge::{Error, EstimatorConfig, Task};

/// One change, as fields that replace the preset's.
pub(crate) struct Technique {
    pub(crate) name: &'static str,
    /// Of the trainer.
    trainer: Value,
    /// Of the rows of a step.
    augmentation: Value,
    /// Of what comes before the model.
    preprocess: Value,
    /// Of the model.
    model: Value,
    /// Of the objective; for classes alone.
    classes: Value,
    /// Factor on the preset's highest rate.
    rate: f64,
}

impl Technique {
    fn new(name: &'static str) -> Self {
        Self {
            name,
            trainer: json!({}),
            augmentation: Value::Null,
            preprocess: Value::Null,
            model: Value::Null,
            classes: Value::Null,
            rate: 1.0,
        }
    }

    fn trainer(name: &'static str, trainer: Value) -> Self {
        Self {
            trainer,
            ..Self::new(name)
        }
    }

    fn schedule(name: &'static str, schedule: &str) -> Self {
        Self::trainer(name, json!({"schedule": {"name": schedule}}))
    }

    fn augmentation(name: &'static str, augmentation: Value) -> Self {
        Self {
            augmentation,
            ..Self::new(name)
        }
    }

    fn preprocess(name: &'static str, preprocess: Value) -> Self {
        Self {
            preprocess,
            ..Self::new(name)
        }
    }

    fn model(name: &'static str, model: Value) -> Self {
        Self {
            model,
            ..Self::new(name)
        }
    }

    pub(crate) fn is_for(&self, task: Task) -> bool {
        self.classes.is_null() || task == Task::Classification
    }

    /// Puts the change into `config`, for so many training rows and classes.
    pub(crate) fn apply(
        &self,
        config: &mut EstimatorConfig,
        rows: usize,
        classes: Option<usize>,
    ) -> Result<(), Error> {
        config.training.config = Some(self.trainer_of(config, rows)?);
        if !self.augmentation.is_null() {
            config.training.augmentation = Some(with(json!({}), &self.augmentation)?);
        }
        if !self.preprocess.is_null() {
            let preprocess = serde_json::to_value(&config.preprocess).map_err(refused)?;
            config.preprocess = with(preprocess, &self.preprocess)?;
        }
        if !self.model.is_null() {
            let kind = match classes {
                Some(_) => TargetKind::Classes,
                None => TargetKind::Numbers,
            };
            let preset = ModelConfig::preset_for(config.model.name(), config.strategy, kind)?;
            let model = serde_json::to_value(preset.config).map_err(refused)?;
            let model: ModelConfig = with(model, &self.model)?;
            config.model = model.into();
        }
        if !self.classes.is_null() {
            let name = match classes {
                Some(2) => "binary",
                _ => "multiclass",
            };
            config.objective = Some(with(json!({"name": name}), &self.classes)?);
        }
        Ok(())
    }

    fn trainer_of(&self, config: &EstimatorConfig, rows: usize) -> Result<TrainerConfig, Error> {
        let preset = config.trainer(rows)?;
        let steps = preset.epochs as u64 * rows.div_ceil(preset.batch_size) as u64;
        let peak = preset.schedule.peak_lr();
        let preset = serde_json::to_value(preset).map_err(refused)?;
        let mut trainer: TrainerConfig = with(preset, &self.trainer)?;
        if let ScheduleConfig::CosineWarmRestarts(restarts) = &mut trainer.schedule {
            // Three cosines: a part of the run, two and four.
            restarts.t_0 = Some((steps / 7).max(1));
        }
        trainer.schedule = trainer.schedule.with_peak_lr(peak * self.rate);
        Ok(trainer)
    }
}

/// `base` with these fields instead of its own.
fn with<C: serde::de::DeserializeOwned>(mut base: Value, fields: &Value) -> Result<C, Error> {
    merge(&mut base, fields);
    Ok(serde_json::from_value(base).map_err(refused)?)
}

/// What is named is another thing, and none of the former one's fields stays.
fn merge(base: &mut Value, fields: &Value) {
    match (base, fields) {
        (Value::Object(all), Value::Object(fields)) if !fields.contains_key("name") => {
            for (field, value) in fields {
                merge(all.entry(field).or_insert(Value::Null), value);
            }
        }
        (base, fields) => *base = fields.clone(),
    }
}

fn refused(error: serde_json::Error) -> ForgeError {
    ForgeError::config("a technique", error, "fields of the settings")
}

/// The name of the preset as it is, which all others are compared with.
pub(crate) const PRESET: &str = "preset";

/// All of them; the preset has an average of the weights (EMA), clipping at norm 1, a warm-up and a
/// cosine, early stopping.
pub(crate) fn all() -> Vec<Technique> {
    // Averages of the last part of a run need that part: early stopping would leave it out.
    let without_ema = |name, field: &str, value: Value| {
        let fields = json!({"ema": null, "early_stopping": null, field: value});
        Technique::trainer(name, fields)
    };
    let tail = json!({"name": "tail"});
    let decay = json!({"layers": "blocks", "rate": 0.75});
    let adaptive = json!({"clip_norm": null, "clip_adaptive": {}});
    let plateau = json!({"schedule": {"name": "reduce_on_plateau", "patience": 3}});
    let schedule_free = json!({
        "ema": null,
        "optimizer": {"name": "schedule_free_adam_w"},
        "schedule": {"name": "constant"},
    });
    vec![
        Technique::new(PRESET),
        Technique::trainer("no average", json!({"ema": null})),
        Technique::trainer("no early stopping", json!({"early_stopping": null})),
        without_ema("SWA for EMA", "swa", json!({})),
        without_ema("tail average for EMA", "polyak", tail),
        without_ema("soup for EMA", "soup", json!({})),
        without_ema("snapshots for EMA", "snapshots", json!({})),
        Technique::trainer("no clipping", json!({"clip_norm": null})),
        Technique::trainer("adaptive clipping", adaptive),
        Technique {
            rate: 2.0,
            ..Technique::new("twice the rate")
        },
        Technique {
            rate: 4.0,
            ..Technique::new("four times the rate")
        },
        Technique::schedule("constant rate", "constant"),
        Technique::schedule("one cycle", "one_cycle"),
        Technique::schedule("warm restarts", "cosine_warm_restarts"),
        Technique::trainer("reduce on plateau", plateau),
        Technique {
            // The authors take more than what suits a cosine.
            rate: 2.5,
            ..Technique::trainer("schedule-free", schedule_free)
        },
        Technique::trainer("SAM", json!({"sam": {}})),
        Technique::trainer(
            "layer decay 0.75",
            json!({"optimizer": {"layer_decay": decay}}),
        ),
        Technique::preprocess("quantile transform", json!({"numeric": "quantile"})),
        Technique::augmentation("mixup 0.2", json!({"mixup": 0.2})),
        Technique::augmentation("cutmix 1", json!({"cutmix": 1.0})),
        Technique::augmentation("noise 0.05", json!({"noise": 0.05})),
        Technique::augmentation("masking 0.1", json!({"mask": 0.1})),
        Technique::model("dropout 0.1", json!({"dropout": 0.1})),
        Technique::model("dropout 0.3", json!({"dropout": 0.3})),
        Technique {
            classes: json!({"label_smoothing": 0.1}),
            ..Technique::new("label smoothing 0.1")
        },
    ]
}
