//! What a forecaster is made of.

use forge_data::features::BarFeatures;
use forge_data::{Horizon, ScalerConfig, SeriesConfig, SplitPart, WindowConfig};
use forge_models::{Recipe, SeriesModelConfig, Strategy};
use forge_nn::{ForgeError, check};
use forge_train::TrainerConfig;
use forge_train::objective::{ObjectiveConfig, Quantiles};
use serde::{Deserialize, Serialize};

use super::{AdaptiveConfig, PointForecast, SeriesModelChoice};
use crate::estimator::{TrainingSettings, series_training};
use crate::settings::text_or_table;
use crate::{Error, Refit, ensemble};

/// Columns, windows, model, objective and training: the one home of these settings.
///
/// Absent fields take their defaults; unknown ones are an error.
///
/// ```
/// use volatilityforge::data::SeriesConfig;
/// use volatilityforge::forecast::ForecasterConfig;
///
/// let series = SeriesConfig::new("date", ["close"]);
/// let mut config = ForecasterConfig::new(series, 5);
/// config.model = "nlinear".into();
/// config.lookback = Some(60);
/// config.validate()?;
/// config.model = "nliner".into();
/// assert!(config.validate().is_err());
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ForecasterConfig {
    /// What the columns are.
    pub series: SeriesConfig,
    /// Which steps are forecast: a number of steps, or a list of them.
    pub horizon: Horizon,
    /// Steps that the model sees. Default: four times the farthest step, 32 to 512 of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lookback: Option<usize>,
    /// Past steps that a window must have, for models that take padded ones. Default: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_lookback: Option<usize>,
    /// Steps from one training window to the next. Default 1.
    #[serde(default = "one")]
    pub stride: usize,
    /// Features that the forecaster makes of the bars in a table, by itself: a set's name
    /// (`"technical_25"`), or a table with set, columns and what becomes of bad cells. They are columns
    /// of the past beside `series.past`, and a part of the model's file: raw bars are what it takes, in
    /// tables and row by row. Default: none.
    #[serde(
        default,
        deserialize_with = "text_or_table",
        skip_serializing_if = "Option::is_none"
    )]
    pub features: Option<BarFeatures>,
    /// Columns of `series.past` that together are the vector of a foundation model, in their order
    /// there: their values at the last past step, scaled as all columns are, go into the model.
    /// Default: none.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub embedding: Vec<String>,
    /// Whether the calendar of the steps is an input, where the model takes it or numbers that are
    /// known ahead, and steps are regular. Default true.
    #[serde(default = "yes")]
    pub calendar: bool,
    /// Which network. Default `nlinear`.
    #[serde(default = "default_model")]
    pub model: SeriesModelChoice,
    /// Its size where it is only named, and how long it is trained. Default balanced.
    #[serde(default)]
    pub strategy: Strategy,
    /// What the outputs mean. Default: the quantiles 0.05, 0.1, 0.25, 0.5, 0.75, 0.9 and 0.95, which
    /// cannot cross. `"regression:qlike"` forecasts the mean of a variance under a logarithm.
    #[serde(
        default,
        deserialize_with = "text_or_table",
        skip_serializing_if = "Option::is_none"
    )]
    pub objective: Option<ObjectiveConfig>,
    /// How columns are scaled, by training steps alone. Default: each series standardised.
    #[serde(default)]
    pub scaler: ScalerConfig,
    /// The steps before the end that `fit` holds out for early stopping and calibration. Default: a
    /// tenth.
    #[serde(default = "tenth")]
    pub validation: SplitPart,
    /// Whether intervals are widened or narrowed by what the validation steps show (split conformal
    /// prediction). Default true; without quantiles it has no effect.
    #[serde(default = "yes")]
    pub conformal: bool,
    /// Lets intervals follow what happens after the fit, in backtests and streams: what moves, at which rate.
    /// Default: they stay; with it, an objective with quantiles or a distribution is needed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub adaptive: Option<AdaptiveConfig>,
    /// What the single value of a forecast is: `median`, `mean` or `mean_by_all`. Default median.
    #[serde(default)]
    pub point: PointForecast,
    /// Networks that are trained and whose forecasts are averaged, 1 to 100. They differ by their seed
    /// alone: `training.seed`, and from one to the next 1,000 more. Intervals and mean are corrected for
    /// all together. Default 1.
    #[serde(default = "one")]
    pub ensemble: usize,
    /// Whether the networks are trained again, to the end of the validation steps, once these have shown
    /// for how many epochs: twice the time and more, for forecasts that know the newest steps. Scales,
    /// calibration of intervals and means stay those of the first run. Not with `training.max_seconds`,
    /// `snapshots`, `soup` or a rate that follows the scores. Default false.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub refit: bool,
    /// How to train, where it differs from the model's preset.
    #[serde(default)]
    pub training: TrainingSettings,
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

fn tenth() -> SplitPart {
    SplitPart::Fraction(0.1)
}

fn default_model() -> SeriesModelChoice {
    "nlinear".into()
}

/// Quantiles of a forecast where nothing else is asked for: the bands of 50, 80 and 90 %.
const LEVELS: [f64; 7] = [0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95];

impl ForecasterConfig {
    /// The defaults for these columns and steps.
    #[must_use]
    pub fn new(series: SeriesConfig, horizon: impl Into<Horizon>) -> Self {
        Self {
            series,
            horizon: horizon.into(),
            lookback: None,
            min_lookback: None,
            stride: one(),
            features: None,
            embedding: Vec::new(),
            calendar: true,
            model: default_model(),
            strategy: Strategy::default(),
            objective: None,
            scaler: ScalerConfig::default(),
            validation: tenth(),
            conformal: true,
            adaptive: None,
            point: PointForecast::default(),
            ensemble: one(),
            refit: false,
            training: TrainingSettings::default(),
        }
    }

    /// Steps that the model sees.
    #[must_use]
    pub fn lookback(&self) -> usize {
        let usual = || self.horizon.last().saturating_mul(4).clamp(32, 512);
        self.lookback.unwrap_or_else(usual)
    }

    /// What the outputs mean.
    #[must_use]
    pub fn objective(&self) -> ObjectiveConfig {
        self.objective.clone().unwrap_or_else(|| {
            ObjectiveConfig::Quantiles(Quantiles {
                quantiles: LEVELS.to_vec(),
                ..Quantiles::default()
            })
        })
    }

    /// The trainer's settings for so many training windows.
    pub(super) fn trainer(&self, windows: usize) -> Result<TrainerConfig, Error> {
        let preset = SeriesModelConfig::preset(self.model.name(), self.strategy)?.training;
        let preset = series_training(preset, &Recipe::default(), self.strategy, windows)?;
        Ok(self.training.apply(preset, windows)?)
    }

    /// The windows, before it is known whether they have a calendar.
    pub(super) fn windows(&self) -> WindowConfig {
        WindowConfig {
            stride: self.stride,
            min_lookback: self.min_lookback,
            calendar: self.calendar,
            ..WindowConfig::new(self.lookback(), self.horizon.clone())
        }
    }

    /// Checks every field that does not depend on the series.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range; an unsupported error for
    /// an objective that the model does not go with.
    pub fn validate(&self) -> Result<(), Error> {
        self.series.validate()?;
        self.series_features()?;
        self.windows().validate()?;
        let name = self.model.name();
        let capabilities = SeriesModelConfig::capabilities_of(name)?;
        self.model.config(self.strategy)?;
        if self
            .min_lookback
            .is_some_and(|least| least < self.lookback())
            && !capabilities.valid
        {
            let allowed = format!("absent: {name} takes whole windows only");
            let value = self.min_lookback.unwrap_or_default();
            return Err(ForgeError::config("min_lookback", value, allowed).into());
        }
        if let Some(column) = self
            .embedding
            .iter()
            .find(|c| !self.series.past.contains(*c))
        {
            let allowed = "a column of series.past";
            return Err(ForgeError::config("embedding", column, allowed).into());
        }
        if !self.embedding.is_empty() && !capabilities.embedding {
            let what = format!("{name} takes no embedding: leave it out");
            return Err(ForgeError::unsupported(what).into());
        }
        let objective = self.objective();
        super::objective::check(&objective, name, capabilities)?;
        super::objective::check_qlike(&objective, &self.series.targets, &self.scaler)?;
        if let Some(adaptive) = &self.adaptive {
            adaptive.validate()?;
            if super::objective::levels(&self.objective()).is_empty() {
                let allowed = "absent where the objective says no quantiles";
                return Err(ForgeError::config("adaptive", "set", allowed).into());
            }
        }
        if let SplitPart::Fraction(part) = self.validation {
            check::probability("validation", part)?;
        }
        ensemble::check_size(self.ensemble)?;
        if self.refit {
            Refit::check(&self.trainer(10_000)?)?;
        }
        if self.training.augmentation.is_some() {
            let allowed = "absent: they are for table rows, not for windows of series";
            return Err(ForgeError::config("training.augmentation", "set", allowed).into());
        }
        if self
            .training
            .sampler
            .as_ref()
            .is_some_and(|s| s.key().is_some())
        {
            let allowed = "one that goes by no column: a window is no row";
            return Err(ForgeError::config("training.sampler", "set", allowed).into());
        }
        Ok(())
    }
}
