//! What is left of a relaxed cell.

use forge_nn::{ForgeError, check};

/// One edge that is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edge {
    /// The operation, an index into the operations of the search space.
    pub operation: usize,
    /// The state that it reads: inputs first, then nodes.
    pub source: usize,
}

/// The discrete cell of a relaxed one: for each node the `kept` edges whose strongest operation
/// other than `none` has the largest probability, best first.
///
/// Edges stand node by node, and for each node source by source: node `i` reads the `n_inputs`
/// inputs and the nodes before it. Liu, Simonyan & Yang, arXiv 1806.09055, §2.4.
///
/// # Errors
/// A config error if `n_inputs`, `kept` or the number of operations is 0; a shape error if the
/// edges do not make whole nodes or are not of the same width.
pub fn strongest_edges(
    logits: &[Vec<f64>],
    n_inputs: usize,
    none: Option<usize>,
    kept: usize,
) -> Result<Vec<Vec<Edge>>, ForgeError> {
    check::at_least_one("n_inputs", n_inputs)?;
    check::at_least_one("kept", kept)?;
    let width = logits.first().map_or(0, Vec::len);
    check::at_least_one(
        "operations",
        width - usize::from(none.is_some_and(|none| none < width)),
    )?;
    if let Some(other) = logits.iter().find(|edge| edge.len() != width) {
        return Err(ForgeError::shape(
            "the strengths of an edge",
            other.len(),
            width,
        ));
    }
    let (mut nodes, mut rest) = (vec![], logits);
    while !rest.is_empty() {
        let sources = n_inputs + nodes.len();
        let Some((own, later)) = rest.split_at_checked(sources) else {
            let found = format!("{} edges for node {}", rest.len(), nodes.len());
            return Err(ForgeError::shape("the cell", found, sources));
        };
        let mut edges: Vec<(f64, Edge)> = own
            .iter()
            .enumerate()
            .filter_map(|(source, logits)| {
                let (operation, probability) = strongest(logits, none)?;
                Some((probability, Edge { operation, source }))
            })
            .collect();
        edges.sort_by(|a, b| b.0.total_cmp(&a.0));
        nodes.push(edges.into_iter().take(kept).map(|(_, edge)| edge).collect());
        rest = later;
    }
    Ok(nodes)
}

/// The most probable operation other than `none`, and its probability among all.
fn strongest(logits: &[f64], none: Option<usize>) -> Option<(usize, f64)> {
    let most = logits.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let sum: f64 = logits.iter().map(|logit| (logit - most).exp()).sum();
    let others = logits
        .iter()
        .enumerate()
        .filter(|(at, _)| Some(*at) != none);
    let (best, logit) = others.max_by(|a, b| a.1.total_cmp(b.1))?;
    Some((best, (logit - most).exp() / sum))
}
