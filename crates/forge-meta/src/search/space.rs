//! What a search chooses from.

use forge_nn::cell::{Genotype, GenotypeEdge, Operation};
use forge_nn::{ForgeError, check};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use serde::{Deserialize, Serialize};

use super::strongest_edges;

/// Operations, and the number of nodes that they connect.
///
/// Node `i` may read the cell's two inputs and the nodes before it; each pair is an *edge*. Edges stand
/// node by node, and for each node source by source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SearchSpace {
    /// What may stand on an edge: at least two, each once, one of them not `none`.
    pub operations: Vec<Operation>,
    /// Nodes of the cell, 1 to 64.
    pub n_nodes: usize,
}

/// One choice of everything in a space: `[source, operation, source, operation]` of each node.
pub type CellArc = Vec<usize>;

impl SearchSpace {
    /// Edges into a node that a found cell keeps.
    pub const KEPT: usize = 2;

    /// For rows of tables: [`Operation::ROWS`] over 4 nodes.
    #[must_use]
    pub fn rows() -> Self {
        Self {
            operations: Operation::ROWS.into(),
            n_nodes: 4,
        }
    }

    /// For sequences: [`Operation::TOKENS`] over 4 nodes.
    #[must_use]
    pub fn tokens() -> Self {
        Self {
            operations: Operation::TOKENS.into(),
            n_nodes: 4,
        }
    }

    /// Checks the fields.
    ///
    /// # Errors
    /// A config error that names the field, its value and what is allowed.
    pub fn validate(&self) -> Result<(), ForgeError> {
        let nodes = 1..=Genotype::MOST_NODES;
        check::in_range("n_nodes", self.n_nodes, nodes)?;
        let count = self.operations.len();
        check::in_range("number of operations", count, 2..=Operation::ALL.len())?;
        for (i, operation) in self.operations.iter().enumerate() {
            if self.operations[..i].contains(operation) {
                let field = format!("operations[{i}]");
                return Err(ForgeError::config(&field, operation, "each operation once"));
            }
        }
        Ok(())
    }

    /// Number of edges.
    #[must_use]
    pub fn n_edges(&self) -> usize {
        self.edge(self.n_nodes, 0)
    }

    /// Where the edge from `source` to `node` stands among all.
    #[must_use]
    pub fn edge(&self, node: usize, source: usize) -> usize {
        let before: usize = (0..node).map(|node| Genotype::INPUTS + node).sum();
        before + source
    }

    /// Where `none` stands among the operations.
    #[must_use]
    pub fn none(&self) -> Option<usize> {
        let mut operations = self.operations.iter();
        operations.position(|operation| *operation == Operation::None)
    }

    /// Numbers in a [`CellArc`].
    #[must_use]
    pub fn arc_len(&self) -> usize {
        2 * Self::KEPT * self.n_nodes
    }

    /// That `arc` is one of this space.
    ///
    /// # Errors
    /// A shape error for another length; a config error that names the number and its range.
    pub fn check_arc(&self, arc: &[usize]) -> Result<(), ForgeError> {
        if arc.len() != self.arc_len() {
            return Err(ForgeError::shape("the arc", arc.len(), self.arc_len()));
        }
        for (at, value) in arc.iter().enumerate() {
            let most = match at % 2 {
                0 => Genotype::INPUTS + at / (2 * Self::KEPT),
                _ => self.operations.len(),
            };
            check::in_range(&format!("arc[{at}]"), *value, 0..most)?;
        }
        Ok(())
    }

    /// A choice, all equally likely.
    #[must_use]
    pub fn random_arc(&self, random: &mut ChaCha8Rng) -> CellArc {
        let numbers = (0..self.arc_len()).map(|at| {
            let most = match at % 2 {
                0 => Genotype::INPUTS + at / (2 * Self::KEPT),
                _ => self.operations.len(),
            };
            random.random_range(0..most)
        });
        numbers.collect()
    }

    /// The cell of a choice.
    ///
    /// # Errors
    /// As [`check_arc`](Self::check_arc).
    pub fn genotype_of_arc(&self, arc: &[usize]) -> Result<Genotype, ForgeError> {
        self.check_arc(arc)?;
        let edge = |pair: &[usize]| GenotypeEdge {
            operation: self.operations[pair[1]],
            source: pair[0],
        };
        let nodes = arc.chunks(2 * Self::KEPT);
        Ok(Genotype {
            nodes: nodes
                .map(|node| node.chunks(2).map(edge).collect())
                .collect(),
        })
    }

    /// What is left of the strengths of all operations on all edges: see [`strongest_edges`].
    ///
    /// # Errors
    /// As [`strongest_edges`]; a config error if the strengths are not those of this space.
    pub fn genotype_of_strengths(&self, strengths: &[Vec<f64>]) -> Result<Genotype, ForgeError> {
        if strengths.len() != self.n_edges() {
            let found = strengths.len();
            return Err(ForgeError::shape("the edges", found, self.n_edges()));
        }
        let kept = strongest_edges(strengths, Genotype::INPUTS, self.none(), Self::KEPT)?;
        let mut nodes = vec![];
        for edges in kept {
            let mut node = vec![];
            for edge in edges {
                let operation = self.operations.get(edge.operation).copied();
                let operation = operation.ok_or_else(|| {
                    let count = self.operations.len();
                    ForgeError::shape("the strengths of an edge", edge.operation + 1, count)
                })?;
                node.push(GenotypeEdge {
                    operation,
                    source: edge.source,
                });
            }
            nodes.push(node);
        }
        Ok(Genotype { nodes })
    }
}
