//! What a step's loss is made of.

use burn::tensor::Tensor;

use crate::loss::Distillation;

/// What a loss looks at beside a model's outputs.
#[derive(Debug, Clone)]
pub struct LossInput {
    /// `[B, S]`, on the model's scale.
    pub target: Tensor<2>,
    /// What each row counts, `[B]`, finite and at least 0. Absent: all alike.
    pub weights: Option<Tensor<1>>,
    /// What a teacher says of each row, as [`teacher_values`](super::Objective::teacher_values) gives
    /// it, and how it is learnt from.
    pub teacher: Option<(Tensor<2>, Distillation)>,
    /// The loss's [moving numbers](super::Objective::moving). Absent: as they start.
    pub moving: Option<Tensor<1>>,
}

impl LossInput {
    /// Targets alone.
    #[must_use]
    pub fn new(target: Tensor<2>) -> Self {
        Self {
            target,
            weights: None,
            teacher: None,
            moving: None,
        }
    }
}

/// What came of a step.
#[derive(Debug, Clone)]
pub struct StepLoss {
    /// What training minimises, `[1]`.
    pub loss: Tensor<1>,
    /// What the [moving numbers](super::Objective::moving) move by, the mean over rows, one for each;
    /// absent where there are none.
    pub statistics: Option<Tensor<1>>,
}

/// The losses of rows.
#[derive(Debug, Clone)]
pub struct RowLosses {
    /// `[B]`.
    pub losses: Tensor<1>,
    /// What the moving numbers move by, `[B, M]`.
    pub statistics: Option<Tensor<2>>,
}

impl From<Tensor<1>> for RowLosses {
    fn from(losses: Tensor<1>) -> Self {
        Self {
            losses,
            statistics: None,
        }
    }
}
