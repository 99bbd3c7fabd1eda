//! What a row of each class counts.

use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

/// Factors on the loss of each class's rows.
///
/// In a file: `"none"`, `"balanced"`, or a list with one number per class. Weights shift what a
/// model predicts: with anything but `none`, probabilities are those of a world where classes are
/// as frequent as their weighted rows. To trade kinds of errors and keep honest probabilities, move
/// the [threshold](super::Threshold).
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClassWeights {
    /// Every row counts 1.
    #[default]
    None,
    /// `n / (C n_c)` for `n_c` of `n` training rows: every class counts as much as another, and the
    /// mean weight of a training row is 1. scikit-learn's `class_weight="balanced"`. Becomes the
    /// list when the objective is [fitted](super::Objective::fit).
    Balanced,
    /// One factor per class, each finite and above 0. `[1, p]` is the positive weight `p` of
    /// PyTorch's `BCEWithLogitsLoss`.
    #[serde(untagged)]
    Given(Vec<f64>),
}

impl ClassWeights {
    /// Checks a given list.
    ///
    /// # Errors
    /// A config error naming the entry, or another length than `n_classes`.
    pub(super) fn validate(&self, n_classes: usize) -> Result<(), ForgeError> {
        let Self::Given(weights) = self else {
            return Ok(());
        };
        if weights.len() != n_classes {
            return Err(ForgeError::config(
                "objective.class_weights.len",
                weights.len(),
                format!("the number of classes, {n_classes}"),
            ));
        }
        let named =
            |(i, w): (usize, &f64)| check::positive(&format!("objective.class_weights[{i}]"), *w);
        weights.iter().enumerate().try_for_each(named)
    }

    /// The balanced weights of these rows in place of the rule.
    pub(super) fn fit(&mut self, labels: &[usize], n_classes: usize) {
        if *self == Self::Balanced {
            let counts = class_counts(labels, n_classes);
            let n = labels.len() as f64;
            let weight = |count: &usize| n / (n_classes as f64 * *count as f64);
            *self = Self::Given(counts.iter().map(weight).collect());
        }
    }

    /// The list, if rows do not all count 1.
    ///
    /// # Panics
    /// If balanced weights were not fitted.
    pub(super) fn list(&self) -> Option<&[f64]> {
        assert!(
            *self != Self::Balanced,
            "balanced class weights are known once the objective has seen the training labels: \
             call `fit` before `loss`"
        );
        match self {
            Self::Given(weights) => Some(weights),
            _ => None,
        }
    }
}

/// Rows of each class, all of which must have one.
///
/// # Errors
/// A training error naming the first class without a row.
pub(super) fn check_classes(labels: &[usize], n_classes: usize) -> Result<(), ForgeError> {
    let counts = class_counts(labels, n_classes);
    let present = counts.iter().filter(|count| **count > 0).count();
    if present == 1 {
        return Err(ForgeError::training(format!(
            "all {} training rows are of class {}; a classifier needs rows of at least two classes: \
             check the target column and how rows were chosen",
            labels.len(),
            labels[0]
        )));
    }
    match counts.iter().position(|count| *count == 0) {
        None => Ok(()),
        Some(class) => Err(ForgeError::training(format!(
            "class {class} of 0..{n_classes} has no training row; leave it out of the classes, or \
             choose training rows of every class (a stratified split)"
        ))),
    }
}

fn class_counts(labels: &[usize], n_classes: usize) -> Vec<usize> {
    let mut counts = vec![0; n_classes];
    for label in labels {
        counts[*label] += 1;
    }
    counts
}
