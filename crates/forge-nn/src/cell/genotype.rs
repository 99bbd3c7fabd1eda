//! A cell as data.

use serde::{Deserialize, Serialize};

use super::Operation;
use crate::{ForgeError, check};

/// An architecture of a cell: for each node the edges that it sums.
///
/// `{"nodes": [[{"operation": "linear_relu", "source": 0}, {"operation": "skip_connect", "source": 1}]]}`
///
/// ```
/// use forge_nn::cell::Genotype;
///
/// let text = r#"{"nodes": [[{"operation": "linear_relu", "source": 0}]]}"#;
/// let genotype = Genotype::from_json(text)?;
/// assert_eq!(Genotype::from_json(&genotype.to_json()?)?, genotype);
/// let error = Genotype::from_json(&text.replace("relu", "rleu")).err();
/// let error = error.map(|e| e.to_string()).unwrap_or_default();
/// assert!(error.contains("linear_rleu") && error.contains("linear_relu"), "{error}");
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Genotype {
    /// The nodes in order, 1 to [`Genotype::MOST_NODES`]; each has at least one edge.
    pub nodes: Vec<Vec<GenotypeEdge>>,
}

/// What a node adds up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GenotypeEdge {
    /// What is done.
    pub operation: Operation,
    /// The state that it reads: the cell's two inputs are 0 and 1, node `i` is `2 + i`. One before the
    /// node that reads it.
    pub source: usize,
}

impl Genotype {
    /// Inputs of a cell.
    pub const INPUTS: usize = 2;
    /// Most nodes of a cell, and most edges into one.
    pub const MOST_NODES: usize = 64;

    /// Checks the nodes.
    ///
    /// # Errors
    /// A config error that names the node or edge, what it is and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let most = 1..=Self::MOST_NODES;
        check::in_range("number of nodes", self.nodes.len(), most.clone())?;
        for (i, edges) in self.nodes.iter().enumerate() {
            check::in_range(&format!("edges of nodes[{i}]"), edges.len(), most.clone())?;
            for (j, edge) in edges.iter().enumerate() {
                let field = format!("nodes[{i}][{j}].source");
                check::in_range(&field, edge.source, 0..Self::INPUTS + i)?;
            }
        }
        Ok(())
    }

    /// Reads a genotype.
    ///
    /// # Errors
    /// A config error: bad JSON, an unknown operation (with those there are), and what
    /// [`validate`](Self::validate) finds.
    pub fn from_json(text: &str) -> Result<Self, ForgeError> {
        let bad = |e: serde_json::Error| ForgeError::config("genotype", "JSON", e);
        let genotype: Self = serde_json::from_str(text).map_err(bad)?;
        genotype.validate()?;
        Ok(genotype)
    }

    /// As [`from_json`](Self::from_json) reads it.
    ///
    /// # Errors
    /// A config error if it cannot be written, which no genotype brings about.
    pub fn to_json(&self) -> Result<String, ForgeError> {
        serde_json::to_string(self).map_err(|e| ForgeError::config("genotype", "a value", e))
    }

    /// All edges.
    pub fn edges(&self) -> impl Iterator<Item = GenotypeEdge> {
        self.nodes.iter().flatten().copied()
    }

    /// Number of trainable parameters of a [`Cell`](super::Cell) on tokens `width` wide.
    #[must_use]
    pub fn parameter_count(&self, width: usize) -> usize {
        let edges = self.edges();
        edges.map(|e| e.operation.parameter_count(width)).sum()
    }
}
