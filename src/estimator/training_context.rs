//! Which rows a training step looks at beside those that it predicts.

use forge_data::{TabularBatch, TabularDataset};
use forge_models::{Context, ModelConfig, RowContext, TabularInput, TrainingContext};
use forge_nn::ForgeError;
use forge_train::StepContext;
use forge_train::sampler::{Sampler, Shuffle};

use super::predict::features;

/// Keeps the rows that are drawn apart from the order of the batches.
const DRAW: u64 = 0x636f_6e74_6578_7400;

/// Which rows a training step looks at beside those that it predicts.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum LooksAt {
    /// None but those of the batch, and without their targets.
    Nothing,
    /// A half of the batch, with its targets.
    HalfBatch,
    /// Training rows outside the batch, and those of the batch.
    OtherRows { fraction: f64 },
}

/// What a model is given for a step.
pub(super) struct Step {
    pub(super) input: TabularInput,
    /// The rows that it predicts, with their targets.
    pub(super) predicted: TabularBatch,
}

impl LooksAt {
    /// What `model` looks at.
    pub(super) fn of(model: &ModelConfig) -> Self {
        if model.capabilities().rows != RowContext::Labelled {
            return Self::Nothing;
        }
        match model.labelled_rows().training {
            TrainingContext::HalfBatch => Self::HalfBatch,
            TrainingContext::OtherRows { fraction } => Self::OtherRows { fraction },
        }
    }

    /// The input of a step over `rows` of `table` in a run with this seed.
    pub(super) fn step(
        self,
        table: &TabularDataset,
        rows: &[usize],
        seed: u64,
        at: &StepContext<'_>,
    ) -> Result<Step, ForgeError> {
        let (context, predicted) = match self {
            Self::Nothing => (vec![], rows),
            Self::HalfBatch => {
                let (context, predicted) = rows.split_at(rows.len() / 2);
                (context.to_vec(), predicted)
            }
            Self::OtherRows { fraction } => {
                let drawn = others(table.len(), rows, fraction, seed, at.step)?;
                (drawn, rows)
            }
        };
        let least = match self {
            Self::Nothing => 0,
            Self::HalfBatch => 2,
            Self::OtherRows { .. } => 2 - context.len().min(1),
        };
        if rows.len() < least {
            return Err(ForgeError::training(
                "a batch of one row leaves none to predict from: set batch_size to 2 or more",
            ));
        }
        let context = match context.is_empty() {
            true => None,
            false => {
                let batch = table.batch_on(&context, at.device);
                let target = batch.y.clone();
                Some(Context {
                    rows: features(batch),
                    target,
                    ..Context::default()
                })
            }
        };
        let predicted = table.batch_on(predicted, at.device);
        let input = TabularInput {
            rows: features(predicted.clone()),
            context,
            target: match self {
                Self::OtherRows { .. } => predicted.y.clone(),
                Self::Nothing | Self::HalfBatch => None,
            },
        };
        Ok(Step { input, predicted })
    }
}

/// A part of the rows `0..n` that are not in `batch`, without repetition; which, depends on seed
/// and step alone, so that a resumed run draws what it would have drawn.
fn others(
    n: usize,
    batch: &[usize],
    fraction: f64,
    seed: u64,
    step: u64,
) -> Result<Vec<usize>, ForgeError> {
    let mut taken = vec![false; n];
    batch.iter().for_each(|row| taken[*row] = true);
    let others: Vec<usize> = (0..n).filter(|row| !taken[*row]).collect();
    let kept = (others.len() as f64 * fraction) as usize;
    if kept == others.len() || kept == 0 {
        return Ok(others[..kept].to_vec());
    }
    let mut drawn = Shuffle::new(others.len(), kept, seed ^ DRAW).rows(step as usize, 0)?;
    // A sampler joins a last batch of one row to the one before it.
    drawn.truncate(kept);
    // In the table's order: selecting is then a pass over it.
    drawn.sort_unstable();
    Ok(drawn.into_iter().map(|i| others[i]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn drawn(n: usize, batch: &[usize], fraction: f64, step: u64) -> Vec<usize> {
        others(n, batch, fraction, 3, step).unwrap_or_default()
    }

    #[test]
    fn rows_are_drawn_anew_at_each_step_and_never_from_the_batch() {
        let batch = [4, 0, 11];
        let all = drawn(20, &batch, 1.0, 0);
        assert_eq!(all.len(), 17);
        assert!(batch.iter().all(|row| !all.contains(row)));
        let some = drawn(20, &batch, 0.5, 0);
        assert_eq!(some.len(), 8);
        assert!(some.iter().all(|row| all.contains(row)));
        assert!(some.is_sorted_by(|a, b| a < b), "{some:?}");
        assert_eq!(some, drawn(20, &batch, 0.5, 0));
        assert_ne!(some, drawn(20, &batch, 0.5, 1));
        // All but one: the sampler would hand out the last too.
        assert_eq!(drawn(20, &batch, 0.95, 0).len(), 16);
        // Over many steps every row comes as often as any other.
        let mut counts = [0; 20];
        for step in 0..2_000 {
            drawn(20, &batch, 0.5, step)
                .into_iter()
                .for_each(|row| counts[row] += 1);
        }
        let expected = 2_000.0 * 8.0 / 17.0;
        for (row, count) in counts.iter().enumerate() {
            let share = f64::from(*count) / expected;
            let right = if batch.contains(&row) {
                *count == 0
            } else {
                (0.85..1.15).contains(&share)
            };
            assert!(right, "{counts:?}");
        }
    }

    #[test]
    fn a_batch_of_all_rows_leaves_none() {
        assert!(drawn(3, &[0, 1, 2], 1.0, 0).is_empty());
        assert!(drawn(3, &[0, 1, 2], 0.5, 0).is_empty());
    }
}
