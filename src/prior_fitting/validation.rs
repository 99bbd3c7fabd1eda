//! How good predictions of drawn tables are.

use forge_data::DrawnTable;
use forge_nn::host::log_softmax;
use forge_train::metric::Scores;

/// Sums of the scores of tables. Of classes, those that the table has are compared, as in use.
#[derive(Debug, Default)]
pub(super) struct Sums {
    tables: f64,
    log_loss: f64,
    accuracy: f64,
    majority: f64,
    squares: f64,
    classes: bool,
}

impl Sums {
    /// `outputs`: of the rows to predict, row by row.
    pub(super) fn add(&mut self, table: &DrawnTable, outputs: &[f64]) {
        let (known, asked) = table.target.split_at(table.labelled);
        let width = outputs.len() / asked.len();
        let rows = outputs.chunks_exact(width).zip(asked);
        let share = 1.0 / asked.len() as f64;
        self.tables += 1.0;
        let Some(n) = table.n_classes else {
            let squares = rows.map(|(y, target)| (y[0] - f64::from(*target)).powi(2));
            self.squares += share * squares.sum::<f64>();
            return;
        };
        self.classes = true;
        let count = |class: &usize| known.iter().filter(|y| **y as usize == *class).count();
        let frequent = (0..n).max_by_key(count).unwrap_or(0);
        for (logits, target) in rows {
            let (logits, class) = (&logits[..n], *target as usize);
            let largest = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            self.log_loss -= share * log_softmax(logits, 1.0)[class];
            self.accuracy += share * f64::from(u8::from(logits[class] >= largest));
            self.majority += share * f64::from(u8::from(class == frequent));
        }
    }

    /// Means over tables: `log_loss`, `accuracy` and `majority_accuracy`, that of the most frequent
    /// labelled class; or `rmse`, where a mean guessed would have about 1.
    pub(super) fn scores(&self) -> Scores {
        let mean = |sum: f64| sum / self.tables;
        match self.classes {
            true => Scores::new()
                .minimize("log_loss", mean(self.log_loss))
                .maximize("accuracy", mean(self.accuracy))
                .maximize("majority_accuracy", mean(self.majority)),
            false => Scores::new().minimize("rmse", mean(self.squares).sqrt()),
        }
    }
}
