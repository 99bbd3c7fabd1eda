//! Baselines on the rows of a run.

use std::time::Instant;

use forge_data::{
    CategoricalEncoding, FeatureSelection, PreprocessConfig, Preprocessor, sample_weights,
};
use forge_train::objective::Objective;

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

/// Fits all that suit the model's objective and scores them on the hold-out rows as models are. One
/// that fails is told of and left out: it must not cost the run.
///
/// # Errors
/// Bad data.
pub(super) fn compare(
    config: &ExperimentConfig,
    data: &ExperimentData,
    model: &FittedModel,
    on_event: &mut dyn FnMut(&RunEvent<'_>),
) -> Result<Vec<BaselineResult>, Error> {
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
    let objective = model.objective();
    let mut results = Vec::new();
    for baseline in Baseline::all(objective) {
        on_event(&RunEvent::BaselineStarted(baseline.name()));
        let start = Instant::now();
        let scores = baseline
            .fit_predict(objective, &x, &y, weights.as_deref(), &x_test)
            .and_then(|pred| Ok(objective.scores(&pred, &y_test)?));
        match scores {
            Ok(scores) => results.push(BaselineResult {
                name: baseline.name().into(),
                scores,
                seconds: start.elapsed().as_secs_f64(),
            }),
            Err(error) => on_event(&RunEvent::BaselineFailed(baseline.name(), &error)),
        }
    }
    Ok(results)
}
