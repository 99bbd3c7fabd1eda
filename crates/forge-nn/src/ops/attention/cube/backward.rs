//! The launches of the backward pass.

use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::call::{Call, launch};
use super::heads::Heads;
use super::{backward_bias, backward_keys, backward_queries, matrix};
use crate::ops::cube::launch::{empty, packed};

/// The gradients of queries, keys and values, and of the bias (`[1, 1, 1]` zero without one).
pub(super) fn run(
    call: &Call,
    output: Heads,
    softmax: CubeTensor,
    dy: Heads,
) -> ([Heads; 3], CubeTensor) {
    call.assert_types(&[("output", &output), ("dy", &dy)]);
    let like = &call.q.tensor;
    let dtype = call.dtype();
    let bias_dims = call.bias.as_ref().map_or([1, 1, 1], |_| {
        [call.q.dims[1], call.q.dims[2], call.k.dims[2]]
    });
    let zeros = |shape: &[usize]| {
        CubeBackend::float_zeros(shape.to_vec().into(), &like.device, dtype.into())
    };
    if call.q.dims.contains(&0) || call.v.dims.contains(&0) {
        let empty = [&call.q, &call.k, &call.v].map(|input| Heads::new(zeros(&input.dims)));
        return (empty, zeros(&bias_dims));
    }
    if matrix::pays(call) {
        let gradients = matrix::backward(call, &output, softmax, &dy);
        return (gradients, zeros(&bias_dims));
    }
    let [dq, dk, dv] =
        [&call.q, &call.k, &call.v].map(|input| Heads::empty(like, input.dims, dtype));
    let softmax = packed(softmax);
    let along = queries(call, &output, &softmax, &dy, &dq);
    keys(call, &softmax, &along, &dy, [&dk, &dv]);
    let dbias = if call.bias.is_some() {
        CubeBackend::float_cast(bias(call, &softmax, &along, &dy, bias_dims), dtype.into())
    } else {
        zeros(&bias_dims)
    };
    ([dq, dk, dv], dbias)
}

/// Fills `dq`; returns each row's `dy · output`.
fn queries(
    call: &Call,
    output: &Heads,
    softmax: &CubeTensor,
    dy: &Heads,
    dq: &Heads,
) -> CubeTensor {
    let [batch, heads, queries, _] = call.q.dims;
    let along = empty(&call.q.tensor, [batch, heads, queries], call.compute());
    launch!(
        backward_queries::backward,
        call,
        Queries,
        touches [output, dy, dq],
        buffers [output.tensor, softmax, dy.tensor, dq.tensor, along],
        layouts [output, dy, dq],
    );
    along
}

/// Fills `dk` and `dv`.
fn keys(call: &Call, softmax: &CubeTensor, along: &CubeTensor, dy: &Heads, [dk, dv]: [&Heads; 2]) {
    launch!(
        backward_keys::backward,
        call,
        Keys,
        touches [dy, dk, dv],
        buffers [softmax, along, dy.tensor, dk.tensor, dv.tensor],
        layouts [dy, dk, dv],
    );
}

/// The gradient of the bias, in the type of sums.
fn bias(
    call: &Call,
    softmax: &CubeTensor,
    along: &CubeTensor,
    dy: &Heads,
    dims: [usize; 3],
) -> CubeTensor {
    let dbias = empty(&call.q.tensor, dims, call.compute());
    launch!(
        backward_bias::backward,
        call,
        QueriesOnce,
        touches [dy],
        buffers [softmax, along, dy.tensor, dbias],
        layouts [dy],
    );
    dbias
}
