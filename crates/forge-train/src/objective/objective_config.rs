//! Objectives by name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{
    Bars, Binary, ClassWeights, Distribution, Family, Multiclass, Objective, Predictions,
    Quantiles, Regression, ReturnsDirection, RowLosses, Scale, Targets,
};
use crate::loss::{ClassLoss, DistributionLoss, LossConfig};
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
    /// [`Binary`]; `binary[:balanced]`, or a loss as [`ClassLoss`] takes it.
    Binary(Binary),
    /// [`Multiclass`]; `multiclass[:balanced]`, or a loss as [`ClassLoss`] takes it.
    Multiclass(Multiclass),
    /// [`Distribution`]; `distribution[:gaussian]`, `distribution:student_t`,
    /// `distribution:evidential`, or a loss of the normal one as [`DistributionLoss`] takes it.
    Distribution(Distribution),
    /// [`Bars`]; `bars[:buckets]`.
    Bars(Bars),
    /// [`ReturnsDirection`]; `returns_direction[:loss]`, the loss as [`LossConfig`] takes it.
    ReturnsDirection(ReturnsDirection),
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
            ObjectiveConfig::ReturnsDirection($objective) => $call,
        }
    };
}

impl ObjectiveConfig {
    /// All names, as [`FromStr`] takes them.
    pub const NAMES: [&'static str; 7] = [
        "regression",
        "quantiles",
        "binary",
        "multiclass",
        "distribution",
        "bars",
        "returns_direction",
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
            Self::ReturnsDirection(_) => "returns_direction",
        }
    }

    /// Takes over the threshold of `other`, chosen on rows that this one cannot be tuned by. Nothing is
    /// done unless both are binary.
    pub fn take_threshold_of(&mut self, other: &Self) {
        if let (Self::Binary(own), Self::Binary(other)) = (self, other) {
            own.threshold = other.threshold;
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

    fn fit_scales(&mut self, scales: &[Scale]) -> Result<(), ForgeError> {
        dispatch!(self, objective => objective.fit_scales(scales))
    }

    fn reduce(&self, losses: Tensor<1>, weights: Option<Tensor<1>>) -> Tensor<1> {
        dispatch!(self, objective => objective.reduce(losses, weights))
    }

    fn rows_interact(&self) -> bool {
        dispatch!(self, objective => objective.rows_interact())
    }

    fn moving(&self) -> Vec<f64> {
        dispatch!(self, objective => objective.moving())
    }

    fn moving_row_losses(&self, y: Tensor<2>, target: Tensor<2>, moving: Tensor<1>) -> RowLosses {
        dispatch!(self, objective => objective.moving_row_losses(y, target, moving))
    }

    fn moved(&self, moving: Tensor<1>, statistics: Tensor<1>) -> Tensor<1> {
        dispatch!(self, objective => objective.moved(moving, statistics))
    }

    fn teacher_values(
        &self,
        teacher: &Predictions,
        scales: &[Scale],
    ) -> Result<Vec<f64>, ForgeError> {
        dispatch!(self, objective => objective.teacher_values(teacher, scales))
    }

    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        dispatch!(self, objective => objective.teacher_losses(y, teacher, temperature))
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
            "binary" => {
                let (class_weights, loss) = of_classes(text, settings)?;
                Self::Binary(Binary {
                    class_weights,
                    loss,
                    ..Binary::default()
                })
            }
            "multiclass" => {
                let (class_weights, loss) = of_classes(text, settings)?;
                Self::Multiclass(Multiclass {
                    class_weights,
                    loss,
                    ..Multiclass::default()
                })
            }
            "distribution" => {
                let (family, loss) = of_distribution(text, settings)?;
                Self::Distribution(Distribution {
                    family,
                    loss,
                    ..Distribution::default()
                })
            }
            "returns_direction" => Self::ReturnsDirection(ReturnsDirection {
                loss: settings.map_or_else(|| Ok(LossConfig::default()), str::parse)?,
                ..ReturnsDirection::default()
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

/// Weights of classes or a loss.
fn of_classes(text: &str, settings: Option<&str>) -> Result<(ClassWeights, ClassLoss), ForgeError> {
    let weights = match settings {
        None | Some("none") => ClassWeights::None,
        Some("balanced") => ClassWeights::Balanced,
        Some(loss) if is_named(loss, &ClassLoss::NAMES) => {
            return Ok((ClassWeights::None, loss.parse()?));
        }
        Some(_) => {
            let allowed = "none, balanced, cross_entropy or focal[:gamma] after the colon; other \
                           settings go into a config file";
            return Err(ForgeError::config("objective", text, allowed));
        }
    };
    Ok((weights, ClassLoss::default()))
}

/// A family, or a loss of the normal one.
fn of_distribution(
    text: &str,
    settings: Option<&str>,
) -> Result<(Family, DistributionLoss), ForgeError> {
    match settings {
        None => Ok(Default::default()),
        Some(loss) if is_named(loss, &DistributionLoss::NAMES) => {
            Ok((Family::Gaussian, loss.parse()?))
        }
        Some(family) => {
            let family = family.parse().map_err(|_| {
                let allowed = "gaussian, student_t, evidential, or a loss of the normal distribution \
                               (nll, beta_nll[:beta], crps) after the colon";
                ForgeError::config("objective", text, allowed)
            })?;
            Ok((family, DistributionLoss::default()))
        }
    }
}

/// Whether a text begins with one of these names.
fn is_named(text: &str, names: &[&str]) -> bool {
    let name = text.split(':').next().unwrap_or_default();
    names.contains(&name)
}
