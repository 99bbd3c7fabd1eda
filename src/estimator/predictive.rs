//! How sure a fitted model is of every row.

use forge_data::Table;
use forge_meta::bayesian::Predictive;

use super::{FittedModel, Inference};
use crate::Error;

impl FittedModel {
    /// What the model says of numbers in some rows (0-based) or all, and how sure it is: `N x S` means
    /// in the targets' units, with variances of noise (aleatoric) and of what the model does not know
    /// (epistemic), quantiles, draws and densities.
    ///
    /// Noise is told by the objectives `distribution` and `bars`. What the model does not know is told by
    /// its members or by dropout, as `how` says; without it the model is asked once, and only the family
    /// `evidential` tells of it.
    ///
    /// ```no_run
    /// use volatilityforge::{DeviceName, FittedModel, read_table};
    ///
    /// let model = FittedModel::load("model.safetensors", &DeviceName::Flex.open()?)?;
    /// let (new, _) = read_table("new.csv", &Default::default())?;
    /// let said = model.predictive(&new, None, Some(&"dropout:30".parse()?))?;
    /// for (mean, variance) in said.mean().iter().zip(said.epistemic()) {
    ///     println!("{mean} ± {}", variance.sqrt());
    /// }
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`predictions_spread`](Self::predictions_spread); an unsupported error for models of classes,
    /// whose doubt is [`SpreadPredictions::doubt`](forge_train::objective::SpreadPredictions::doubt), and
    /// of quantiles.
    pub fn predictive(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        how: Option<&Inference>,
    ) -> Result<Predictive, Error> {
        let answers = match how {
            None => vec![self.predictions_rows(table, rows)?],
            Some(how) => {
                let (answers, report) = self.answers_with_report(table, rows, how)?;
                report.refuse_mostly_unknown()?;
                answers
            }
        };
        Ok(Predictive::of_predictions(&answers)?)
    }
}
