//! How long windows are.

use serde::{Deserialize, Serialize};

use crate::DataError;

/// Which steps ahead are forecast.
///
/// As TOML or JSON, a number of steps or a list of steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Horizon {
    /// Steps 1 to this many.
    Steps(usize),
    /// These steps, ascending, from 1: `[1, 5, 20]`.
    List(Vec<usize>),
}

impl From<usize> for Horizon {
    fn from(steps: usize) -> Self {
        Self::Steps(steps)
    }
}

impl From<&[usize]> for Horizon {
    fn from(steps: &[usize]) -> Self {
        Self::List(steps.into())
    }
}

impl Horizon {
    /// Number of forecast steps, `H`.
    #[must_use]
    pub fn count(&self) -> usize {
        match self {
            Self::Steps(steps) => *steps,
            Self::List(steps) => steps.len(),
        }
    }

    /// The farthest step, `H_max`.
    #[must_use]
    pub fn last(&self) -> usize {
        match self {
            Self::Steps(steps) => *steps,
            Self::List(steps) => steps.last().copied().unwrap_or(0),
        }
    }

    /// The steps, from 1.
    pub fn steps(&self) -> impl Iterator<Item = usize> {
        let (range, list): (_, &[usize]) = match self {
            Self::Steps(steps) => (1..steps + 1, &[]),
            Self::List(steps) => (0..0, steps),
        };
        range.chain(list.iter().copied())
    }
}

/// A series that is shorter than one window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ShortSeries {
    /// An error that names it.
    #[default]
    Refuse,
    /// No window is made of it; [`Windows::left_out`](super::Windows::left_out) lists it.
    LeaveOut,
}

/// How long windows are. As TOML or JSON, unknown keys are refused.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WindowConfig {
    /// Past steps, `L`, at least 1.
    pub lookback: usize,
    /// Forecast steps, `H`, at least 1.
    pub horizon: Horizon,
    /// Steps from one window of a series to the next, at least 1. Default: 1.
    #[serde(default = "one")]
    pub stride: usize,
    /// Past steps that a window must have, 1 to `lookback`; the others are masked at its start.
    /// Default: `lookback`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_lookback: Option<usize>,
    /// A series that is shorter than one window. Default: refused.
    #[serde(default)]
    pub short_series: ShortSeries,
    /// Whether batches have calendar fields. Default: true.
    #[serde(default = "yes")]
    pub calendar: bool,
}

fn one() -> usize {
    1
}

fn yes() -> bool {
    true
}

/// Steps that a window may have: 2^20 one-second bars are twelve days.
const MOST: usize = 1 << 20;

impl WindowConfig {
    /// Windows at every step.
    #[must_use]
    pub fn new(lookback: usize, horizon: impl Into<Horizon>) -> Self {
        Self {
            lookback,
            horizon: horizon.into(),
            stride: 1,
            min_lookback: None,
            short_series: ShortSeries::default(),
            calendar: true,
        }
    }

    /// With a window only every so many steps.
    #[must_use]
    pub fn with_stride(mut self, stride: usize) -> Self {
        self.stride = stride;
        self
    }

    /// Past steps that a window must have.
    pub(super) fn least(&self) -> usize {
        self.min_lookback.unwrap_or(self.lookback)
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        let within = |name: &str, value: usize, most: usize| {
            if (1..=most).contains(&value) {
                return Ok(());
            }
            Err(DataError::config(format!(
                "{name} = {value} is out of range: allowed 1 to {most}"
            )))
        };
        within("lookback", self.lookback, MOST)?;
        within("stride", self.stride, MOST)?;
        if let Some(least) = self.min_lookback {
            within("min_lookback", least, self.lookback)?;
        }
        match &self.horizon {
            Horizon::Steps(steps) => within("horizon", *steps, MOST),
            Horizon::List(steps) if steps.is_empty() => Err(DataError::config(
                "horizon is an empty list: allowed are a number of steps, or steps such as \
                 [1, 5, 20]",
            )),
            Horizon::List(steps) => {
                for step in steps {
                    within("a step of horizon", *step, MOST)?;
                }
                match steps.windows(2).find(|pair| pair[0] >= pair[1]) {
                    Some(pair) => Err(DataError::config(format!(
                        "horizon has {} before {}: its steps must ascend",
                        pair[0], pair[1]
                    ))),
                    None => Ok(()),
                }
            }
        }
    }
}
