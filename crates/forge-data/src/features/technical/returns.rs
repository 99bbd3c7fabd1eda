//! From close to close.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::streaming::Streaming;

/// How a return is counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnKind {
    /// `ln(Cₜ/Cₜ₋₁)`: returns over several bars are their sum.
    #[default]
    Log,
    /// `Cₜ/Cₜ₋₁ − 1`.
    Simple,
}

/// The close before and the one now.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Change {
    previous: Option<f64>,
}

impl Change {
    /// The previous close, if there is one.
    pub(in crate::features) fn push(&mut self, close: f64) -> Option<f64> {
        self.previous.replace(close)
    }

    /// The log return.
    pub(in crate::features) fn log(&mut self, close: f64) -> Option<f64> {
        Some((close / self.push(close)?).ln())
    }
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Returns {
    kind: ReturnKind,
    close: Change,
}

impl Returns {
    pub(in crate::features) fn new(kind: ReturnKind) -> Self {
        Self {
            kind,
            close: Change::default(),
        }
    }
}

impl Streaming for Returns {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        match self.kind {
            ReturnKind::Log => self.close.log(bar.close),
            ReturnKind::Simple => Some(bar.close / self.close.push(bar.close)? - 1.0),
        }
    }
}
