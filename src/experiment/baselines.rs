//! Baselines on the rows of a run.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use forge_data::{
    CategoricalEncoding, FeatureSelection, PreprocessConfig, Preprocessor, sample_weights,
};
use forge_train::metric::Scores;
use forge_train::objective::{Objective, ObjectiveConfig, Targets};

use super::{BaselineResult, ExperimentConfig, ExperimentData, RunEvent};
use crate::baseline::{Baseline, DenseColumns};
use crate::{Error, FittedModel};

/// Most rows that baselines train on, so that comparing takes less time and memory than training.
const MOST_ROWS: usize = 100_000;

/// Training and validation rows, of which baselines have no other use, evenly thinned.
pub(super) fn rows(data: &ExperimentData) -> Vec<usize> {
    let mut rows = [data.split.train.as_slice(), &data.split.validation].concat();
    rows.sort_unstable();
    let step = rows.len().div_ceil(MOST_ROWS).max(1);
    rows.into_iter().step_by(step).collect()
}

/// Fits those that are wanted and scores them on the hold-out rows as models are. One that fails is told
/// of and left out: it must not cost the run. Nothing comes back once `stop` is set.
///
/// # Errors
/// Bad data.
pub(super) fn compare(
    config: &ExperimentConfig,
    data: &ExperimentData,
    model: &FittedModel,
    stop: &AtomicBool,
    on_event: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<Option<Vec<BaselineResult>>, Error> {
    let mut wanted = Baseline::all(model.objective());
    wanted.retain(|baseline| config.baselines.has(baseline.name()));
    if wanted.is_empty() {
        return Ok(Some(Vec::new()));
    }
    let (rows, test) = (rows(data), &data.split.test);
    let mut except = [config.target.clone(), config.not_features(&data.table)].concat();
    except.extend(config.weights.clone());
    except.sort();
    except.dedup();
    let preprocess = PreprocessConfig {
        categorical: CategoricalEncoding::OneHot,
        ..PreprocessConfig::default()
    };
    let selection = FeatureSelection::Except(except);
    let (preprocessor, _) = Preprocessor::fit(&data.table, &selection, &rows, &preprocess)?;
    let dense = |rows: &[usize]| -> Result<DenseColumns, Error> {
        let features = preprocessor.transform(&data.table, Some(rows))?;
        let columns = features.n_numeric;
        Ok(DenseColumns::from_row_major(&features.numeric, columns))
    };
    let (x, x_test) = (dense(&rows)?, dense(test)?);
    let (y, y_test) = (
        model.targets_of(&data.table, Some(&rows))?,
        model.targets_of(&data.table, Some(test))?,
    );
    let weights = match &config.weights {
        None => None,
        Some(column) => {
            let weights = sample_weights(&data.table, column, Some(&rows))?;
            Some(weights.into_iter().map(f64::from).collect::<Vec<_>>())
        }
    };
    let rows = Rows {
        objective: model.objective(),
        train: (&x, &y),
        weights: weights.as_deref(),
        test: (&x_test, &y_test),
    };
    Ok(rows.compare(&wanted, stop, on_event))
}

/// Rows as baselines take them.
struct Rows<'a> {
    objective: &'a ObjectiveConfig,
    train: (&'a DenseColumns, &'a Targets),
    weights: Option<&'a [f64]>,
    test: (&'a DenseColumns, &'a Targets),
}

impl Rows<'_> {
    fn compare(
        &self,
        baselines: &[Baseline],
        stop: &AtomicBool,
        on_event: &mut dyn FnMut(&RunEvent<'_>),
    ) -> Option<Vec<BaselineResult>> {
        let mut results = Vec::new();
        for baseline in baselines {
            on_event(&RunEvent::BaselineStarted(baseline.name()));
            let start = Instant::now();
            let scores = self.scores(baseline, stop);
            if stop.load(Ordering::Relaxed) {
                return None;
            }
            match scores {
                Ok(scores) => results.push(BaselineResult {
                    name: baseline.name().into(),
                    scores,
                    seconds: start.elapsed().as_secs_f64(),
                }),
                Err(error) => on_event(&RunEvent::BaselineFailed(baseline.name(), &error)),
            }
        }
        Some(results)
    }

    fn scores(&self, baseline: &Baseline, stop: &AtomicBool) -> Result<Scores, Error> {
        let ((x, y), (x_test, y_test)) = (self.train, self.test);
        let predicted = baseline.fit_predict(self.objective, x, y, self.weights, x_test, stop)?;
        Ok(self.objective.scores(&predicted, y_test)?)
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use crate::baseline::{FittedNumbers, MeanBaseline, NumberBaseline};

    /// Goes wrong in one way or the other.
    struct Broken(&'static str);

    impl NumberBaseline for Broken {
        fn name(&self) -> &'static str {
            self.0
        }

        fn fit(
            &self,
            _train: &DenseColumns,
            _target: &[f64],
            _weights: Option<&[f64]>,
            _stop: &AtomicBool,
        ) -> Result<Box<dyn FittedNumbers>, Error> {
            assert_ne!(self.0, "panics", "out of bounds");
            Ok(Box::new(Infinite))
        }
    }

    #[derive(Debug)]
    struct Infinite;

    impl FittedNumbers for Infinite {
        fn predict(&self, rows: &DenseColumns) -> Vec<f64> {
            vec![f64::INFINITY; rows.n_rows()]
        }
    }

    fn compare(stop: &AtomicBool) -> (Option<Vec<BaselineResult>>, Vec<String>) {
        let x = DenseColumns::from_row_major(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 1);
        let y = Targets::new(1, vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).unwrap();
        let mut objective = ObjectiveConfig::default();
        objective.fit(&y).unwrap();
        let rows = Rows {
            objective: &objective,
            train: (&x, &y),
            weights: None,
            test: (&x, &y),
        };
        let baselines: [Baseline; 3] = [
            Baseline::Numbers(Box::new(Broken("panics"))),
            Baseline::Numbers(Box::new(Broken("explodes"))),
            Baseline::Numbers(Box::new(MeanBaseline)),
        ];
        let mut told = Vec::new();
        let results = rows.compare(&baselines, stop, &mut |event| match event {
            RunEvent::BaselineFailed(name, error) => told.push(format!("{name}: {error}")),
            RunEvent::BaselineStarted(name) => told.push((*name).into()),
            _ => {}
        });
        (results, told)
    }

    #[test]
    fn a_baseline_that_panics_or_predicts_no_number_is_told_of_and_costs_nothing() {
        let (results, told) = compare(&AtomicBool::new(false));
        let names: Vec<String> = results.unwrap().into_iter().map(|r| r.name).collect();
        assert_eq!(names, ["mean"]);
        assert!(
            told[1].contains("panics: ") && told[1].contains("out of bounds"),
            "{told:?}"
        );
        assert!(
            told[3].contains("explodes: ") && told[3].contains("inf"),
            "{told:?}"
        );
    }

    #[test]
    fn nothing_is_begun_after_a_stop() {
        let (results, told) = compare(&AtomicBool::new(true));
        assert!(results.is_none());
        assert_eq!(told, ["panics"]);
    }
}
