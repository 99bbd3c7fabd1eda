//! Rows that are remembered.

use forge_nn::{ForgeError, check};
use rand::{Rng, RngExt, SeedableRng, seq::SliceRandom};
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

/// Which rows a [`RowMemory`] keeps.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Keep {
    /// The last rows of each task, an equal part of the memory for each. The default.
    #[default]
    Ring,
    /// A uniform sample of all rows so far (Vitter 1985, algorithm R).
    Reservoir,
}

/// Rows of earlier tasks, so many at most.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RowMemory {
    keep: Keep,
    size: usize,
    tasks: usize,
    seen: u64,
    /// Task and row.
    kept: Vec<(usize, usize)>,
}

impl RowMemory {
    /// Empty, for rows of so many tasks.
    ///
    /// # Errors
    /// A config error for a `memory` of fewer rows than there are tasks.
    pub fn new(keep: Keep, size: usize, tasks: usize) -> Result<Self, ForgeError> {
        check::at_least_one("tasks", tasks)?;
        if size < tasks {
            let allowed = format!("at least {tasks}: one row for each task");
            return Err(ForgeError::config("memory", size, allowed));
        }
        Ok(Self {
            keep,
            size,
            tasks,
            seen: 0,
            kept: vec![],
        })
    }

    /// A task has been learned from `rows`, in that order.
    pub fn learned(&mut self, task: usize, rows: &[usize], seed: u64) {
        match self.keep {
            Keep::Ring => {
                let first = rows.len().saturating_sub(self.size / self.tasks);
                self.kept
                    .extend(rows[first..].iter().map(|row| (task, *row)));
            }
            Keep::Reservoir => {
                let mut rng = seeded(seed, [task as u64, 0]);
                for row in rows {
                    self.seen += 1;
                    if self.kept.len() < self.size {
                        self.kept.push((task, *row));
                        continue;
                    }
                    let place = rng.random_range(0..self.seen);
                    let place = usize::try_from(place).unwrap_or(usize::MAX);
                    if let Some(kept) = self.kept.get_mut(place) {
                        *kept = (task, *row);
                    }
                }
            }
        }
    }

    /// How many rows are kept.
    #[must_use]
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// The rows of each task that has any, task by task.
    #[must_use]
    pub fn by_task(&self) -> Vec<Vec<usize>> {
        let of = |task| {
            let own = self.kept.iter().filter(|(of, _)| *of == task);
            own.map(|(_, row)| *row).collect::<Vec<_>>()
        };
        let all = (0..self.tasks).map(of);
        all.filter(|rows| !rows.is_empty()).collect()
    }

    /// A random part of the rows, all different; all if there are no more than `count`.
    #[must_use]
    pub fn draw(&self, count: usize, rng: &mut impl Rng) -> Vec<usize> {
        let mut rows: Vec<usize> = self.kept.iter().map(|(_, row)| *row).collect();
        rows.partial_shuffle(rng, count).0.to_vec()
    }
}

/// Random numbers of one purpose.
pub(super) fn seeded(seed: u64, parts: [u64; 2]) -> ChaCha8Rng {
    let mut bytes = [0; 32];
    for (place, part) in bytes.chunks_exact_mut(8).zip([seed, parts[0], parts[1], 0]) {
        place.copy_from_slice(&part.to_le_bytes());
    }
    ChaCha8Rng::from_seed(bytes)
}
