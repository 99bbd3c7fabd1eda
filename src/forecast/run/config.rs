//! What a run compares, on what.

use std::path::{Path, PathBuf};

use forge_data::{BarMarketConfig, ReadOptions, SeriesConfig, SplitPart, TimeSplit};
use forge_models::{SeriesModelConfig, Strategy};
use forge_nn::ForgeError;
use forge_train::checkpoint::check_same;
use forge_train::loss::Distillation;
use serde::{Deserialize, Serialize};

use crate::Error;
use crate::forecast::{ForecasterConfig, SeriesModelChoice};
use crate::run_folder::{RunFolder, RunSettings, settings_text};
use crate::settings::{beside, set_by_place, toml_file};

/// What a run compares, on what. As TOML or JSON, unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecastRunConfig {
    /// A file of series; absent: bars that are made up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub data: Option<PathBuf>,
    /// How the file is read.
    #[serde(default)]
    pub read: ReadOptions,
    /// What is made up where there is no file.
    #[serde(default)]
    pub synthetic: BarMarketConfig,
    /// The settings that all models share; its own model is not used.
    pub forecaster: ForecasterConfig,
    /// The models.
    pub models: Vec<SeriesModelChoice>,
    /// Where is learned, chosen and measured. Default: a hold-out of the last fifth.
    #[serde(default = "hold_out")]
    pub split: TimeSplit,
    /// Whether baselines are asked too. Default true.
    #[serde(default = "yes")]
    pub baselines: bool,
    /// A trained forecaster that every model learns from, beside the targets. It was fitted to the same
    /// training steps: those of a hold-out, a walk has others in every round. Default: none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub teacher: Option<RunTeacher>,
}

/// A teacher from a file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RunTeacher {
    /// What [`FittedForecaster::save`](crate::forecast::FittedForecaster::save) wrote.
    pub file: PathBuf,
    /// Its part in the loss.
    #[serde(default)]
    pub how: Distillation,
}

fn hold_out() -> TimeSplit {
    TimeSplit::HoldOut {
        validation: SplitPart::Fraction(0.1),
        test: SplitPart::Fraction(0.2),
        embargo: 0,
    }
}

fn yes() -> bool {
    true
}

impl ForecastRunConfig {
    /// Models for these columns and steps of a file.
    #[must_use]
    pub fn of_file(data: PathBuf, forecaster: ForecasterConfig) -> Self {
        Self {
            data: Some(data),
            ..Self::of(forecaster)
        }
    }

    /// The realised variance of made-up stocks, one to ten days ahead, from its own past, returns
    /// and volume.
    #[must_use]
    pub fn demo() -> Self {
        let series = SeriesConfig::new("date", ["realized_variance"])
            .with_series("ticker")
            .with_past(["close", "volume"]);
        let mut forecaster = ForecasterConfig::new(series, [1, 2, 5, 10].as_slice());
        forecaster.lookback = Some(64);
        forecaster.strategy = Strategy::Fast;
        use forge_data::SeriesTransform::{Log, Returns};
        for (column, transform) in [
            ("realized_variance", Log),
            ("close", Returns),
            ("volume", Log),
        ] {
            let scaler = forecaster.scaler.clone();
            forecaster.scaler = scaler.with_transform(column, transform);
        }
        Self::of(forecaster)
    }

    fn of(forecaster: ForecasterConfig) -> Self {
        Self {
            data: None,
            read: ReadOptions::default(),
            synthetic: BarMarketConfig::default(),
            forecaster,
            models: vec!["nlinear".into(), "dlinear".into()],
            split: hold_out(),
            baselines: true,
            teacher: None,
        }
    }

    /// Reads a TOML file. A relative `data` or teacher's `file` in it is relative to the file's folder.
    ///
    /// # Errors
    /// An I/O error, or an artifact error with line and key for a file that does not fit.
    pub fn from_toml_file(path: impl AsRef<Path>) -> Result<Self, Error> {
        let path = path.as_ref();
        let mut config: Self = toml_file(path)?;
        // An absolute path stays what it is.
        config.data = config.data.map(|data| beside(path, &data));
        if let Some(teacher) = &mut config.teacher {
            teacher.file = beside(path, &teacher.file);
        }
        Ok(config)
    }

    /// As TOML text.
    ///
    /// # Errors
    /// If a path is not UTF-8.
    pub fn to_toml(&self) -> Result<String, Error> {
        settings_text(self)
    }

    /// Sets one field by its place in the TOML: `forecaster.series.missing=forward`. The value is TOML
    /// too; what is none is taken for text.
    ///
    /// # Errors
    /// A config error for a place that there is not, or a value that does not fit it.
    pub fn set(&mut self, assignment: &str) -> Result<(), Error> {
        set_by_place(self, assignment)
    }

    /// The settings that the run in `folder` was started with, to go on with it.
    ///
    /// # Errors
    /// A config error if there is no run, saying what is missing; an artifact error if its
    /// `config.toml` is cut off or does not have every setting.
    pub fn of_run(folder: impl AsRef<Path>) -> Result<Self, Error> {
        RunFolder::settings(folder.as_ref())
    }

    /// The settings of one of the models.
    #[must_use]
    pub fn forecaster_of(&self, model: &SeriesModelChoice) -> ForecasterConfig {
        ForecasterConfig {
            model: model.clone(),
            ..self.forecaster.clone()
        }
    }

    /// Checks every field that does not depend on the series.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), Error> {
        self.synthetic.validate()?;
        if let Some(teacher) = &self.teacher {
            teacher.how.validate()?;
        }
        if self.models.is_empty() {
            let names = SeriesModelConfig::NAMES.join(", ");
            let allowed = format!("at least one of {names}");
            return Err(ForgeError::config("models", "[]", allowed).into());
        }
        for (i, model) in self.models.iter().enumerate() {
            if self.models[..i]
                .iter()
                .any(|other| other.name() == model.name())
            {
                let allowed = "each model once";
                return Err(ForgeError::config("models", model.name(), allowed).into());
            }
            self.forecaster_of(model).validate()?;
        }
        Ok(())
    }
}

impl RunSettings for ForecastRunConfig {
    fn files(&self) -> Vec<String> {
        let names = [
            "metrics.json",
            "model.safetensors",
            "report.html",
            "forecasts.csv",
        ];
        names.map(String::from).into()
    }

    /// What the models are compared with is no difference.
    fn check_resumable(&self, present: &Self, file: &Path) -> Result<(), Error> {
        let identity = |config: &Self| {
            let config = Self {
                baselines: present.baselines,
                ..config.clone()
            };
            serde_json::to_value(config).map_err(|e| ForgeError::artifact(file, e))
        };
        Ok(check_same(&identity(self)?, &identity(present)?, file)?)
    }
}
