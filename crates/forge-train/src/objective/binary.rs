//! Yes or no.

use burn::tensor::Tensor;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::class_weights::check_classes;
use super::outputs::{Outputs, ln_probability, no_yes};
use super::slot_scores::{check_rows, no_teacher, wrong_kind};
use super::{ClassWeights, Objective, Predictions, Scale, Targets, Threshold, view};
use crate::is_default::is_default;
use crate::loss::{ClassLoss, binary_softened_divergence};
use crate::metric::{
    ConfusionMatrix, Direction, Scores, auroc, average_precision, brier, log_loss,
};

/// Predicts the probability of class 1 against class 0, from one logit, by the
/// [binary cross-entropy](crate::loss::binary_cross_entropy) or the
/// [focal loss](crate::loss::binary_focal).
///
/// Scores: `log_loss`, `auroc`, `average_precision`, then at the threshold `accuracy`,
/// `balanced_accuracy`, `f1` (of class 1), `mcc`, then `brier`. Where the scored rows are all of one
/// class, `auroc` and `average_precision` are undefined.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Binary {
    /// What a wrong or unsure row costs. Default: the log loss.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: ClassLoss,
    /// What rows of class 0 and of class 1 count in training. Default: all the same.
    pub class_weights: ClassWeights,
    /// Part of each label that is spread evenly over both classes in training, in `[0, 1)`. Default 0.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
    /// From which probability on a row is taken for class 1. Default ½.
    pub threshold: Threshold,
}

impl Objective for Binary {
    fn validate(&self) -> Result<(), ForgeError> {
        self.class_weights.validate(2)?;
        check::probability("objective.label_smoothing", self.label_smoothing)?;
        self.loss.validate(self.label_smoothing)?;
        self.threshold.validate()
    }

    fn slots(&self) -> usize {
        1
    }

    fn width(&self) -> usize {
        1
    }

    fn n_classes(&self) -> Option<usize> {
        Some(2)
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        let labels = target.labels(2)?;
        check_classes(&labels, 2)?;
        self.class_weights.fit(&labels, 2);
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let (y, target) = view::slots(y, target, 1, 1);
        let losses = (self.loss).binary(y.squeeze_dim(2), target.clone(), self.label_smoothing);
        let losses = match self.class_weights.list() {
            // w₀ + (w₁ - w₀) t; with a target between 0 and 1 as well.
            Some(w) => losses.mul(target.mul_scalar(w[1] - w[0]).add_scalar(w[0])),
            None => losses,
        };
        losses.squeeze_dim(1)
    }

    /// One logit per row.
    fn teacher_values(&self, teacher: &Predictions, _: &[Scale]) -> Result<Vec<f64>, ForgeError> {
        let Ok((p, _)) = parts(teacher) else {
            return Err(no_teacher(teacher));
        };
        let logit = |p: &[f64]| ln_probability(p[1]) - ln_probability(p[0]);
        Ok(p.chunks_exact(2).map(logit).collect())
    }

    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        let (y, teacher) = view::slots(y, teacher, 1, 1);
        binary_softened_divergence(y.squeeze_dim(2), teacher, temperature).squeeze_dim(1)
    }

    fn decode(&self, outputs: &[f64], _: &[Scale]) -> Result<Predictions, ForgeError> {
        let outputs = Outputs::new(outputs, 1, 1)?;
        let both = outputs.slots().flat_map(|(_, y)| no_yes(y[0]));
        Ok(Predictions::Probabilities {
            n_classes: 2,
            threshold: Some(self.threshold.value()),
            values: both.collect(),
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        let (p, classes) = parts(pred)?;
        check_rows(pred, target, 1)?;
        let labels = target.labels(2)?;
        let of_one = of_class_one(p);
        let positive: Vec<bool> = labels.iter().map(|label| *label == 1).collect();
        let mut scores = Scores::new().minimize("log_loss", log_loss(p, 2, &labels, None)?);
        if positive.contains(&true) && positive.contains(&false) {
            scores = scores
                .maximize("auroc", auroc(&of_one, &positive, None)?)
                .maximize(
                    "average_precision",
                    average_precision(&of_one, &positive, None)?,
                );
        } else {
            for name in ["auroc", "average_precision"] {
                scores = scores.undefined(name, Direction::Maximize);
            }
        }
        let m = ConfusionMatrix::compute(&classes, &labels, 2, None)?;
        Ok(scores
            .maximize("accuracy", m.accuracy())
            .maximize("balanced_accuracy", m.balanced_accuracy())
            .maximize("f1", m.f1(1))
            .maximize("mcc", m.mcc())
            .minimize("brier", brier(p, 2, &labels, None)?))
    }

    fn tunes(&self) -> bool {
        !matches!(self.threshold, Threshold::Fixed(_))
    }

    fn tune(&mut self, pred: &Predictions, target: &Targets) -> Result<(), ForgeError> {
        let (p, _) = parts(pred)?;
        check_rows(pred, target, 1)?;
        self.threshold.tune(&of_class_one(p), &target.labels(2)?)
    }
}

/// Probabilities of two classes, and the class of each row.
fn parts(pred: &Predictions) -> Result<(&[f64], Vec<usize>), ForgeError> {
    match (pred, pred.classes()) {
        (
            Predictions::Probabilities {
                n_classes: 2,
                values,
                ..
            },
            Some(classes),
        ) => Ok((values, classes)),
        _ => Err(wrong_kind(pred, "probabilities of two classes")),
    }
}

fn of_class_one(probabilities: &[f64]) -> Vec<f64> {
    probabilities.iter().skip(1).step_by(2).copied().collect()
}
