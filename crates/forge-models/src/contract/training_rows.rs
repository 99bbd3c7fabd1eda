//! What a config may take from the rows that a model will be trained on.

use forge_nn::ForgeError;

/// The preprocessed training rows, on the host, as
/// [`TabularConfig::fitted_to`](super::TabularConfig::fitted_to) is given them.
#[derive(Debug, Clone, Copy)]
pub struct TrainingRows<'a> {
    numeric: &'a [f32],
    n_num_features: usize,
    targets: &'a [f32],
    slots: usize,
    n_classes: Option<usize>,
}

impl<'a> TrainingRows<'a> {
    /// From numbers `[N, F_num]` and targets `[N, S]`, both row by row: targets in the model's
    /// scale, or class numbers in `0..n_classes` as floats.
    ///
    /// # Errors
    /// A shape error for lists that are no whole rows, or differ in their number of rows; for no
    /// rows at all.
    pub fn new(
        numeric: &'a [f32],
        n_num_features: usize,
        targets: &'a [f32],
        slots: usize,
        n_classes: Option<usize>,
    ) -> Result<Self, ForgeError> {
        let rows = targets.len().checked_div(slots).unwrap_or(0);
        if rows == 0 || rows * slots != targets.len() {
            let found = format!("{} values", targets.len());
            let expected = format!("whole rows of {slots} target(s), at least one row");
            return Err(ForgeError::shape("training targets", found, expected));
        }
        if rows * n_num_features != numeric.len() {
            let found = format!("{} values", numeric.len());
            let expected = format!("[{rows}, {n_num_features}], one row per row of targets");
            return Err(ForgeError::shape("training rows", found, expected));
        }
        Ok(Self {
            numeric,
            n_num_features,
            targets,
            slots,
            n_classes,
        })
    }

    /// `F_num`.
    #[must_use]
    pub fn n_num_features(&self) -> usize {
        self.n_num_features
    }

    /// `N`, at least 1.
    #[must_use]
    pub fn n_rows(&self) -> usize {
        self.targets.len() / self.slots
    }

    /// Numeric feature `j` of every row; empty if there is none of that number.
    pub fn column(&self, j: usize) -> impl Iterator<Item = f32> + 'a {
        let columns = self.n_num_features;
        let values = if j < columns { self.numeric } else { &[] };
        values.iter().skip(j).step_by(columns.max(1)).copied()
    }

    /// Targets `[N, S]`, row by row.
    #[must_use]
    pub fn targets(&self) -> &'a [f32] {
        self.targets
    }

    /// `S`, at least 1.
    #[must_use]
    pub fn slots(&self) -> usize {
        self.slots
    }

    /// Number of classes; absent where targets are numbers.
    #[must_use]
    pub fn n_classes(&self) -> Option<usize> {
        self.n_classes
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_read_across_rows() {
        let numeric = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0];
        let rows = TrainingRows::new(&numeric, 2, &[0.0, 1.0, 0.0], 1, Some(2)).unwrap();
        assert_eq!((rows.n_rows(), rows.n_num_features()), (3, 2));
        assert_eq!(rows.column(1).collect::<Vec<_>>(), [2.0, 4.0, 6.0]);
        assert_eq!(rows.column(2).count(), 0);
    }

    #[test]
    fn lists_that_do_not_fit_are_refused() {
        let new = |numeric: &[f32], targets: &[f32], slots| {
            let result = TrainingRows::new(numeric, 2, targets, slots, None);
            result.err().map(|error| error.to_string())
        };
        for (numeric, targets, slots) in [
            (&[1.0, 2.0][..], &[][..], 1),
            (&[1.0, 2.0], &[0.0], 0),
            (&[1.0, 2.0, 3.0], &[0.0], 1),
            (&[1.0, 2.0], &[0.0, 1.0, 2.0], 2),
            (&[1.0, 2.0], &[0.0, 1.0], 1),
        ] {
            let error = new(numeric, targets, slots);
            assert!(
                error.is_some_and(|e| e.contains("training ")),
                "{targets:?}"
            );
        }
    }
}
