//! Several networks of one fit, whose predictions are averaged.

use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering;

use forge_nn::ForgeError;
use forge_train::{Ending, StopReason, TrainOutcome, TrainTask, TrainerConfig};
use serde::Serialize;

use crate::{Error, FitOptions};

/// Networks at most.
const MOST: usize = 100;

/// Checks the settings' number of networks.
///
/// # Errors
/// A config error naming the field.
pub(crate) fn check_size(networks: usize) -> Result<(), ForgeError> {
    match (1..=MOST).contains(&networks) {
        true => Ok(()),
        false => {
            let allowed = format!("1 to {MOST}");
            Err(ForgeError::config("ensemble", networks, allowed))
        }
    }
}

/// The seed of each network; of the first it is the run's.
fn seed_of(seed: u64, network: usize) -> u64 {
    seed.wrapping_add((network as u64).wrapping_mul(1_000))
}

/// The checkpoints of each network; of the first they are in the run's own folder.
fn folder_of(checkpoints: &Path, network: usize) -> PathBuf {
    match network {
        0 => checkpoints.to_path_buf(),
        _ => checkpoints.join(format!("member_{network}")),
    }
}

/// What several runs came to, and where each of them was best; without the latter where one was not best
/// at a single epoch.
type Together<M> = (TrainOutcome<M>, Option<Vec<Ending>>);

/// Networks that are trained one after the other and differ by their seed alone.
pub(crate) struct Ensemble<'a, I> {
    pub(crate) networks: usize,
    pub(crate) training: &'a TrainerConfig,
    /// What must be the same for a killed run to go on, beside the training settings.
    pub(crate) identity: &'a I,
    /// In a second run: where each network was best in the first.
    pub(crate) endings: Option<&'a [Ending]>,
}

impl<I: Serialize> Ensemble<'_, I> {
    /// Trains them. `begin` makes the task ready for a run with a seed and gives the network before its
    /// first step, told the folder that its run may go on from.
    ///
    /// # Errors
    /// Training that cannot go on, a checkpoint of another run, and what `begin` refuses.
    pub(crate) fn fit<T: TrainTask>(
        &self,
        task: &mut T,
        options: &mut FitOptions<'_>,
        mut begin: impl FnMut(&mut T, u64, Option<&Path>) -> Result<T::Module, Error>,
    ) -> Result<Together<T::Module>, Error> {
        let checkpoints = options.checkpoints.take();
        let mut runs = Vec::with_capacity(self.networks);
        for network in 0..self.networks {
            let mut training = self.training.clone();
            training.seed = seed_of(training.seed, network);
            options.checkpoints = checkpoints.as_deref().map(|all| folder_of(all, network));
            let goes_on = options.checkpoints.as_deref().filter(|_| options.resume);
            let module = begin(task, training.seed, goes_on)?;
            let mut trainer = options.trainer(training, self.identity)?;
            trainer = match self.endings {
                None => trainer.as_run(network),
                Some(endings) => trainer
                    .with_ending(endings[network].clone())
                    .as_run(self.networks + network),
            };
            let mut run = trainer.fit(task, module)?;
            let flag = options.stop.as_ref();
            let stopped = flag.is_some_and(|flag| flag.load(Ordering::Relaxed));
            let is_last = network + 1 == self.networks;
            if stopped && !is_last {
                // Also where the network itself was done: others are missing.
                run.stop = StopReason::Interrupted;
            }
            let ends = matches!(run.stop, StopReason::Interrupted | StopReason::Observer(_));
            runs.push(run);
            if ends {
                break;
            }
        }
        options.checkpoints = checkpoints;
        let endings = runs.iter().map(Ending::of).collect();
        Ok((joined(runs, task)?, endings))
    }
}

/// The networks of several runs together: epochs and seconds of all, scores of their mean.
fn joined<T: TrainTask>(
    runs: Vec<TrainOutcome<T::Module>>,
    task: &T,
) -> Result<TrainOutcome<T::Module>, Error> {
    let mut runs = runs.into_iter();
    let none = || ForgeError::config("ensemble", 0, "at least 1");
    let mut all = runs.next().ok_or_else(none)?;
    let mut is_one = true;
    for run in runs {
        is_one = false;
        all.members.extend(run.members);
        all.history.extend(run.history);
        all.seconds += run.seconds;
        all.stop = run.stop;
    }
    if !is_one {
        all.scores = task.validate_together(&all.members)?;
    }
    Ok(all)
}
