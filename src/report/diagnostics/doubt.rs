//! Whether a model is wrong where it says that it is unsure.

use crate::report::{Figure, Plot, Point, Section};

/// Rows with what a model doubts of each and how wrong it is there.
#[derive(Debug, Clone, Default)]
pub struct RowDoubt<'a> {
    /// What is predicted.
    pub name: &'a str,
    /// How the model was asked, in words.
    pub asked: String,
    /// What the doubt is, with its unit.
    pub measure: &'a str,
    /// How much doubt there is of each row.
    pub doubt: Vec<f64>,
    /// What error is, with its unit.
    pub error_name: &'a str,
    /// How wrong each row is, at least 0.
    pub error: Vec<f64>,
    /// Whether errors are squared for their mean, and the root of that shown.
    pub squared: bool,
    /// More lines under the heading.
    pub notes: Vec<String>,
}

impl RowDoubt<'_> {
    /// The error of the rows that are kept when those of most doubt are left out, and single errors over
    /// doubt.
    #[must_use]
    pub fn section(&self) -> Section {
        let kept = self.kept();
        let mut notes = vec![self.asked.clone()];
        notes.extend(self.notes.iter().cloned());
        if let (Some(half), Some(all)) = (kept.get(kept.len() / 2), kept.last()) {
            notes.push(format!(
                "{} of the half of the rows that the model is surest of: {:.6}; of all: {:.6}.",
                self.error_name, half.1, all.1
            ));
        }
        let single = self.doubt.iter().copied().zip(self.error.iter().copied());
        let figures = [
            Plot::new(
                "error of the rows kept",
                "share of the rows kept, the surest first",
                self.error_name,
            )
            .line("model", kept)
            .note("It rises where the model knows what it does not know."),
            Plot::new("error over doubt", self.measure, "error of a row")
                .points("rows", single.collect()),
        ];
        Section {
            title: format!("How sure the model is of {}", self.name),
            notes,
            figures: figures.map(Figure::Plot).into(),
        }
    }

    /// Share of the rows kept, the surest first, and their error.
    fn kept(&self) -> Vec<Point> {
        let mut rows: Vec<usize> = (0..self.doubt.len().min(self.error.len())).collect();
        rows.sort_by(|a, b| self.doubt[*a].total_cmp(&self.doubt[*b]));
        let (n, mut sum) = (rows.len() as f64, 0.0);
        let each = rows.iter().enumerate().map(|(at, row)| {
            let (kept, error) = (at as f64 + 1.0, self.error[*row]);
            sum += if self.squared { error * error } else { error };
            let mean = sum / kept;
            (kept / n, if self.squared { mean.sqrt() } else { mean })
        });
        each.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_rows_of_most_doubt_are_left_out_first() {
        let mut rows = RowDoubt {
            doubt: vec![3.0, 1.0, 2.0],
            error: vec![5.0, 1.0, 0.0],
            ..RowDoubt::default()
        };
        let third = 1.0 / 3.0;
        assert_eq!(rows.kept(), [(third, 1.0), (2.0 / 3.0, 0.5), (1.0, 2.0)]);
        rows.squared = true;
        let roots = [1.0, 0.5f64.sqrt(), (26.0f64 / 3.0).sqrt()];
        let errors: Vec<f64> = rows.kept().iter().map(|(_, error)| *error).collect();
        assert_eq!(errors, roots);
        let section = rows.section();
        assert!(section.notes.iter().any(|note| note.contains("0.707107")));
    }
}
