//! The prior as data.

use serde::{Deserialize, Serialize};

use crate::DataError;

/// Which tables are drawn. The same config, seed and number give the same table on one machine, bit by
/// bit.
///
/// Each table has its own law: with [`causal`](Self::causal) a structural causal model (features and
/// target are nodes of a random graph), otherwise a Bayesian neural network (features are its
/// inputs, the target its output). Depth, width, dropped edges, size of weights and noise,
/// activation (tanh, ReLU, none), the distribution of root causes, and whether features lie next to
/// each other, are drawn anew for each.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TablePriorConfig {
    /// Rows of a table, labelled ones and others, 8 to 65 536. Default: 128.
    pub rows: usize,
    /// Least and largest part of the rows that is labelled, in `(0, 1)`; uniform between. At least 2
    /// rows are, and 1 is not. Default: 0.3 and 0.9.
    pub labelled: [f64; 2],
    /// Most features, 1 to 1000; from 1 on, uniform. Default: 10.
    pub max_features: usize,
    /// Most classes, 2 to 1000: half of the tables have two, the others 2 to this many, uniform. 0:
    /// the target is a number. Default: 10.
    pub max_classes: usize,
    /// Part of the tables that come from a causal graph, 0 to 1. Default: 0.5.
    pub causal: f64,
    /// Part of the tables with features that are codes of categories, 0 to 1; in each of those a
    /// uniform part of the features is. Default: 0.2.
    pub categorical: f64,
}

impl Default for TablePriorConfig {
    fn default() -> Self {
        Self {
            rows: 128,
            labelled: [0.3, 0.9],
            max_features: 10,
            max_classes: 10,
            causal: 0.5,
            categorical: 0.2,
        }
    }
}

impl TablePriorConfig {
    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        let refuse = |field: &str, value: &dyn std::fmt::Debug, allowed: &str| {
            let message = format!("{field} = {value:?} is out of range: allowed {allowed}");
            Err(DataError::config(message))
        };
        if !(8..=65_536).contains(&self.rows) {
            return refuse("rows", &self.rows, "8 to 65536");
        }
        let [least, most] = self.labelled;
        if !(least > 0.0 && least <= most && most < 1.0) {
            let allowed = "two parts in (0, 1), the smaller one first";
            return refuse("labelled", &self.labelled, allowed);
        }
        if !(1..=1_000).contains(&self.max_features) {
            return refuse("max_features", &self.max_features, "1 to 1000");
        }
        if self.max_classes == 1 || self.max_classes > 1_000 {
            let allowed = "2 to 1000, or 0 for numbers";
            return refuse("max_classes", &self.max_classes, allowed);
        }
        for (field, part) in [("causal", self.causal), ("categorical", self.categorical)] {
            if !(0.0..=1.0).contains(&part) {
                return refuse(field, &part, "0 to 1");
            }
        }
        Ok(())
    }
}
