//! Gradient-boosted trees.

use forge_nn::ForgeError;
use perpetual::objective::Objective;
use perpetual::{Matrix, PerpetualBooster};

use super::{ClassBaseline, DenseColumns, NumberBaseline};
use crate::Error;

/// Gradient boosting that tunes itself (the `perpetual` crate): squared error for numbers, log loss
/// for classes. Of three or more classes each is learnt against the rest, with half the budget, and
/// a row's probabilities are divided by their sum.
#[derive(Debug, Clone, Copy)]
pub struct BoostingBaseline {
    /// How hard it tries: 0.5 quick, 1.0 usual, 2.0 slow. Default 1.0.
    pub budget: f32,
    /// Memory it may take, in GB; without a limit it takes most of what the machine has free.
    /// Default 0.8.
    pub memory_gb: f32,
}

impl Default for BoostingBaseline {
    fn default() -> Self {
        Self {
            budget: 1.0,
            memory_gb: 0.8,
        }
    }
}

impl BoostingBaseline {
    fn fit(
        &self,
        objective: Objective,
        budget: f32,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
    ) -> Result<PerpetualBooster, Error> {
        let mut booster = PerpetualBooster::default()
            .set_objective(objective)
            .set_budget(budget)
            .set_memory_limit(Some(self.memory_gb));
        booster
            .fit(&matrix(train), target, weights, None)
            .map_err(|e| ForgeError::training(format!("boosting: {e}")))?;
        Ok(booster)
    }
}

impl NumberBaseline for BoostingBaseline {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        weights: Option<&[f64]>,
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error> {
        let booster = self.fit(Objective::SquaredLoss, self.budget, train, target, weights)?;
        Ok(booster.predict(&matrix(test), true))
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
    ) -> Result<Vec<f64>, Error> {
        let against_the_rest = |class: usize, budget: f32| -> Result<Vec<f64>, Error> {
            let is = |label: &usize| if *label == class { 1.0 } else { 0.0 };
            let target: Vec<f64> = labels.iter().map(is).collect();
            let booster = self.fit(Objective::LogLoss, budget, train, &target, weights)?;
            Ok(booster.predict_proba(&matrix(test), true, false))
        };
        if n_classes == 2 {
            let of_one = against_the_rest(1, self.budget)?;
            return Ok(of_one.into_iter().flat_map(|p| [1.0 - p, p]).collect());
        }
        let each = (0..n_classes)
            .map(|class| against_the_rest(class, self.budget / 2.0))
            .collect::<Result<Vec<_>, _>>()?;
        let row = |row: usize| -> Vec<f64> {
            let sum: f64 = each.iter().map(|p| p[row]).sum();
            let share = |p: f64| {
                if sum > 0.0 {
                    p / sum
                } else {
                    1.0 / n_classes as f64
                }
            };
            each.iter().map(|p| share(p[row])).collect()
        };
        Ok((0..test.n_rows()).flat_map(row).collect())
    }
}

fn matrix(data: &DenseColumns) -> Matrix<'_, f64> {
    Matrix::new(data.values(), data.n_rows(), data.n_columns())
}
