//! What weights that were kept one by one are together, at the end of a run.

use forge_nn::ForgeError;

use super::TrainTask;
use super::candidates::{VALIDATION, finite};
use super::run::Run;
use crate::averaging::{GreedySoup, Members, Together, greedy_soup};
use crate::metric::{Direction, Scores};

/// What a run comes down to.
pub(super) struct Chosen<M> {
    /// Modules whose predictions are averaged; one, but for an ensemble.
    pub(super) members: Vec<M>,
    pub(super) candidate: String,
    pub(super) scores: Option<Scores>,
    /// The epoch that set the scores; absent where several did.
    pub(super) epoch: Option<usize>,
}

impl<T: TrainTask> Run<'_, T> {
    /// The best of `best` and of what the averages kept one by one.
    pub(super) fn together(
        &mut self,
        mut best: Chosen<T::Module>,
    ) -> Result<Chosen<T::Module>, ForgeError> {
        for (name, members) in self.engine.members() {
            if members.modules.len() < 2 {
                continue;
            }
            let tried = match members.together {
                Together::Ensemble => Some(self.ensemble(name, members)?),
                Together::Soup => self.soup(name, members)?,
            };
            if let Some(tried) = tried
                && self.is_better(&tried, &best)?
            {
                best = tried;
            }
        }
        Ok(best)
    }

    fn ensemble(
        &mut self,
        name: String,
        members: Members<T::Module>,
    ) -> Result<Chosen<T::Module>, ForgeError> {
        self.engine.seed_for(VALIDATION);
        let scores = self.task.validate_together(&members.modules)?;
        Ok(Chosen {
            members: members.modules,
            candidate: name,
            scores: scores.map(|scores| finite(&scores)),
            epoch: None,
        })
    }

    /// Absent where the task has no validation set to make a soup by.
    fn soup(
        &mut self,
        name: String,
        members: Members<T::Module>,
    ) -> Result<Option<Chosen<T::Module>>, ForgeError> {
        let modules = members.modules;
        let Some(direction) = self.direction(&name, &modules[0])? else {
            return Ok(None);
        };
        // Both closures look at the run.
        let run = std::cell::RefCell::new(&mut *self);
        let soup = greedy_soup(
            &modules,
            direction,
            |mean| run.borrow_mut().with_fresh_statistics(&mean),
            |module| {
                let run = run.borrow();
                let scores = run.scores_of(&name, module)?;
                let at = (run.epoch(), run.engine.steps_done());
                match &scores {
                    Some(scores) => Ok(run.decided(scores, &name, at)?.value),
                    None => Ok(f64::NAN),
                }
            },
        );
        let GreedySoup { module, .. } = soup?;
        let scores = self.scores_of(&name, &module)?;
        Ok(Some(Chosen {
            members: vec![module],
            candidate: name,
            scores,
            epoch: None,
        }))
    }

    fn direction(&self, name: &str, module: &T::Module) -> Result<Option<Direction>, ForgeError> {
        let Some(scores) = self.scores_of(name, module)? else {
            return Ok(None);
        };
        let at = (self.epoch(), self.engine.steps_done());
        Ok(Some(self.decided(&scores, name, at)?.direction))
    }

    fn scores_of(&self, name: &str, module: &T::Module) -> Result<Option<Scores>, ForgeError> {
        self.engine.seed_for(VALIDATION);
        let scores = self.task.validate(module)?;
        let Some(scores) = scores else {
            return Ok(None);
        };
        let at = (self.epoch(), self.engine.steps_done());
        self.decided(&scores, name, at)?;
        Ok(Some(finite(&scores)))
    }

    /// What was never validated gives way to what was; of two that were not, to what is more.
    fn is_better(
        &self,
        tried: &Chosen<T::Module>,
        best: &Chosen<T::Module>,
    ) -> Result<bool, ForgeError> {
        let at = (self.epoch(), self.engine.steps_done());
        match (&tried.scores, &best.scores) {
            (None, Some(_)) => Ok(false),
            (_, None) => Ok(true),
            (Some(new), Some(old)) => {
                let new = self.decided(new, &tried.candidate, at)?;
                let old = self.decided(old, &best.candidate, at)?;
                Ok(new.direction.improves(new.value, old.value, 0.0))
            }
        }
    }
}
