//! Gradient-boosted trees.

mod ensemble;
mod link;

use std::sync::atomic::AtomicBool;

use forge_nn::{ForgeError, check};
use rayon::prelude::*;

use super::{ClassBaseline, DenseColumns, FittedNumbers, NumberBaseline};
use crate::Error;
use ensemble::Ensemble;
use link::Link;

/// Gradient boosting over histograms (Friedman 2001; Chen and Guestrin 2016, arXiv 1603.02754),
/// whose trees the `forust-ml` crate grows: squared error for numbers, log loss for classes, of three
/// or more classes one tree per class and round on softmax.
///
/// The settings are such that its errors are those of scikit-learn's `HistGradientBoosting…` and of
/// LightGBM at their defaults, or less.
#[derive(Debug, Clone, Copy)]
pub struct BoostingBaseline {
    /// Trees, one after the other (of each class), at least 1. For numbers 150, for classes 100.
    pub rounds: usize,
    /// What of a tree's answer is added, in (0, 1]. Default 0.1.
    pub learning_rate: f64,
    /// Most decisions from root to leaf, at least 1. For numbers 6, for classes 8.
    pub max_depth: usize,
    /// Least sum of the loss's second derivatives in a leaf, above 0: for numbers rows (by weight), 20;
    /// for classes 2.
    pub min_leaf: f64,
    /// The squared penalty on what a leaf says, finite and at least 0. For numbers 0, for classes 1.
    pub l2: f64,
}

impl Default for BoostingBaseline {
    /// For numbers.
    fn default() -> Self {
        Self {
            rounds: 150,
            learning_rate: 0.1,
            max_depth: 6,
            min_leaf: 20.0,
            l2: 0.0,
        }
    }
}

impl BoostingBaseline {
    /// The settings for classes.
    #[must_use]
    pub fn for_classes() -> Self {
        Self {
            rounds: 100,
            learning_rate: 0.1,
            max_depth: 8,
            min_leaf: 2.0,
            l2: 1.0,
        }
    }

    fn validate(&self) -> Result<(), Error> {
        check::at_least_one("rounds", self.rounds)?;
        check::at_least_one("max_depth", self.max_depth)?;
        check::positive("learning_rate", self.learning_rate)?;
        check::positive("min_leaf", self.min_leaf)?;
        if !(self.l2 >= 0.0 && self.l2.is_finite()) {
            return Err(ForgeError::config("l2", self.l2, "finite and at least 0").into());
        }
        if self.learning_rate > 1.0 {
            return Err(ForgeError::config("learning_rate", self.learning_rate, "(0, 1]").into());
        }
        Ok(())
    }
}

impl NumberBaseline for BoostingBaseline {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn fit(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Box<dyn FittedNumbers>, Error> {
        self.validate()?;
        let ensemble = Ensemble::new(self, train, weights, stop)?;
        Ok(Box::new(ensemble.of_numbers(target)?))
    }

    /// The rows are put into bins once, and the threads share the targets.
    fn fit_each(
        &self,
        train: &DenseColumns,
        targets: &[Vec<f64>],
        weights: Option<&[f64]>,
        stop: &AtomicBool,
    ) -> Result<Vec<Box<dyn FittedNumbers>>, Error> {
        self.validate()?;
        let ensemble = Ensemble::new(self, train, weights, stop)?;
        let each = targets.par_iter().map(|target| ensemble.of_numbers(target));
        let each = each.collect::<Result<Vec<_>, Error>>()?.into_iter();
        Ok(each.map(|trees| Box::new(trees) as Box<_>).collect())
    }
}

impl ClassBaseline for BoostingBaseline {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn fit_predict(
        &self,
        train: &DenseColumns,
        labels: &[usize],
        n_classes: usize,
        weights: Option<&[f64]>,
        test: &DenseColumns,
        stop: &AtomicBool,
    ) -> Result<Vec<f64>, Error> {
        self.validate()?;
        check::in_range("n_classes", n_classes, 2..)?;
        let ensemble = Ensemble::new(self, train, weights, stop)?;
        let is = |class: usize, row: usize| if labels[row] == class { 1.0 } else { 0.0 };
        if n_classes == 2 {
            let of_one = ensemble.fit(Link::Logistic, 1, |_, row| is(1, row))?;
            let rows = of_one.expected(test).into_iter().flatten();
            return Ok(rows.flat_map(|p| [1.0 - p, p]).collect());
        }
        let each = ensemble.fit(Link::Softmax, n_classes, is)?.expected(test);
        let row = |row: usize| each.iter().map(move |p| p[row]);
        Ok((0..test.n_rows()).flat_map(row).collect())
    }
}
