//! Predicting several times.

use std::fmt;
use std::str::FromStr;

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// What makes predictions of the same rows differ, so that their mean and spread say more than one of them:
/// `members`, `dropout:30` or `noise:0.05` on a command line, a table in a file. Whatever it is, the
/// members of an ensemble each take part. A network that is an ensemble in itself (`tabm`) is asked for its
/// own members by `members`, and for their average in each pass of the others.
///
/// ```
/// use volatilityforge::{DropoutPasses, Inference};
///
/// let how: Inference = "dropout:50".parse()?;
/// assert_eq!(how, Inference::Dropout(DropoutPasses { passes: 50, seed: 0 }));
/// assert!("dropout:1".parse::<Inference>().is_err());
/// # Ok::<(), volatilityforge::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(tag = "name", rename_all = "snake_case")]
pub enum Inference {
    /// The members of an ensemble, once each (Lakshminarayanan et al. 2017, arXiv 1612.01474), those of
    /// a network that is one in itself among them.
    Members,
    /// Dropout stays on, norms rest (Gal and Ghahramani 2016, arXiv 1506.02142).
    Dropout(DropoutPasses),
    /// Test-time augmentation: numbers are moved a little, labels and missing values stay.
    Noise(NoisePasses),
}

/// Passes with dropout.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct DropoutPasses {
    /// How many of every member, 2 to 10,000. Default 30.
    pub passes: usize,
    /// What is dropped depends on it and on nothing else. Default 0.
    pub seed: u64,
}

impl Default for DropoutPasses {
    fn default() -> Self {
        Self {
            passes: 30,
            seed: 0,
        }
    }
}

/// Passes with noise.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct NoisePasses {
    /// How many of every member, 2 to 10,000. Default 30.
    pub passes: usize,
    /// Standard deviation of the normal noise on what the model sees of each numeric column, finite and
    /// above 0: in standard deviations of the column where it is standardised. Default 0.05.
    pub scale: f64,
    /// What is added depends on it and on nothing else. Default 0.
    pub seed: u64,
}

impl Default for NoisePasses {
    fn default() -> Self {
        Self {
            passes: 30,
            scale: 0.05,
            seed: 0,
        }
    }
}

impl Inference {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let passes = |passes| check::in_range("inference.passes", passes, 2..=10_000);
        match self {
            Self::Members => Ok(()),
            Self::Dropout(dropout) => passes(dropout.passes),
            Self::Noise(noise) => {
                passes(noise.passes)?;
                check::positive("inference.scale", noise.scale)
            }
        }
    }

    /// Passes of every member, and their seed.
    pub(super) fn passes(&self) -> (usize, u64) {
        match self {
            Self::Members => (1, 0),
            Self::Dropout(dropout) => (dropout.passes, dropout.seed),
            Self::Noise(noise) => (noise.passes, noise.seed),
        }
    }

    /// Standard deviation of the noise.
    pub(super) fn noise(&self) -> Option<f64> {
        match self {
            Self::Noise(noise) => Some(noise.scale),
            _ => None,
        }
    }

    /// What to do where it made no difference.
    pub(super) fn without_effect(&self, model: &str) -> ForgeError {
        ForgeError::unsupported(match self {
            Self::Members => format!(
                "the spread of one member: make an ensemble of several ({model} has one), or ask for \
                 dropout or noise"
            ),
            Self::Dropout(_) => format!(
                "Monte-Carlo dropout of this {model}, which drops nothing: train it with a dropout \
                 rate above 0, or ask for members of an ensemble or noise"
            ),
            Self::Noise(_) => {
                "noise on a table without numeric columns: make an ensemble, or ask for \
                 dropout"
                    .to_string()
            }
        })
    }
}

impl fmt::Display for Inference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Members => f.write_str("members"),
            Self::Dropout(dropout) => write!(f, "dropout:{}", dropout.passes),
            Self::Noise(noise) => write!(f, "noise:{},{}", noise.scale, noise.passes),
        }
    }
}

impl FromStr for Inference {
    type Err = ForgeError;

    /// Reads `members`, `dropout[:passes]` or `noise[:scale[,passes]]`.
    fn from_str(text: &str) -> Result<Self, ForgeError> {
        let refuse = || {
            let allowed = "members, dropout[:passes] or noise[:scale[,passes]]";
            ForgeError::config("inference", text, allowed)
        };
        let count = |text: &str| text.trim().parse::<usize>().map_err(|_| refuse());
        let (name, numbers) = text.split_once(':').unwrap_or((text, ""));
        let mut numbers = numbers.split(',').filter(|n| !n.trim().is_empty());
        let how = match name {
            "members" => Self::Members,
            "dropout" => {
                let mut dropout = DropoutPasses::default();
                if let Some(passes) = numbers.next() {
                    dropout.passes = count(passes)?;
                }
                Self::Dropout(dropout)
            }
            "noise" => {
                let mut noise = NoisePasses::default();
                if let Some(scale) = numbers.next() {
                    noise.scale = scale.trim().parse().map_err(|_| refuse())?;
                }
                if let Some(passes) = numbers.next() {
                    noise.passes = count(passes)?;
                }
                Self::Noise(noise)
            }
            _ => return Err(refuse()),
        };
        if numbers.next().is_some() {
            return Err(refuse());
        }
        how.validate()?;
        Ok(how)
    }
}
