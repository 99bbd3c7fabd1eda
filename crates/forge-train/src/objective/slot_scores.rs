//! Scores of several targets.

use forge_nn::ForgeError;

use super::{Predictions, Targets};
use crate::metric::Scores;

/// The scores of each slot; of several, first their means under the plain names, then each one's as
/// `name.slot`.
///
/// # Errors
/// What `of` finds wrong.
pub(super) fn slot_scores(
    slots: usize,
    of: impl Fn(usize) -> Result<Scores, ForgeError>,
) -> Result<Scores, ForgeError> {
    let each = (0..slots).map(of).collect::<Result<Vec<_>, _>>()?;
    let Some(first) = each.first() else {
        return Ok(Scores::new());
    };
    if slots == 1 {
        return Ok(first.clone());
    }
    let mut scores = Scores::new();
    for (at, score) in first.iter().enumerate() {
        let values = each.iter().filter_map(|s| s.iter().nth(at));
        let mean = values.map(|s| s.value / slots as f64).sum();
        scores = scores.with(score.name.clone(), mean, score.direction);
    }
    for (slot, each) in each.iter().enumerate() {
        for score in each.iter() {
            let name = format!("{}.{slot}", score.name);
            scores = scores.with(name, score.value, score.direction);
        }
    }
    Ok(scores)
}

/// Predictions and targets have the same rows, and both this many slots.
///
/// # Errors
/// A shape error; also where the predictions' own lists do not fit together.
pub(super) fn check_rows(
    pred: &Predictions,
    target: &Targets,
    slots: usize,
) -> Result<(), ForgeError> {
    pred.validate()?;
    let found = [pred.rows(), pred.slots(), slots];
    let expected = [target.rows(), target.slots(), target.slots()];
    if found == expected {
        Ok(())
    } else {
        Err(ForgeError::shape(
            "predictions",
            format!("{} rows of {} target(s)", pred.rows(), pred.slots()),
            format!("the target's {} rows of {slots}", target.rows()),
        ))
    }
}

/// A teacher of another kind than the student.
pub(super) fn no_teacher(teacher: &Predictions) -> ForgeError {
    ForgeError::unsupported(format!(
        "this objective cannot learn from a teacher of {}: give teacher and student the same kind of \
         objective",
        teacher.kind()
    ))
}

/// Predictions that another kind of objective made.
pub(super) fn wrong_kind(pred: &Predictions, wanted: &str) -> ForgeError {
    ForgeError::unsupported(format!(
        "predictions are {}, this objective scores {wanted}; decode the outputs with the objective \
         that scores them",
        pred.kind()
    ))
}
