//! From a file to a file.

use std::path::Path;

use forge_data::{
    DataError, Passage, ReadOptions, ReadReport, Table, TransformReport, read_table_or,
};
use forge_meta::bayesian::Predictive;
use forge_nn::ForgeError;
use forge_train::metric::Scores;
use forge_train::objective::{Predictions, SpreadPredictions};

use super::{OutputColumns, PredictionAccount};
use crate::{Error, FittedModel, Inference};

/// How a file is predicted.
#[derive(Debug, Clone, PartialEq)]
pub struct PredictionConfig {
    /// How it is read. [`PredictionConfig::of`] takes what the model was trained with.
    pub read: ReadOptions,
    /// What the predictions' file holds beside them. Default: everything.
    pub columns: OutputColumns,
    /// Predicts several times, in this way, and writes the mean with what the ways tell of doubt.
    /// Default: once.
    pub inference: Option<Inference>,
    /// Which quantiles of the targets are written beside predicted distributions, in `(0, 1)`. Default:
    /// 0.05 and 0.95, or those that the model is calibrated at, which it has no others beside.
    pub quantiles: Vec<f64>,
    /// Whether a column may have mostly labels that training did not have. Default: refused.
    pub allow_unknown_labels: bool,
}

impl PredictionConfig {
    /// As the model's training file was read.
    #[must_use]
    pub fn of(model: &FittedModel) -> Self {
        Self {
            read: model.read_options(),
            columns: OutputColumns::default(),
            inference: None,
            quantiles: match model.calibrated_quantiles() {
                [] => vec![0.05, 0.95],
                calibrated => calibrated.to_vec(),
            },
            allow_unknown_labels: false,
        }
    }
}

/// Predictions, with their doubt where there are several.
enum Said {
    Once(Predictions),
    Often(SpreadPredictions, Option<Predictive>),
}

impl Said {
    fn mean(&self) -> &Predictions {
        match self {
            Self::Once(predictions) => predictions,
            Self::Often(said, _) => &said.mean,
        }
    }
}

/// Refuses to write over what is read: with predictions alone the data would be lost.
///
/// # Errors
/// A config error.
pub(crate) fn refuse_itself(data: &Path, to: &Path) -> Result<(), Error> {
    let (Ok(read), Ok(written)) = (data.canonicalize(), to.canonicalize()) else {
        // What is not there is not written over.
        return Ok(());
    };
    if read != written {
        return Ok(());
    }
    let allowed = "another file than the one that is read";
    Err(ForgeError::config("out", to.display(), allowed).into())
}

impl FittedModel {
    /// Predicts every row of the file `data` and writes the file `to`: what `data` holds, cell by
    /// cell as it is written there, and the predictions beside it; or the predictions alone. The
    /// ending says whether CSV or Parquet is written.
    ///
    /// Only the model's columns need to be right. Targets that are missing, all or some, or cannot
    /// be read, do not stand in the way: [`PredictionAccount`] says what was scored.
    ///
    /// # Errors
    /// Those of [`read_table`](crate::read_table) for the model's columns, of [`predictions`](Self::predictions) and of
    /// [`Passage::write`].
    ///
    /// ```no_run
    /// use volatilityforge::prediction::PredictionConfig;
    /// use volatilityforge::{DeviceName, FittedModel};
    ///
    /// let model = FittedModel::load("model.safetensors", &DeviceName::Flex.open()?)?;
    /// let config = PredictionConfig::of(&model);
    /// println!("{}", model.predict_file("new.csv", "predicted.csv", &config)?);
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    pub fn predict_file(
        &self,
        data: impl AsRef<Path>,
        to: impl AsRef<Path>,
        config: &PredictionConfig,
    ) -> Result<PredictionAccount, Error> {
        let data = data.as_ref();
        for q in &config.quantiles {
            if !(*q > 0.0 && *q < 1.0) {
                return Err(ForgeError::config("quantiles", q, "above 0 and below 1").into());
            }
        }
        refuse_itself(data, to.as_ref())?;
        // Before the time is spent. What is not there is for the reader to say.
        if config.columns == OutputColumns::All && data.exists() {
            Passage::check(data)?;
        }
        let (table, read, unreadable) = self.read_to_predict(data, &config.read)?;
        let in_file = |error: Error| error.in_file(data);
        let (said, transform) = self.said(&table, None, config).map_err(in_file)?;
        if !config.allow_unknown_labels {
            transform
                .refuse_mostly_unknown()
                .map_err(|e| in_file(e.into()))?;
        }
        let mut account = PredictionAccount {
            targets: self.target_names().into_iter().map(String::from).collect(),
            model: self.model().name().into(),
            rows: table.n_rows(),
            read,
            transform,
            scores: None,
            scored: 0,
            not_scored: unreadable.map(|error| error.to_string()),
            calibration: self.calibration().cloned(),
            no_quantiles: self.no_quantiles(&said),
        };
        if account.not_scored.is_none() {
            match self.score(&table, &said, config) {
                Ok(None) => {}
                Ok(Some((scores, rows))) => {
                    (account.scores, account.scored) = (Some(scores), rows);
                }
                Err(error) => account.not_scored = Some(error.to_string()),
            }
        }
        let columns = match said {
            Said::Once(predictions) => {
                let mut columns = self.columns_of(&predictions)?;
                columns.extend(self.quantile_columns(&predictions, &config.quantiles)?);
                columns
            }
            Said::Often(said, predictive) => {
                self.columns_with_doubt(&said, predictive.as_ref(), &config.quantiles)?
            }
        };
        match config.columns {
            OutputColumns::All => Passage::of(&account.read, &config.read)?.write(to, &columns)?,
            OutputColumns::Predictions => Table::new(columns)?.write(to)?,
        }
        Ok(account)
    }

    /// What the model says of some rows, or of all.
    fn said(
        &self,
        table: &Table,
        rows: Option<&[usize]>,
        config: &PredictionConfig,
    ) -> Result<(Said, TransformReport), Error> {
        Ok(match &config.inference {
            None => {
                let (predictions, report) = self.predictions_with_report(table, rows)?;
                (Said::Once(predictions), report)
            }
            Some(how) => {
                let (answers, report) = self.answers_with_report(table, rows, how)?;
                let said = SpreadPredictions::of(&answers)?;
                let predictive = match (how, &said.mean) {
                    (Inference::Noise(_), _)
                    | (_, Predictions::Probabilities { .. } | Predictions::Quantiles { .. }) => {
                        None
                    }
                    _ => Some(Predictive::of_predictions(&answers)?),
                };
                (Said::Often(said, predictive), report)
            }
        })
    }

    /// Why there are no quantiles, where somebody asked how sure the model is.
    fn no_quantiles(&self, said: &Said) -> Option<String> {
        let Said::Often(_, Some(predictive)) = said else {
            return None;
        };
        let without = self.calibrated_quantiles().is_empty() && !predictive.has_noise();
        (!predictive.is_empty() && without).then(|| {
            format!(
                "epistemic deviations are of what the model does not know; {} tells nothing of the \
                 noise around it, so no quantiles: train with the objective 'distribution' for them",
                self.objective()
            )
        })
    }

    /// Reads the model's columns, and the targets where the file has them and they can be read;
    /// where not, the error.
    fn read_to_predict(
        &self,
        data: &Path,
        options: &ReadOptions,
    ) -> Result<(Table, ReadReport, Option<DataError>), Error> {
        let read = read_table_or(data, options, |error| {
            let mut needed = options.only.clone()?;
            for target in self.target_names() {
                needed.remove(target);
            }
            let without = options.clone().with_only(needed.iter().cloned());
            (!needed.is_empty() && !error.is_io()).then_some(without)
        });
        Ok(read?)
    }

    /// Scores the rows that have all targets, and how many these are; none for a table without the
    /// columns.
    fn score(
        &self,
        table: &Table,
        said: &Said,
        config: &PredictionConfig,
    ) -> Result<Option<(Scores, usize)>, Error> {
        let targets = self.target_names();
        if !targets.iter().all(|target| table.column(target).is_ok()) {
            return Ok(None);
        }
        let rows = table.rows_with_values(&targets)?;
        if rows.is_empty() {
            let message = "no row has a value";
            return Err(DataError::value(message)
                .at_column(targets.join(", "))
                .into());
        }
        let scores = if rows.len() == table.n_rows() {
            self.scores_of(said.mean(), &self.targets_of(table, None)?)?
        } else {
            let (said, _) = self.said(table, Some(&rows), config)?;
            self.scores_of(said.mean(), &self.targets_of(table, Some(&rows))?)?
        };
        Ok(Some((scores, rows.len())))
    }
}
