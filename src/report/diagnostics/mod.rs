//! What the predictions of hold-out rows look like beside the truth.

mod classes;
mod correlation;
mod doubt;
mod intervals;
mod numbers;

use forge_train::objective::{Predictions, Targets};

pub use doubt::RowDoubt;

use super::Section;
use crate::Error;

/// Most target columns that are shown.
const TARGETS: usize = 6;

/// Predictions of some rows, their truth, and what else is known of the rows.
#[derive(Debug, Clone, Copy)]
pub struct Diagnostics<'a> {
    /// What the model says.
    pub predictions: &'a Predictions,
    /// Quantiles to show intervals of in place of those of the predictions, such as calibrated ones.
    pub intervals: Option<&'a Predictions>,
    /// What is true.
    pub targets: &'a Targets,
    /// The target columns' names.
    pub names: &'a [&'a str],
    /// The classes in order, where the target is one.
    pub classes: Option<&'a [String]>,
    /// Numeric columns of the rows, in their own units; missing cells are NaN.
    pub features: &'a [(String, Vec<f64>)],
}

impl Diagnostics<'_> {
    /// What fits the predictions: confusion, ROC and reliability of classes; residuals of numbers,
    /// over what is predicted and over two features; coverage of quantiles and distributions.
    ///
    /// # Errors
    /// If predictions and truth do not fit together.
    pub fn sections(&self) -> Result<Vec<Section>, Error> {
        if matches!(self.predictions, Predictions::Probabilities { .. }) {
            return Ok(vec![classes::section(self)?]);
        }
        let mut sections = Vec::new();
        for slot in 0..self.targets.slots().min(TARGETS) {
            sections.push(numbers::section(self, slot));
            if let Some(section) = intervals::section(self, slot)? {
                sections.push(section);
            }
        }
        if let Some(last) = sections.last_mut()
            && self.targets.slots() > TARGETS
        {
            last.notes.push(format!(
                "{} more targets are not shown",
                self.targets.slots() - TARGETS
            ));
        }
        Ok(sections)
    }

    fn name(&self, slot: usize) -> &str {
        self.names.get(slot).copied().unwrap_or("target")
    }
}
