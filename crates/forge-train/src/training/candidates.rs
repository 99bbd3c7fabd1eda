//! What could be deployed, and how good it is.

use forge_nn::ForgeError;

use super::engine::Engine;
use super::run::Run;
use super::sampler::{Sampler, Sequential};
use super::{TrainTask, Validation};
use crate::averaging::recompute_statistics;
use crate::metric::{Score, Scores};
use crate::precision::Precision;

/// Purposes of random numbers between steps.
const STATISTICS: &str = "volatilityforge trainer batch statistics";
pub(super) const VALIDATION: &str = "volatilityforge trainer validation";

/// What could be deployed.
pub(super) struct Candidate<M> {
    pub(super) module: M,
    pub(super) validation: Validation,
}

impl<T: TrainTask> Run<'_, T> {
    /// The candidates by name, with batch statistics of their own.
    pub(super) fn fresh_candidates(&mut self) -> Result<Vec<(String, T::Module)>, ForgeError> {
        let candidates = self.engine.candidates().into_iter();
        candidates
            .map(|(name, module, stale)| {
                let module = if stale {
                    self.with_fresh_statistics(&module)?
                } else {
                    module
                };
                Ok((name, module))
            })
            .collect()
    }

    pub(super) fn with_fresh_statistics(
        &mut self,
        module: &T::Module,
    ) -> Result<T::Module, ForgeError> {
        let mut rows = Sequential::new(self.task.n_rows(), self.config.batch_size);
        let engine: &Engine<'_, T::Module> = &self.engine;
        let task = &mut *self.task;
        let sizes = (0..rows.batches()).map(|k| Ok(rows.rows(0, k)?.len()));
        let sizes = sizes.collect::<Result<Vec<_>, ForgeError>>()?;
        recompute_statistics(module, &sizes, |module, k| {
            // Dropout has to be the same whenever a batch is seen again.
            engine.seed_for(&format!("{STATISTICS} {k}"));
            let rows = rows.rows(0, k)?;
            // Averages are kept in f32, and computed in it.
            let at = engine.context().in_precision(Precision::F32);
            engine.at_step_rate(|| task.observe_statistics(module, &rows, &at))
        })
    }

    /// The score of `scores` that decides.
    pub(super) fn decided<'s>(
        &self,
        scores: &'s Scores,
        name: &str,
        (epoch, step): (usize, u64),
    ) -> Result<&'s Score, ForgeError> {
        let Some(deciding) = self.config.deciding(scores)? else {
            return Err(ForgeError::training("validation gave no score"));
        };
        if deciding.value.is_finite() {
            return Ok(deciding);
        }
        self.diverged.set(true);
        Err(ForgeError::training(format!(
            "the validation score {} of {name} is {} after epoch {epoch}, step {step}",
            deciding.name, deciding.value
        )))
    }

    /// Validates every candidate after epoch `epoch`; the best comes first. None where the task has
    /// no validation set.
    pub(super) fn validate(
        &mut self,
        epoch: usize,
        step: u64,
    ) -> Result<Vec<Candidate<T::Module>>, ForgeError> {
        let mut candidates: Vec<Candidate<T::Module>> = Vec::new();
        for (name, module) in self.fresh_candidates()? {
            self.engine.seed_for(VALIDATION);
            let Some(scores) = self.task.validate(&module)? else {
                return Ok(Vec::new());
            };
            let deciding = self.decided(&scores, &name, (epoch, step))?;
            let better = candidates.iter().position(|other| {
                let other = other.validation.scores.find(&deciding.name);
                other.is_some_and(|o| deciding.direction.improves(deciding.value, o.value, 0.0))
            });
            let scores = finite(&scores);
            let candidate = Candidate {
                module,
                validation: Validation {
                    candidate: name,
                    scores,
                },
            };
            candidates.insert(better.unwrap_or(candidates.len()), candidate);
        }
        Ok(candidates)
    }
}

/// What can be written down: JSON knows no NaN.
pub(super) fn finite(scores: &Scores) -> Scores {
    let finite = scores.iter().filter(|score| score.value.is_finite());
    finite.fold(Scores::new(), |all, s| {
        all.with(s.name.clone(), s.value, s.direction)
    })
}
