//! Gradient-boosted trees.

use forge_nn::ForgeError;
use perpetual::objective::Objective;
use perpetual::{Matrix, PerpetualBooster};

use super::{Baseline, DenseColumns};
use crate::Error;

/// Gradient boosting that tunes itself (the `perpetual` crate).
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

impl Baseline for BoostingBaseline {
    fn name(&self) -> &'static str {
        "boosting"
    }

    fn fit_predict(
        &self,
        train: &DenseColumns,
        target: &[f64],
        test: &DenseColumns,
    ) -> Result<Vec<f64>, Error> {
        let fail = |e: &dyn std::fmt::Display| ForgeError::training(format!("boosting: {e}"));
        let mut booster = PerpetualBooster::default()
            .set_objective(Objective::SquaredLoss)
            .set_budget(self.budget)
            .set_memory_limit(Some(self.memory_gb));
        let matrix = Matrix::new(train.values(), train.n_rows(), train.n_columns());
        booster
            .fit(&matrix, target, None, None)
            .map_err(|e| fail(&e))?;
        let matrix = Matrix::new(test.values(), test.n_rows(), test.n_columns());
        Ok(booster.predict(&matrix, true))
    }
}
