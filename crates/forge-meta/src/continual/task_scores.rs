//! How much is learned and how much forgotten.

use forge_nn::{ForgeError, check};
use forge_train::metric::Direction;
use serde::{Deserialize, Serialize};

/// `R[i][j]`: the score on task `j` after task `i` was learned, and what follows from it.
///
/// Differences are turned so that above 0 is good for transfer and bad for forgetting, whichever
/// way scores are better. Lopez-Paz & Ranzato, arXiv 1706.08840, eq. 2 to 4; Chaudhry et al., arXiv
/// 1801.10112, eq. 3.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TaskScores {
    better: Direction,
    /// Before any task.
    start: Vec<f64>,
    rows: Vec<Vec<f64>>,
}

impl TaskScores {
    /// Before the first task: the scores of the untrained module on every task.
    ///
    /// # Errors
    /// A config error without a task; a training error for a score that is not finite.
    pub fn new(better: Direction, start: Vec<f64>) -> Result<Self, ForgeError> {
        check::at_least_one("tasks", start.len())?;
        finite(&start, "before the first task")?;
        Ok(Self {
            better,
            start,
            rows: vec![],
        })
    }

    /// The scores on every task after one more was learned.
    ///
    /// # Errors
    /// A shape error if there are more or fewer than tasks, or if all tasks have been learned; a
    /// training error for a score that is not finite.
    pub fn push(&mut self, row: Vec<f64>) -> Result<(), ForgeError> {
        let tasks = self.start.len();
        if row.len() != tasks {
            let found = format!("{} scores", row.len());
            return Err(ForgeError::shape(
                "scores",
                found,
                format!("{tasks}, one per task"),
            ));
        }
        if self.rows.len() == tasks {
            let found = format!("scores after task {}", tasks + 1);
            return Err(ForgeError::shape(
                "scores",
                found,
                format!("of {tasks} tasks"),
            ));
        }
        finite(&row, &format!("after task {}", self.rows.len()))?;
        self.rows.push(row);
        Ok(())
    }

    /// `R`, a row per learned task.
    #[must_use]
    pub fn rows(&self) -> &[Vec<f64>] {
        &self.rows
    }

    /// The mean score over the tasks that were learned, after the last of them; none before the
    /// first.
    #[must_use]
    pub fn average(&self) -> Option<f64> {
        let last = self.rows.last()?;
        mean(last[..self.rows.len()].iter().copied())
    }

    /// How much better tasks before the last are at the end than right after they were learned; none
    /// before the second.
    #[must_use]
    pub fn backward_transfer(&self) -> Option<f64> {
        let (last, earlier) = self.rows.split_last()?;
        mean(
            earlier
                .iter()
                .enumerate()
                .map(|(task, row)| self.gain(last[task], row[task])),
        )
    }

    /// How much better a task is just before it is learned than for the untrained module; none before
    /// the second.
    #[must_use]
    pub fn forward_transfer(&self) -> Option<f64> {
        let pairs = self.rows.iter().zip(1..self.rows.len());
        mean(pairs.map(|(row, task)| self.gain(row[task], self.start[task])))
    }

    /// How much worse tasks before the last are at the end than they were at their best since they
    /// were learned; none before the second.
    #[must_use]
    pub fn forgetting(&self) -> Option<f64> {
        let (last, earlier) = self.rows.split_last()?;
        let lost = (0..earlier.len()).map(|task| {
            let since = earlier[task..].iter();
            let lost = since.map(|row| self.gain(row[task], last[task]));
            lost.fold(f64::NEG_INFINITY, f64::max)
        });
        mean(lost)
    }

    /// `a - b`, turned so that above 0 is better.
    fn gain(&self, a: f64, b: f64) -> f64 {
        match self.better {
            Direction::Maximize => a - b,
            Direction::Minimize => b - a,
        }
    }
}

fn mean(values: impl Iterator<Item = f64>) -> Option<f64> {
    let (count, sum) = values.fold((0.0, 0.0), |(n, sum), value| (n + 1.0, sum + value));
    (count > 0.0).then(|| sum / count)
}

fn finite(row: &[f64], when: &str) -> Result<(), ForgeError> {
    match row.iter().position(|score| !score.is_finite()) {
        None => Ok(()),
        Some(task) => Err(ForgeError::training(format!(
            "the score on task {task} {when} is {}; it must be finite",
            row[task]
        ))),
    }
}
