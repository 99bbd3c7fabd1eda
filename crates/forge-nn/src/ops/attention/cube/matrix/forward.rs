//! The forward pass: products, weights, products.

use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::super::call::Call;
use super::super::heads::Heads;
use super::BLOCK;
use super::block::{Block, blocks};
use super::program;
use super::rows::{part, spread, stored, transposed};
use crate::ops::cube::launch::empty;
use crate::ops::cube::product::product;

/// The output, and `[B, H, Tq, 2]` for the backward pass.
pub(in super::super) fn forward(call: &Call) -> (Heads, CubeTensor) {
    let [batch, heads, queries, _] = call.q.dims;
    let operands = Operands::new(call);
    let softmax = empty(&call.q.tensor, [batch, heads, queries, 2], call.compute());
    let outputs = blocks(call, BLOCK).into_iter().map(|block| {
        let products = operands.products(&block);
        let weights = program::weights(call, &block, &products, &softmax);
        let output = product(weights, operands.values(&block), call.dtype());
        (block, output)
    });
    (stored(joined(outputs.collect())), softmax)
}

/// Queries, keys and values as tensors `[B, H, T, D]`.
pub(super) struct Operands {
    q: CubeTensor,
    k: CubeTensor,
    v: CubeTensor,
    sharing: usize,
    compute: burn::tensor::DType,
}

impl Operands {
    pub(super) fn new(call: &Call) -> Self {
        Self {
            q: call.q.view(),
            k: call.k.view(),
            v: call.v.view(),
            sharing: call.q.dims[1] / call.k.dims[1],
            compute: call.compute(),
        }
    }

    /// Of a tensor over queries, such as the queries.
    pub(super) fn over_queries(&self, x: &CubeTensor, block: &Block) -> CubeTensor {
        let Block {
            batch,
            groups,
            queries,
            ..
        } = block;
        let heads = groups.start * self.sharing..groups.end * self.sharing;
        part(x, batch, &heads, queries)
    }

    fn over_keys(&self, x: &CubeTensor, block: &Block) -> CubeTensor {
        spread(
            part(x, &block.batch, &block.groups, &block.keys),
            self.sharing,
        )
    }

    pub(super) fn queries(&self, block: &Block) -> CubeTensor {
        self.over_queries(&self.q, block)
    }

    pub(super) fn keys(&self, block: &Block) -> CubeTensor {
        self.over_keys(&self.k, block)
    }

    pub(super) fn values(&self, block: &Block) -> CubeTensor {
        self.over_keys(&self.v, block)
    }

    /// `q · k` of each pair.
    pub(super) fn products(&self, block: &Block) -> CubeTensor {
        product(
            self.queries(block),
            transposed(self.keys(block)),
            self.compute,
        )
    }
}

/// The parts of blocks, in their order, as one tensor over queries `[B, H, Tq, D]`.
pub(super) fn joined(parts: Vec<(Block, CubeTensor)>) -> CubeTensor {
    let rows = runs(parts, 2, |a, b| a.batch == b.batch && a.groups == b.groups);
    let heads = runs(rows, 1, |a, b| a.batch == b.batch);
    let mut whole = runs(heads, 0, |_, _| true);
    match whole.pop() {
        Some((_, whole)) => whole,
        None => unreachable!("a call has at least one block"),
    }
}

/// Runs of blocks that go together, each joined along `axis`.
fn runs(
    parts: Vec<(Block, CubeTensor)>,
    axis: usize,
    together: fn(&Block, &Block) -> bool,
) -> Vec<(Block, CubeTensor)> {
    let mut runs: Vec<(Block, Vec<CubeTensor>)> = Vec::new();
    for (block, part) in parts {
        match runs.last_mut() {
            Some((first, run)) if together(first, &block) => run.push(part),
            _ => runs.push((block, vec![part])),
        }
    }
    let join = |mut run: Vec<CubeTensor>| match run.len() {
        1 => run.remove(0),
        _ => CubeBackend::float_cat(run, axis),
    };
    runs.into_iter()
        .map(|(block, run)| (block, join(run)))
        .collect()
}
