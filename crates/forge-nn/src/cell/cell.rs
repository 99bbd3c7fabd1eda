//! A cell as a layer.

use burn::module::Module;
use burn::tensor::{Bool, Device, Tensor};

use super::{Genotype, GenotypeEdge, OperationLayer};

/// The layer that a [`Genotype`] describes: node `i` is the sum of its edges' operations, and the
/// output the nodes side by side.
///
/// Liu, Simonyan & Yang, "DARTS", arXiv 1806.09055, section 2.1.
#[derive(Module, Debug)]
pub struct Cell {
    /// Of each node.
    pub nodes: Vec<CellNode>,
}

/// The edges into a node.
#[derive(Module, Debug)]
pub struct CellNode {
    /// In the order of the genotype.
    pub edges: Vec<OperationLayer>,
    #[module(skip)]
    sources: Vec<usize>,
}

impl Cell {
    /// A cell on tokens `width` wide (at least 1) of a genotype that is
    /// [valid](Genotype::validate).
    #[must_use]
    pub fn new(genotype: &Genotype, width: usize, device: &Device) -> Self {
        let node = |edges: &Vec<GenotypeEdge>| CellNode {
            edges: edges
                .iter()
                .map(|edge| OperationLayer::new(edge.operation, width, device))
                .collect(),
            sources: edges.iter().map(|edge| edge.source).collect(),
        };
        Self {
            nodes: genotype.nodes.iter().map(node).collect(),
        }
    }

    /// Applies the cell to its two inputs.
    ///
    /// # Shapes
    /// - inputs: `[B, T, D]` each
    /// - valid: `[B, T]`, true for tokens that count
    /// - output: `[B, T, nodes · D]`
    ///
    /// # Panics
    /// If the inputs are of another width than the cell.
    #[must_use]
    pub fn forward(
        &self,
        inputs: [Tensor<3>; Genotype::INPUTS],
        valid: Option<&Tensor<2, Bool>>,
    ) -> Tensor<3> {
        let mut states = Vec::from(inputs);
        for node in &self.nodes {
            let edges = node.edges.iter().zip(&node.sources);
            let said = edges.map(|(edge, source)| edge.forward(states[*source].clone(), valid));
            let sum = said.reduce(Tensor::add);
            // A valid genotype has an edge into each node.
            states.extend(sum);
        }
        Tensor::cat(states.split_off(Genotype::INPUTS), 2)
    }
}
