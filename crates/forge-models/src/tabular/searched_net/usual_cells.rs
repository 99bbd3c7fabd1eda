//! Cells to begin with, before any search.

use forge_nn::cell::{Genotype, GenotypeEdge, Operation};

/// Four nodes with two edges each; node `i` reads the input `i mod 2` and the state before it.
fn four_nodes(operations: [Operation; 4], then: Operation) -> Genotype {
    let node = |(i, operation)| {
        let edge = |operation, source| GenotypeEdge { operation, source };
        vec![edge(operation, i % 2), edge(then, i + 1)]
    };
    Genotype {
        nodes: operations.into_iter().enumerate().map(node).collect(),
    }
}

/// A cell for rows: a feed-forward network with skips, no search's result.
pub(super) fn of_rows() -> Genotype {
    use Operation as Op;
    let each = [
        Op::LinearRelu,
        Op::GatedLinear,
        Op::LinearSilu,
        Op::ResidualLinear,
    ];
    four_nodes(each, Op::LinearGelu)
}

/// A cell for sequences: attention and convolution in turn, no search's result.
pub(super) fn of_tokens() -> Genotype {
    use Operation as Op;
    let each = [
        Op::SelfAttention,
        Op::SeparableConv3,
        Op::SelfAttention,
        Op::SeparableConv5,
    ];
    four_nodes(each, Op::FeedForward)
}
