//! Losses of classes by name.

use std::fmt;
use std::str::FromStr;

use burn::tensor::Tensor;
use forge_nn::ForgeError;
use serde::{Deserialize, Serialize};

use super::{Focal, binary_cross_entropy, binary_focal, focal, smoothed, smoothed_cross_entropy};

/// What a wrong or unsure class costs: `{ name = "focal", gamma = 2.0 }` in a file, `focal:2` on a
/// command line.
///
/// ```
/// use forge_train::loss::{ClassLoss, Focal};
///
/// let loss: ClassLoss = "focal:1.5".parse()?;
/// assert_eq!(loss, ClassLoss::Focal(Focal { gamma: 1.5 }));
/// assert!("focal:-1".parse::<ClassLoss>().is_err());
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum ClassLoss {
    /// The log loss: [`smoothed_cross_entropy`] and [`binary_cross_entropy`] of
    /// [`smoothed`] targets; `cross_entropy`.
    #[default]
    CrossEntropy,
    /// [`Focal`]; `focal[:gamma]`.
    Focal(Focal),
}

impl ClassLoss {
    /// All names, as [`FromStr`] takes them.
    pub const NAMES: [&'static str; 2] = ["cross_entropy", "focal"];

    /// Checks the loss's own fields, and whether labels can be smoothed for it.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self, label_smoothing: f64) -> Result<(), ForgeError> {
        let Self::Focal(focal) = self else {
            return Ok(());
        };
        if label_smoothing != 0.0 {
            return Err(ForgeError::config(
                "label_smoothing",
                label_smoothing,
                "0 with the focal loss, which is of certain labels; or take the loss cross_entropy",
            ));
        }
        focal.validate()
    }

    /// The loss of every row of a yes or no.
    ///
    /// # Shapes
    /// - logits, target: any, target 0 and 1
    /// - output: the same
    ///
    /// # Panics
    /// If the shapes differ.
    #[must_use]
    pub fn binary<const D: usize>(
        &self,
        logits: Tensor<D>,
        target: Tensor<D>,
        label_smoothing: f64,
    ) -> Tensor<D> {
        match self {
            Self::CrossEntropy => {
                binary_cross_entropy(logits, smoothed(target, label_smoothing, 2))
            }
            Self::Focal(loss) => binary_focal(logits, target, loss.gamma, None),
        }
    }

    /// The loss of every row of one class among several.
    ///
    /// # Shapes
    /// - logits: `[B, C]`
    /// - target: `[B]`, class numbers as floats
    /// - output: `[B]`
    ///
    /// # Panics
    /// If the numbers of rows differ.
    #[must_use]
    pub fn multiclass(
        &self,
        logits: Tensor<2>,
        target: Tensor<1>,
        label_smoothing: f64,
    ) -> Tensor<1> {
        match self {
            Self::CrossEntropy => smoothed_cross_entropy(logits, target, label_smoothing),
            Self::Focal(loss) => focal(logits, target, loss.gamma, None),
        }
    }
}

impl fmt::Display for ClassLoss {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::CrossEntropy => f.write_str("cross_entropy"),
            Self::Focal(loss) => write!(f, "focal:{}", loss.gamma),
        }
    }
}

impl FromStr for ClassLoss {
    type Err = ForgeError;

    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let refuse = |allowed: &str| ForgeError::config("loss", text, allowed);
        let (name, number) = match text.split_once(':') {
            Some((name, number)) => {
                let number = number.trim().parse::<f64>();
                (
                    name,
                    Some(number.map_err(|_| refuse("a number after the colon"))?),
                )
            }
            None => (text, None),
        };
        let loss = match (name, number) {
            ("cross_entropy", None) => Self::CrossEntropy,
            ("focal", gamma) => {
                Self::Focal(gamma.map_or_else(Focal::default, |gamma| Focal { gamma }))
            }
            _ => return Err(refuse("cross_entropy or focal[:gamma]")),
        };
        loss.validate(0.0)?;
        Ok(loss)
    }
}
