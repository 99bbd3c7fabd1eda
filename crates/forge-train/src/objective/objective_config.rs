//! Objectives by name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{
    Bars, Binary, ClassWeights, Distribution, Multiclass, Objective, Predictions, Quantiles,
    Regression, Scale, Targets,
};
use crate::loss::LossConfig;
use crate::metric::Scores;

/// An objective and its settings: `{"name": "quantiles", "quantiles": [0.1, 0.5, 0.9]}` in JSON or
/// TOML, `quantiles:0.1,0.5,0.9` on a command line.
///
/// ```
/// use forge_train::objective::{Objective, ObjectiveConfig};
///
/// let objective: ObjectiveConfig = "quantiles:0.05,0.5,0.95".parse()?;
/// assert_eq!(objective.d_out(), 3);
/// let levels = objective.decode(&[0.0, -1e4, 1e4], &[forge_train::objective::Scale::IDENTITY])?;
/// assert_eq!(levels.quantile(0.95)?, [1e4]);
/// assert!("quantiles:0.9,0.1".parse::<ObjectiveConfig>().is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ObjectiveConfig {
    /// [`Regression`]; `regression[:loss]`, the loss as [`LossConfig`] takes it.
    Regression(Regression),
    /// [`Quantiles`]; `quantiles[:q1,q2,…]`.
    Quantiles(Quantiles),
    /// [`Binary`]; `binary[:balanced]`.
    Binary(Binary),
    /// [`Multiclass`]; `multiclass[:balanced]`.
    Multiclass(Multiclass),
    /// [`Distribution`]; `distribution[:gaussian]` or `distribution:student_t`.
    Distribution(Distribution),
    /// [`Bars`]; `bars[:buckets]`.
    Bars(Bars),
}

/// Calls `$call` on whichever objective it is.
macro_rules! dispatch {
    ($self:expr, $objective:ident => $call:expr) => {
        match $self {
            ObjectiveConfig::Regression($objective) => $call,
            ObjectiveConfig::Quantiles($objective) => $call,
            ObjectiveConfig::Binary($objective) => $call,
            ObjectiveConfig::Multiclass($objective) => $call,
            ObjectiveConfig::Distribution($objective) => $call,
            ObjectiveConfig::Bars($objective) => $call,
        }
    };
}

impl ObjectiveConfig {
    /// All names, as [`FromStr`] takes them.
    pub const NAMES: [&'static str; 6] = [
        "regression",
        "quantiles",
        "binary",
        "multiclass",
        "distribution",
        "bars",
    ];

    /// The objective's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Regression(_) => "regression",
            Self::Quantiles(_) => "quantiles",
            Self::Binary(_) => "binary",
            Self::Multiclass(_) => "multiclass",
            Self::Distribution(_) => "distribution",
            Self::Bars(_) => "bars",
        }
    }
}

impl Default for ObjectiveConfig {
    fn default() -> Self {
        Self::Regression(Regression::default())
    }
}

impl Objective for ObjectiveConfig {
    fn validate(&self) -> Result<(), ForgeError> {
        dispatch!(self, objective => objective.validate())
    }

    fn slots(&self) -> usize {
        dispatch!(self, objective => objective.slots())
    }

    fn width(&self) -> usize {
        dispatch!(self, objective => objective.width())
    }

    fn n_classes(&self) -> Option<usize> {
        dispatch!(self, objective => objective.n_classes())
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        dispatch!(self, objective => objective.fit(target))
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        dispatch!(self, objective => objective.row_losses(y, target))
    }

    fn decode(&self, outputs: &[f64], scales: &[Scale]) -> Result<Predictions, ForgeError> {
        dispatch!(self, objective => objective.decode(outputs, scales))
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        dispatch!(self, objective => objective.scores(pred, target))
    }

    fn tunes(&self) -> bool {
        dispatch!(self, objective => objective.tunes())
    }

    fn tune(&mut self, pred: &Predictions, target: &Targets) -> Result<(), ForgeError> {
        dispatch!(self, objective => objective.tune(pred, target))
    }
}

impl fmt::Display for ObjectiveConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for ObjectiveConfig {
    type Err = ForgeError;

    /// Reads `name` or `name:settings`; what is left out keeps its default.
    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let (name, settings) = match text.split_once(':') {
            Some((name, settings)) => (name, Some(settings)),
            None => (text, None),
        };
        let objective = match name {
            "regression" => Self::Regression(Regression {
                loss: settings.map_or_else(|| Ok(LossConfig::default()), str::parse)?,
                ..Regression::default()
            }),
            "quantiles" => {
                let mut objective = Quantiles::default();
                if let Some(list) = settings {
                    let numbers = list.split(',').map(|q| q.trim().parse::<f64>());
                    objective.quantiles = numbers.collect::<Result<_, _>>().map_err(|_| {
                        ForgeError::config("objective", text, "numbers after the colon")
                    })?;
                }
                Self::Quantiles(objective)
            }
            "binary" => Self::Binary(Binary {
                class_weights: class_weights(text, settings)?,
                ..Binary::default()
            }),
            "multiclass" => Self::Multiclass(Multiclass {
                class_weights: class_weights(text, settings)?,
                ..Multiclass::default()
            }),
            "distribution" => Self::Distribution(Distribution {
                family: settings.map_or_else(|| Ok(super::Family::default()), str::parse)?,
                ..Distribution::default()
            }),
            "bars" => {
                let mut objective = Bars::default();
                if let Some(count) = settings {
                    objective.buckets = count.trim().parse().map_err(|_| {
                        ForgeError::config("objective", text, "a number of buckets after the colon")
                    })?;
                }
                Self::Bars(objective)
            }
            _ => {
                let allowed = format!("one of {}", Self::NAMES.join(", "));
                return Err(ForgeError::config("objective", text, allowed));
            }
        };
        objective.validate()?;
        Ok(objective)
    }
}

fn class_weights(text: &str, settings: Option<&str>) -> Result<ClassWeights, ForgeError> {
    match settings {
        None | Some("none") => Ok(ClassWeights::None),
        Some("balanced") => Ok(ClassWeights::Balanced),
        Some(_) => {
            let allowed = "none or balanced after the colon; a list goes into a config file";
            Err(ForgeError::config("objective", text, allowed))
        }
    }
}
