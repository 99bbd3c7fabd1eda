//! The backward pass: the scores again, their gradients, products.

use burn::backend::TensorMetadata;
use burn::backend::ops::FloatTensorOps;
use burn::tensor::Slice;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::super::call::Call;
use super::super::heads::Heads;
use super::BLOCK;
use super::block::{Block, blocks};
use super::forward::{Operands, joined};
use super::program;
use super::rows::{stored, summed, transposed};
use crate::ops::cube::launch::packed;
use crate::ops::cube::product::product;

/// The gradients of queries, keys and values.
pub(in super::super) fn backward(
    call: &Call,
    output: &Heads,
    softmax: CubeTensor,
    dy: &Heads,
) -> [Heads; 3] {
    let operands = Operands::new(call);
    let softmax = packed(softmax);
    let dy = dy.view();
    let along = along(call, output.view(), dy.clone());
    let mut dq = Vec::new();
    let mut dk = Sum::default();
    let mut dv = Sum::default();
    for block in blocks(call, BLOCK) {
        let products = operands.products(&block);
        let block_dy = operands.over_queries(&dy, &block);
        let values = transposed(operands.values(&block));
        let dweights = product(block_dy.clone(), values, call.compute());
        let (weights, dscores) =
            program::gradients(call, &block, &products, &dweights, &softmax, &along);
        let sharing = call.q.dims[1] / call.k.dims[1];
        let over_rows = |weights: CubeTensor, rows: CubeTensor| {
            summed(product(transposed(weights), rows, call.compute()), sharing)
        };
        dv.add(call, &block, over_rows(weights, block_dy));
        dk.add(
            call,
            &block,
            over_rows(dscores.clone(), operands.queries(&block)),
        );
        dq.push((
            block.clone(),
            product(dscores, operands.keys(&block), call.dtype()),
        ));
    }
    let whole = |sum: Sum| {
        let sum = joined(sum.parts);
        stored(CubeBackend::float_cast(sum, call.dtype().into()))
    };
    [stored(joined(dq)), whole(dk), whole(dv)]
}

/// Each row's `dy · output`, `[B, H, Tq]`.
fn along(call: &Call, output: CubeTensor, dy: CubeTensor) -> CubeTensor {
    let [batch, heads, queries, _] = call.q.dims;
    let compute = call.compute().into();
    let [output, dy] = [output, dy].map(|x| CubeBackend::float_cast(x, compute));
    let sum = CubeBackend::float_sum_dim(CubeBackend::float_mul(output, dy), 3);
    packed(CubeBackend::float_reshape(
        sum,
        [batch, heads, queries].into(),
    ))
}

/// A gradient over keys, of whole groups, to which blocks of queries add.
#[derive(Default)]
struct Sum {
    parts: Vec<(Block, CubeTensor)>,
}

impl Sum {
    fn add(&mut self, call: &Call, block: &Block, part: CubeTensor) {
        let all = 0..call.k.dims[2];
        let continues = self
            .parts
            .last()
            .is_some_and(|(last, _)| last.batch == block.batch && last.groups == block.groups);
        if !continues {
            let part = if block.keys == all {
                part
            } else {
                padded(call, block, part)
            };
            return self.parts.push((block.clone(), part));
        }
        let Some((_, sum)) = self.parts.last_mut() else {
            return;
        };
        let shape = sum.shape();
        let keys = [0..shape[0], 0..shape[1], block.keys.clone(), 0..shape[3]].map(Slice::from);
        let added = if block.keys == all {
            CubeBackend::float_add(sum.clone(), part)
        } else {
            let before = CubeBackend::float_slice(sum.clone(), &keys);
            let after = CubeBackend::float_add(before, part);
            CubeBackend::float_slice_assign(sum.clone(), &keys, after)
        };
        *sum = added;
    }
}

/// With zeros for the keys that the block does not see.
fn padded(call: &Call, block: &Block, part: CubeTensor) -> CubeTensor {
    let shape = part.shape();
    let whole = [shape[0], shape[1], call.k.dims[2], shape[3]];
    let zeros = CubeBackend::float_zeros(whole.into(), &part.device, part.dtype.into());
    let keys = [0..shape[0], 0..shape[1], block.keys.clone(), 0..shape[3]].map(Slice::from);
    CubeBackend::float_slice_assign(zeros, &keys, part)
}
