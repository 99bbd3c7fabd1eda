//! Losses by name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{
    Asymmetric, Combined, Huber, LogCosh, Mae, Mse, Qlike, Quantile, RegressionLoss, Tukey, Wing,
};

/// A loss and its parameters: `{"name": "huber", "delta": 1.0}` in JSON or TOML, `huber` or
/// `huber:0.5` on a command line.
///
/// ```
/// use forge_train::loss::{Huber, LossConfig};
///
/// let loss: LossConfig = "huber:0.5".parse()?;
/// assert_eq!(loss, LossConfig::Huber(Huber { delta: 0.5 }));
/// assert!("hubert".parse::<LossConfig>().is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum LossConfig {
    /// [`Huber`]; `huber[:delta]`.
    Huber(Huber),
    /// [`Mse`]; `mse`.
    Mse(Mse),
    /// [`Mae`]; `mae`.
    Mae(Mae),
    /// [`LogCosh`]; `log_cosh`.
    LogCosh(LogCosh),
    /// [`Quantile`]; `quantile[:q1,q2,…]`.
    Quantile(Quantile),
    /// [`Wing`]; `wing[:width,epsilon]`.
    Wing(Wing),
    /// [`Tukey`]; `tukey[:c]`.
    Tukey(Tukey),
    /// [`Asymmetric`]; `asymmetric[:under_weight,over_weight]`.
    Asymmetric(Asymmetric),
    /// [`Qlike`]; `qlike[:scale]`.
    Qlike(Qlike),
    /// [`Combined`]; `0.7*huber:0.5 + 0.3*mae`.
    Combined(Combined),
}

/// Calls `$method` of whichever loss it is.
macro_rules! dispatch {
    ($self:expr, $loss:ident => $call:expr) => {
        match $self {
            LossConfig::Huber($loss) => $call,
            LossConfig::Mse($loss) => $call,
            LossConfig::Mae($loss) => $call,
            LossConfig::LogCosh($loss) => $call,
            LossConfig::Quantile($loss) => $call,
            LossConfig::Wing($loss) => $call,
            LossConfig::Tukey($loss) => $call,
            LossConfig::Asymmetric($loss) => $call,
            LossConfig::Qlike($loss) => $call,
            LossConfig::Combined($loss) => $call,
        }
    };
}

impl LossConfig {
    /// All names, as [`FromStr`] takes them, but for sums.
    pub const NAMES: [&'static str; 9] = [
        "huber",
        "mse",
        "mae",
        "log_cosh",
        "quantile",
        "wing",
        "tukey",
        "asymmetric",
        "qlike",
    ];

    /// The loss's name.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Huber(_) => "huber",
            Self::Mse(_) => "mse",
            Self::Mae(_) => "mae",
            Self::LogCosh(_) => "log_cosh",
            Self::Quantile(_) => "quantile",
            Self::Wing(_) => "wing",
            Self::Tukey(_) => "tukey",
            Self::Asymmetric(_) => "asymmetric",
            Self::Qlike(_) => "qlike",
            Self::Combined(_) => "combined",
        }
    }

    /// Outputs that the loss compares with one target: the number of quantiles, else 1.
    #[must_use]
    pub fn outputs_per_target(&self) -> usize {
        match self {
            Self::Quantile(q) => q.quantiles.len(),
            _ => 1,
        }
    }

    /// [`validate`](RegressionLoss::validate), for predictions of one number per target.
    pub(crate) fn validate_for_one_output(&self, field: &str) -> Result<(), ForgeError> {
        if matches!(self, Self::Quantile(_)) {
            return Err(ForgeError::config(
                field,
                self,
                "a loss of one output per target; for quantiles use the objective 'quantiles'",
            ));
        }
        self.validate()
    }
}

impl Default for LossConfig {
    fn default() -> Self {
        Self::Huber(Huber::default())
    }
}

impl RegressionLoss for LossConfig {
    fn validate(&self) -> Result<(), ForgeError> {
        dispatch!(self, loss => loss.validate())
    }

    fn elementwise<const D: usize>(&self, pred: Tensor<D>, target: Tensor<D>) -> Tensor<D> {
        dispatch!(self, loss => loss.elementwise(pred, target))
    }
}

impl fmt::Display for LossConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for LossConfig {
    type Err = ForgeError;

    /// Reads `name` or `name:number,number,…`; what is left out keeps its default. A sum is written
    /// `weight*loss + weight*loss`.
    fn from_str(text: &str) -> Result<Self, ForgeError> {
        if text.contains('*') {
            let loss = Self::Combined(Combined::parse(text)?);
            loss.validate()?;
            return Ok(loss);
        }
        let (name, numbers) = text.split_once(':').unwrap_or((text, ""));
        let numbers = numbers
            .split(',')
            .map(str::trim)
            .filter(|n| !n.is_empty())
            .map(|n| {
                n.parse::<f64>()
                    .map_err(|_| ForgeError::config("loss", text, "numbers after the colon"))
            })
            .collect::<Result<Vec<f64>, _>>()?;
        let at = |i: usize, default: f64| numbers.get(i).copied().unwrap_or(default);
        let (loss, takes) = match name {
            "huber" => (Self::Huber(Huber { delta: at(0, 1.0) }), 1),
            "mse" => (Self::Mse(Mse {}), 0),
            "mae" => (Self::Mae(Mae {}), 0),
            "log_cosh" => (Self::LogCosh(LogCosh {}), 0),
            "quantile" => {
                let quantiles = if numbers.is_empty() {
                    vec![0.5]
                } else {
                    numbers.clone()
                };
                (Self::Quantile(Quantile { quantiles }), usize::MAX)
            }
            "wing" => {
                let (width, epsilon) = (at(0, 10.0), at(1, 2.0));
                (Self::Wing(Wing { width, epsilon }), 2)
            }
            "qlike" => (Self::Qlike(Qlike { scale: at(0, 1.0) }), 1),
            "tukey" => (Self::Tukey(Tukey { c: at(0, 4.685) }), 1),
            "asymmetric" => {
                let (under_weight, over_weight) = (at(0, 1.0), at(1, 1.0));
                let loss = Asymmetric {
                    under_weight,
                    over_weight,
                };
                (Self::Asymmetric(loss), 2)
            }
            _ => {
                let names = Self::NAMES.join(", ");
                let allowed = format!("one of {names}, or a sum such as 0.7*huber + 0.3*mae");
                return Err(ForgeError::config("loss", text, allowed));
            }
        };
        if numbers.len() > takes {
            let allowed = format!("{name} with at most {takes} number(s)");
            return Err(ForgeError::config("loss", text, allowed));
        }
        loss.validate()?;
        Ok(loss)
    }
}
