//! What it costs to say something else than a teacher.

use burn::tensor::{Tensor, activation::log_softmax};
use forge_nn::ops::stop_gradient;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use super::{binary_cross_entropy, cross_entropy, same_shape};

/// How a student learns from a teacher: `(1 - weight) · hard + weight · soft`, where `hard` is the loss
/// against the targets and `soft` that against what the teacher says (Hinton et al. 2015,
/// "Distilling the Knowledge in a Neural Network", arXiv 1503.02531).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Distillation {
    /// Part of the teacher in the loss, in `[0, 1]`. Default ½.
    pub weight: f64,
    /// What logits of classes are divided by before both are compared, finite and above 0: above 1, what
    /// the teacher thinks of unlikely classes counts more. The loss is multiplied by its square,
    /// so that its gradients keep their size. Numbers do not use it. Default 2.
    pub temperature: f64,
}

impl Default for Distillation {
    fn default() -> Self {
        Self {
            weight: 0.5,
            temperature: 2.0,
        }
    }
}

impl Distillation {
    /// Checks both fields.
    ///
    /// # Errors
    /// A config error naming the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check::in_range("distillation.weight", self.weight, 0.0..=1.0)?;
        check::positive("distillation.temperature", self.temperature)
    }

    /// Both parts as one.
    ///
    /// # Shapes
    /// - hard, soft and output: the same, any
    #[must_use]
    pub fn mix<const D: usize>(&self, hard: Tensor<D>, soft: Tensor<D>) -> Tensor<D> {
        let hard = hard.mul_scalar(1.0 - self.weight);
        hard.add(soft.mul_scalar(self.weight))
    }

    /// The loss of one class among several, row by row: [`softened_divergence`] and
    /// [`cross_entropy`].
    ///
    /// # Shapes
    /// - logits, teacher: `[B, C]`
    /// - target: `[B]`, class numbers as floats
    /// - output: `[B]`
    ///
    /// # Panics
    /// If the shapes do not fit.
    #[must_use]
    pub fn forward(&self, logits: Tensor<2>, teacher: Tensor<2>, target: Tensor<1>) -> Tensor<1> {
        let soft = softened_divergence(logits.clone(), teacher, self.temperature);
        self.mix(cross_entropy(logits, target), soft)
    }
}

/// `T² KL(softmax(teacher/T) ‖ softmax(logits/T))`, row by row. The teacher has no gradient.
///
/// # Shapes
/// - logits, teacher: `[B, C]`
/// - output: `[B]`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn softened_divergence(logits: Tensor<2>, teacher: Tensor<2>, temperature: f64) -> Tensor<1> {
    same_shape("logits", &logits, &teacher);
    let log = |x: Tensor<2>| log_softmax(x.mul_scalar(1.0 / temperature), 1);
    let (teacher, student) = (log(stop_gradient(teacher)), log(logits));
    let divergence = teacher.clone().exp().mul(teacher.sub(student));
    divergence
        .sum_dim(1)
        .squeeze_dim::<1>(1)
        .mul_scalar(temperature * temperature)
}

/// [`softened_divergence`] of a yes or no, element by element, each a choice of its own. The teacher
/// has no gradient.
///
/// # Shapes
/// - logits, teacher: `[B, S]` (any rank)
/// - output: that of `logits`
///
/// # Panics
/// If the shapes differ; the message has both.
#[must_use]
pub fn binary_softened_divergence<const D: usize>(
    logits: Tensor<D>,
    teacher: Tensor<D>,
    temperature: f64,
) -> Tensor<D> {
    same_shape("logits", &logits, &teacher);
    let teacher = stop_gradient(teacher).mul_scalar(1.0 / temperature);
    let p = burn::tensor::activation::sigmoid(teacher.clone());
    let entropy = binary_cross_entropy(teacher, p.clone());
    binary_cross_entropy(logits.mul_scalar(1.0 / temperature), p)
        .sub(entropy)
        .mul_scalar(temperature * temperature)
}
