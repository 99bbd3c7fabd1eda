//! All rows once per epoch, in the order they have.

use forge_nn::ForgeError;
use serde_json::{Value, json};

use super::Sampler;
use super::cut::Cut;
use crate::checkpoint::RunPart;

/// All rows once per epoch, in the order they have. A last batch of one row is joined to the one
/// before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequential {
    n_rows: usize,
    batch_size: usize,
}

impl Sequential {
    /// Rows `0..n_rows` in batches. A batch size of 0 counts as 1.
    #[must_use]
    pub fn new(n_rows: usize, batch_size: usize) -> Self {
        Self { n_rows, batch_size }
    }
}

impl RunPart for Sequential {
    fn name(&self) -> &str {
        "sampler"
    }

    fn config(&self) -> Value {
        json!({"name": "sequential", "rows": self.n_rows, "batch_size": self.batch_size})
    }
}

impl Sampler for Sequential {
    fn batches(&self) -> usize {
        Cut::new(self.n_rows, self.batch_size).count()
    }

    fn rows(&mut self, _: usize, batch: usize) -> Result<Vec<usize>, ForgeError> {
        Ok(Cut::new(self.n_rows, self.batch_size)
            .batch(batch)
            .collect())
    }
}
