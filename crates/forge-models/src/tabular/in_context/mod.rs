//! Predicting with released weights as their authors do: what the ensembles of the models that learn
//! in context share.
//!
//! An ensemble holds labelled rows on the host, prepared in one or more ways. Each member sees the
//! columns in an order of its own and the classes under names of its own.

mod ask;
mod column;
mod labelled_table;
mod preparation;
mod quantiles;
mod shuffle;
mod singular_vectors;
mod yeo_johnson;

pub(super) use ask::{InContext, Question, ROWS_PER_PASS, ask};
pub(super) use column::{DrawnIn, Standardised, moments};
pub(super) use labelled_table::{Cells, Kind, LabelledTable};
pub(super) use preparation::{Habits, Preparation};
pub(super) use quantiles::Quantiles;
pub(super) use shuffle::{SplitMix, latin, shifted};
pub(super) use singular_vectors::SingularVectors;
pub(super) use yeo_johnson::YeoJohnson;

/// Adds `share` of what a member says of each row: of classes, each under its own name.
pub(super) fn add(
    sums: &mut [Vec<f64>],
    outputs: &[Vec<f64>],
    names: Option<&[usize]>,
    share: f64,
) {
    for (sums, outputs) in sums.iter_mut().zip(outputs) {
        for (i, sum) in sums.iter_mut().enumerate() {
            *sum += outputs[names.map_or(i, |names| names[i])] * share;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn classes_are_looked_up_under_their_names() {
        let mut sums = vec![vec![1.0; 3]];
        add(&mut sums, &[vec![2.0, 4.0, 8.0]], Some(&[1, 2, 0]), 0.5);
        assert_eq!(sums, [[3.0, 5.0, 2.0]]);
        add(&mut sums, &[vec![1.0, 0.0, 0.0, 9.0]], None, 1.0);
        assert_eq!(sums, [[4.0, 5.0, 2.0]]);
    }
}
