//! What a fitted model says, put right by rows that it has not learned from.

use std::fmt::{self, Display};

use forge_data::Table;
use forge_nn::ForgeError;
use forge_train::calibration::{ConformalQuantiles, Temperature};
use forge_train::loss::check_quantiles;
use forge_train::metric::significant;
use forge_train::objective::{Objective, ObjectiveConfig, Predictions, Targets};
use serde::{Deserialize, Serialize};

use super::FittedModel;
use crate::Error;

/// How a fitted model is calibrated.
///
/// ```
/// use volatilityforge::CalibrationConfig;
///
/// assert_eq!(CalibrationConfig::default().quantiles, [0.05, 0.95]);
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CalibrationConfig {
    /// Which quantiles of numbers are made to hold, in `(0, 1)`, rising; those of the objective `quantiles` are
    /// its own. Default 0.05 and 0.95, between which 90 % lie.
    pub quantiles: Vec<f64>,
}

impl Default for CalibrationConfig {
    fn default() -> Self {
        Self {
            quantiles: vec![0.05, 0.95],
        }
    }
}

impl CalibrationConfig {
    /// Checks the quantiles.
    ///
    /// # Errors
    /// A config error naming one that is outside `(0, 1)` or not above the one before it.
    pub fn validate(&self) -> Result<(), ForgeError> {
        check_quantiles("quantiles", &self.quantiles)
    }

    /// Which quantiles a model with this objective is calibrated at.
    fn levels(&self, objective: &ObjectiveConfig) -> Vec<f64> {
        match objective {
            ObjectiveConfig::Quantiles(own) => own.quantiles.clone(),
            _ => self.quantiles.clone(),
        }
    }

    /// Checks that there are rows enough.
    ///
    /// # Errors
    /// A config error saying how many are wanted.
    pub(super) fn check_rows(
        &self,
        objective: &ObjectiveConfig,
        rows: usize,
    ) -> Result<(), ForgeError> {
        let least = match objective.n_classes() {
            Some(_) => 1,
            None => ConformalQuantiles::least_rows(&self.levels(objective)),
        };
        if rows >= least {
            return Ok(());
        }
        let allowed = format!(
            "at least {least} to calibrate by: hold back more rows, ask for quantiles nearer to 0.5, \
             or do not calibrate"
        );
        Err(ForgeError::config("validation rows", rows, allowed))
    }
}

/// What puts a model's predictions right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Calibration {
    /// Probabilities of classes are those of their logarithms over a temperature: as often right as they say.
    Temperature(Temperature),
    /// Quantiles of numbers are moved so far that as few rows lie beyond them as they say.
    Quantiles(ConformalQuantiles),
}

impl Display for Calibration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Temperature(temperature) => {
                write!(f, "temperature {}", significant(temperature.temperature()))
            }
            Self::Quantiles(quantiles) => {
                let levels = quantiles.levels().iter().map(f64::to_string);
                let levels: Vec<_> = levels.collect();
                let (levels, rows) = (levels.join(", "), quantiles.rows());
                write!(f, "quantiles {levels}, by {rows} rows")
            }
        }
    }
}

impl Calibration {
    /// Checks what was read from a file.
    ///
    /// # Errors
    /// What does not fit the objective.
    pub(crate) fn check(&self, objective: &ObjectiveConfig) -> Result<(), String> {
        let wrong = |what: &str| Err(format!("the calibration does not fit: {what}"));
        match (self, objective.n_classes()) {
            (Self::Temperature(temperature), Some(_)) => {
                match temperature.temperature().is_finite() && temperature.temperature() > 0.0 {
                    true => Ok(()),
                    false => wrong("a temperature must be finite and above 0"),
                }
            }
            (Self::Quantiles(quantiles), None) => match quantiles.check(objective.slots()) {
                Ok(()) if matches!(objective, ObjectiveConfig::Quantiles(own) if own.quantiles != quantiles.levels()) => {
                    wrong("its quantiles are not the objective's")
                }
                Ok(()) => Ok(()),
                Err(error) => wrong(&error.to_string()),
            },
            _ => wrong("a temperature is for classes, quantiles are for numbers"),
        }
    }

    /// From what a model says of rows and what is true of them.
    fn fit(
        predictions: &Predictions,
        targets: &Targets,
        levels: &[f64],
    ) -> Result<Self, ForgeError> {
        if let Predictions::Probabilities {
            n_classes, values, ..
        } = predictions
        {
            let labels = targets.labels(*n_classes)?;
            return Temperature::fit(&logarithms(values), *n_classes, &labels)
                .map(Self::Temperature);
        }
        let said = quantiles_of(predictions, levels)?;
        ConformalQuantiles::fit(levels, &said, targets.values(), targets.slots())
            .map(Self::Quantiles)
    }

    /// Puts probabilities and predicted quantiles right; the quantiles of predictions that have none come by
    /// [`FittedModel::calibrated`].
    pub(super) fn apply(&self, predictions: &mut Predictions) -> Result<(), ForgeError> {
        match (self, predictions) {
            (
                Self::Temperature(temperature),
                Predictions::Probabilities {
                    n_classes, values, ..
                },
            ) => *values = temperature.apply(&logarithms(values), *n_classes)?,
            (Self::Quantiles(quantiles), Predictions::Quantiles { values, .. }) => {
                quantiles.apply(values);
            }
            _ => {}
        }
        Ok(())
    }
}

/// Of probabilities, which may be 0.
fn logarithms(probabilities: &[f64]) -> Vec<f64> {
    let logarithm = |p: &f64| p.max(f64::MIN_POSITIVE).ln();
    probabilities.iter().map(logarithm).collect()
}

/// Quantiles `[N x S x Q]` as the model says them: of single numbers all are that number.
fn quantiles_of(predictions: &Predictions, levels: &[f64]) -> Result<Vec<f64>, ForgeError> {
    let of_level = |level: &f64| match predictions {
        Predictions::Values { .. } | Predictions::Directions { .. } => Ok(predictions.point()),
        _ => predictions.quantile(*level),
    };
    let columns = levels
        .iter()
        .map(of_level)
        .collect::<Result<Vec<_>, ForgeError>>()?;
    let cells = columns.first().map_or(0, Vec::len);
    Ok((0..cells)
        .flat_map(|cell| columns.iter().map(move |column| column[cell]))
        .collect())
}

impl FittedModel {
    /// Calibrates on rows (0-based) of `table`, or all, that the model has not been trained on; what it was
    /// calibrated by before is forgotten. Validation rows, which an epoch was chosen by, do in practice, with
    /// a promise that is a little too good.
    ///
    /// Probabilities of classes get a temperature (Guo et al. 2017): they are as often right as they say,
    /// and a threshold that the objective leaves to validation rows is chosen anew. Numbers get quantiles that
    /// hold their share of rows (conformalised quantile regression, [`ConformalQuantiles`]):
    /// [`quantile`](Self::quantile) and the columns of predictions have them. They are saved with the model.
    ///
    /// ```no_run
    /// use volatilityforge::{CalibrationConfig, DeviceName, FittedModel, read_table};
    ///
    /// let mut model = FittedModel::load("model.safetensors", &DeviceName::Flex.open()?)?;
    /// let (held_back, _) = read_table("held_back.csv", &Default::default())?;
    /// model.calibrate(&held_back, None, &CalibrationConfig::default())?;
    /// let said = model.predictions(&held_back)?;
    /// let (low, high) = (model.quantile(&said, 0.05)?, model.quantile(&said, 0.95)?);
    /// println!("{} to {}", low[0], high[0]);
    /// # Ok::<(), volatilityforge::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`predictions`](Self::predictions) and [`targets_of`](Self::targets_of); a config error for
    /// quantiles outside `(0, 1)` and for too few rows, saying how many are wanted; a training error where no
    /// temperature is best, such as where every row is right. The model then is what it was.
    pub fn calibrate(
        &mut self,
        table: &Table,
        rows: Option<&[usize]>,
        config: &CalibrationConfig,
    ) -> Result<(), Error> {
        config.validate()?;
        let count = rows.map_or(table.n_rows(), <[usize]>::len);
        config.check_rows(&self.objective, count)?;
        let targets = self.targets_of(table, rows)?;
        let before = self.calibration.take();
        let outcome = self.calibrate_anew(table, rows, &targets, config);
        if outcome.is_err() {
            self.calibration = before;
        }
        outcome
    }

    /// Calibrates what is not calibrated.
    fn calibrate_anew(
        &mut self,
        table: &Table,
        rows: Option<&[usize]>,
        targets: &Targets,
        config: &CalibrationConfig,
    ) -> Result<(), Error> {
        let mut predictions = self.predictions_rows(table, rows)?;
        let levels = config.levels(&self.objective);
        let fitted = Calibration::fit(&predictions, targets, &levels)?;
        fitted.apply(&mut predictions)?;
        if self.objective.tunes() {
            self.objective.tune(&predictions, targets)?;
        }
        self.calibration = Some(fitted);
        Ok(())
    }

    /// What its predictions are put right by, if it is calibrated.
    #[must_use]
    pub fn calibration(&self) -> Option<&Calibration> {
        self.calibration.as_ref()
    }

    /// The quantiles that it is calibrated at; none where it is not, or predicts classes.
    #[must_use]
    pub fn calibrated_quantiles(&self) -> &[f64] {
        match &self.calibration {
            Some(Calibration::Quantiles(quantiles)) => quantiles.levels(),
            _ => &[],
        }
    }

    /// The quantiles that it is calibrated at, of predictions that this model made; nothing where they are not
    /// others than the predictions themselves.
    pub(crate) fn calibrated(
        &self,
        predictions: &Predictions,
    ) -> Result<Option<Predictions>, Error> {
        let quantiles = match (&self.calibration, predictions) {
            // Made right when they were made.
            (_, Predictions::Quantiles { .. }) => return Ok(None),
            (Some(Calibration::Quantiles(quantiles)), _) => quantiles,
            _ => return Ok(None),
        };
        let mut values = quantiles_of(predictions, quantiles.levels())?;
        quantiles.apply(&mut values);
        Ok(Some(Predictions::Quantiles {
            slots: predictions.slots(),
            quantiles: quantiles.levels().to_vec(),
            values,
        }))
    }

    /// The quantile `q` of every target, `[N x S]`, of predictions that this model made: as it is calibrated,
    /// or as its objective says it.
    ///
    /// # Errors
    /// A config error if `q` is not in `(0, 1)`, or is none of the quantiles that were calibrated or
    /// predicted; an unsupported error for a model that says single numbers and is not calibrated.
    pub fn quantile(&self, predictions: &Predictions, q: f64) -> Result<Vec<f64>, Error> {
        let levels = self.calibrated_quantiles();
        if !(levels.is_empty() || levels.iter().any(|level| (level - q).abs() < 1e-9)) {
            let known: Vec<_> = levels.iter().map(f64::to_string).collect();
            let allowed = format!("one that was calibrated: {}", known.join(", "));
            return Err(ForgeError::config("quantile", q, allowed).into());
        }
        let calibrated = self.calibrated(predictions)?;
        Ok(calibrated.as_ref().unwrap_or(predictions).quantile(q)?)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// What a file says is looked at before a model is made of it.
    #[test]
    fn a_calibration_of_another_kind_is_refused() {
        let numbers: ObjectiveConfig = "regression".parse().unwrap();
        let classes: ObjectiveConfig = "binary".parse().unwrap();
        let own: ObjectiveConfig = "quantiles:0.1,0.9".parse().unwrap();
        let fitted = |levels: &[f64], slots: usize| {
            let cells = 30 * slots;
            let said = vec![0.0; cells * levels.len()];
            ConformalQuantiles::fit(levels, &said, &vec![0.0; cells], slots).unwrap()
        };
        let ends = |slots| Calibration::Quantiles(fitted(&[0.05, 0.95], slots));
        let temperature = |t: &str| -> Calibration {
            serde_json::from_str(&format!(r#"{{"temperature":{{"temperature":{t}}}}}"#)).unwrap()
        };
        assert!(ends(1).check(&numbers).is_ok());
        assert!(temperature("1.5").check(&classes).is_ok());
        let refused = [
            (ends(2).check(&numbers), "expected 2"),
            (ends(1).check(&classes), "for classes"),
            (ends(1).check(&own), "not the objective's"),
            (temperature("1.5").check(&numbers), "for classes"),
            (temperature("0.0").check(&classes), "above 0"),
            (temperature("-1.0").check(&classes), "above 0"),
        ];
        for (found, what) in refused {
            let error = found.unwrap_err();
            assert!(error.contains(what), "{error}");
        }
    }
}
