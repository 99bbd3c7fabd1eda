//! One of several classes.

use burn::tensor::{Tensor, TensorData};
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::class_weights::check_classes;
use super::outputs::{Outputs, ln_probability};
use super::slot_scores::{check_rows, no_teacher, wrong_kind};
use super::{ClassWeights, Objective, Predictions, Scale, Targets, view};
use crate::is_default::is_default;
use crate::loss::{ClassLoss, softened_divergence};
use crate::metric::{ConfusionMatrix, Direction, Scores, auroc_one_vs_rest, brier, log_loss};

/// Predicts the probability of each of `C` classes, from one logit per class, by the
/// [cross-entropy](crate::loss::smoothed_cross_entropy) or the [focal loss](crate::loss::focal).
///
/// Scores: `log_loss`, `accuracy`, `balanced_accuracy`, `auroc` (one against the rest, mean over
/// classes), `brier`. Where a class has none of the scored rows, `auroc` is undefined.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Multiclass {
    /// `C`, at least 2; set by [`fit`](Objective::fit) to what the training labels have. Default 2.
    pub n_classes: usize,
    /// What a wrong or unsure row costs. Default: the log loss.
    #[serde(skip_serializing_if = "is_default")]
    pub loss: ClassLoss,
    /// What rows of each class count in training. Default: all the same.
    pub class_weights: ClassWeights,
    /// Part of each label that is spread evenly over all classes in training, in `[0, 1)`. Default 0.
    #[serde(skip_serializing_if = "is_default")]
    pub label_smoothing: f64,
}

impl Default for Multiclass {
    fn default() -> Self {
        Self {
            n_classes: 2,
            loss: ClassLoss::CrossEntropy,
            class_weights: ClassWeights::None,
            label_smoothing: 0.0,
        }
    }
}

impl Objective for Multiclass {
    fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("objective.n_classes", self.n_classes, 2..)?;
        check::probability("objective.label_smoothing", self.label_smoothing)?;
        self.loss.validate(self.label_smoothing)?;
        self.class_weights.validate(self.n_classes)
    }

    fn slots(&self) -> usize {
        1
    }

    fn width(&self) -> usize {
        self.n_classes
    }

    fn n_classes(&self) -> Option<usize> {
        Some(self.n_classes)
    }

    fn fit(&mut self, target: &Targets) -> Result<(), ForgeError> {
        // Every class has a row, so there are no more classes than rows.
        let labels = target.labels(target.rows())?;
        let n_classes = labels.iter().max().map_or(0, |largest| largest + 1);
        check_classes(&labels, n_classes)?;
        self.n_classes = n_classes;
        self.class_weights.fit(&labels, n_classes);
        self.validate()
    }

    fn row_losses(&self, y: Tensor<2>, target: Tensor<2>) -> Tensor<1> {
        let (y, target) = view::slots(y, target, 1, self.n_classes);
        let target = target.squeeze_dim::<1>(1);
        let y = y.squeeze_dim(1);
        let losses = (self.loss).multiclass(y, target.clone(), self.label_smoothing);
        match self.class_weights.list() {
            Some(w) => {
                let w = TensorData::new(w.to_vec(), [self.n_classes]);
                let w = Tensor::<1>::from_data(w, (&losses.device(), losses.dtype()));
                losses.mul(w.select(0, target.int()))
            }
            None => losses,
        }
    }

    /// The logarithms of the probabilities, `[N, C]`: logits of the same classes.
    fn teacher_values(&self, teacher: &Predictions, _: &[Scale]) -> Result<Vec<f64>, ForgeError> {
        match teacher {
            Predictions::Probabilities {
                n_classes, values, ..
            } if *n_classes == self.n_classes => {
                Ok(values.iter().map(|p| ln_probability(*p)).collect())
            }
            Predictions::Probabilities { n_classes, .. } => Err(ForgeError::shape(
                "the teacher's predictions",
                format!("{n_classes} classes"),
                format!("the student's {}", self.n_classes),
            )),
            _ => Err(no_teacher(teacher)),
        }
    }

    fn teacher_losses(&self, y: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
        let (y, teacher) = view::slots(y, teacher, self.n_classes, 1);
        softened_divergence(y.squeeze_dim(2), teacher, temperature)
    }

    fn decode(&self, outputs: &[f64], _: &[Scale]) -> Result<Predictions, ForgeError> {
        let outputs = Outputs::new(outputs, 1, self.n_classes)?;
        let mut values = Vec::new();
        for (_, logits) in outputs.slots() {
            let largest = logits.iter().fold(f64::NEG_INFINITY, |m, x| m.max(*x));
            let sum: f64 = logits.iter().map(|x| (x - largest).exp()).sum();
            values.extend(logits.iter().map(|x| (x - largest).exp() / sum));
        }
        Ok(Predictions::Probabilities {
            n_classes: self.n_classes,
            threshold: None,
            values,
        })
    }

    fn scores(&self, pred: &Predictions, target: &Targets) -> Result<Scores, ForgeError> {
        let c = self.n_classes;
        let (p, classes) = match (pred, pred.classes()) {
            (
                Predictions::Probabilities {
                    n_classes, values, ..
                },
                Some(classes),
            ) if *n_classes == c => (values, classes),
            _ => return Err(wrong_kind(pred, &format!("probabilities of {c} classes"))),
        };
        check_rows(pred, target, 1)?;
        let labels = target.labels(c)?;
        let m = ConfusionMatrix::compute(&classes, &labels, c, None)?;
        let mut scores = Scores::new()
            .minimize("log_loss", log_loss(p, c, &labels, None)?)
            .maximize("accuracy", m.accuracy())
            .maximize("balanced_accuracy", m.balanced_accuracy());
        if (0..c).all(|class| m.of_class(class) > 0.0) {
            scores = scores.maximize("auroc", auroc_one_vs_rest(p, c, &labels, None)?);
        } else {
            scores = scores.undefined("auroc", Direction::Maximize);
        }
        Ok(scores.minimize("brier", brier(p, c, &labels, None)?))
    }
}
