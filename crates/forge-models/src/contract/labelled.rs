//! Labelled rows: what their targets are, and how a model is given them.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// What the targets of labelled rows are.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Labels {
    /// Numbers on the model's scale, so many a row; at least 1.
    Numbers(usize),
    /// The number of a class, below this; at least 2 classes.
    Classes(usize),
}

impl Labels {
    /// Targets per row.
    #[must_use]
    pub fn columns(self) -> usize {
        match self {
            Self::Numbers(columns) => columns,
            Self::Classes(_) => 1,
        }
    }

    /// What an output of width `d_out` says where nothing else does: one number, or classes.
    #[must_use]
    pub fn of_width(d_out: usize) -> Self {
        match d_out {
            0 | 1 => Self::Numbers(1),
            classes => Self::Classes(classes),
        }
    }

    /// Checks `rows` rows of targets, called `name` in errors, by their shape alone.
    ///
    /// # Errors
    /// A shape error with both shapes.
    pub fn check(self, name: &str, target: &Tensor<2>, rows: usize) -> Result<(), ForgeError> {
        let [found, columns] = target.dims();
        if [found, columns] == [rows, self.columns()] {
            return Ok(());
        }
        let expected = format!("[{rows}, {}]", self.columns());
        Err(ForgeError::shape(
            name,
            format!("[{found}, {columns}]"),
            expected,
        ))
    }

    /// Checks the values: class numbers of classes that there are, finite numbers. Reads them back
    /// from the device.
    ///
    /// # Errors
    /// A shape error naming row and value; a weights error if they cannot be read.
    pub fn check_values(self, name: &str, target: &Tensor<2>) -> Result<(), ForgeError> {
        let values = target
            .clone()
            .try_into_vec_as::<f64>()
            .map_err(|e| ForgeError::weights(format!("{name} cannot be read back: {e}")))?;
        let good = |value: f64| match self {
            Self::Numbers(_) => value.is_finite(),
            Self::Classes(n) => value >= 0.0 && value < n as f64 && value.fract() == 0.0,
        };
        let Some(at) = values.iter().position(|value| !good(*value)) else {
            return Ok(());
        };
        let allowed = match self {
            Self::Numbers(_) => "finite".to_string(),
            Self::Classes(n) => format!("a class number in 0..{n}"),
        };
        let what = format!("{name}[{}]", at / self.columns());
        Err(ForgeError::shape(what, values[at], allowed))
    }

    /// Checks the sizes, of the field `labels`.
    ///
    /// # Errors
    /// A config error naming the field.
    pub(crate) fn validate(self) -> Result<(), ForgeError> {
        match self {
            Self::Numbers(n) => check::in_range("labels.numbers", n, 1..=65_536),
            Self::Classes(n) => check::in_range("labels.classes", n, 2..=65_536),
        }
    }
}

/// How a model of labelled rows is given them.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LabelledRows {
    /// Most training rows that it keeps and predicts from; of more, evenly spread ones.
    pub most: usize,
    /// What it looks at while it is trained.
    pub training: TrainingContext,
}

/// What the rows of a training batch look at.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum TrainingContext {
    /// One half of the batch is the context of the other, as in the training of a prior-fitted
    /// network.
    HalfBatch,
    /// The training rows outside the batch, or a part of them; and the other rows of the batch,
    /// whose [targets](crate::TabularInput::target) are in the input.
    OtherRows {
        /// Part of the rows outside the batch, in `(0, 1]`, drawn anew at every step.
        fraction: f64,
    },
}

impl LabelledRows {
    /// As usual, but no more than `limit` rows.
    #[must_use]
    pub fn within(limit: usize) -> Self {
        let usual = Self::default();
        Self {
            most: usual.most.min(limit),
            ..usual
        }
    }
}

impl Default for LabelledRows {
    /// Up to 1000 rows, since the cost of attention grows with their square; halves of batches.
    fn default() -> Self {
        Self {
            most: 1_000,
            training: TrainingContext::HalfBatch,
        }
    }
}
