//! The numbers of a step and of an epoch, by name.

use crate::{BatchEvent, EpochEvent};

/// Loss (where it has been read), learning rate and speed.
pub(super) fn of_step(event: &BatchEvent) -> Vec<(String, f64)> {
    let loss = event.loss.map(|loss| ("step/loss".into(), loss));
    let rest = [
        ("step/lr".into(), event.lr),
        ("step/samples_per_second".into(), event.samples_per_second),
    ];
    loss.into_iter().chain(rest).collect()
}

/// Training loss and rate; the scores of the best candidate as `validation/SCORE`; of each
/// candidate (the weights that are trained, their averages) as `validation_CANDIDATE/SCORE`.
pub(super) fn of_epoch(event: &EpochEvent<'_>) -> Vec<(String, f64)> {
    let record = event.record;
    let mut all = vec![
        ("train/loss".to_string(), record.train_loss),
        ("train/lr".to_string(), record.lr),
        ("train/seconds".to_string(), record.seconds),
    ];
    for (i, validation) in record.validation.iter().enumerate() {
        let group = format!("validation_{}", validation.candidate);
        let best = (i == 0).then(|| "validation".to_string());
        for group in best.into_iter().chain([group]) {
            let scores = validation.scores.iter();
            all.extend(scores.map(|score| (format!("{group}/{}", score.name), score.value)));
        }
    }
    all
}
