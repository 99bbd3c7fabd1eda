//! The launches of the backward pass.

use burn::backend::ops::FloatTensorOps;
use burn_cubecl::CubeBackend;
use burn_cubecl::tensor::CubeTensor;

use super::call::{Call, buffer};
use super::heads::Heads;
use super::{backward_bias, backward_keys, backward_queries};
use crate::ops::cube::launch::{empty, heavy, packed};

/// The gradients of queries, keys and values, and of the bias (`[1, 1, 1]` zero without one).
pub(super) fn run(
    call: &Call,
    output: Heads,
    softmax: CubeTensor,
    dy: Heads,
) -> ([Heads; 3], CubeTensor) {
    let like = &call.q.tensor;
    let dtype = call.dtype();
    let [dq, dk, dv] =
        [&call.q, &call.k, &call.v].map(|input| Heads::empty(like, input.dims, dtype));
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
    let softmax = packed(softmax);
    let along = queries(call, &output, &softmax, &dy, &dq);
    keys(call, &softmax, &along, &dy, [&dk, &dv]);
    let dbias = if call.bias.is_some() {
        CubeBackend::float_cast(bias(call, softmax, along, &dy, bias_dims), dtype.into())
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
    let like = &call.q.tensor;
    let [batch, heads, queries, _] = call.q.dims;
    let along = empty(like, [batch, heads, queries], call.compute());
    let plan = call.plan(&[output, dy, dq]);
    let vector = plan.features;
    let (count, dim) = heavy(like, batch * heads * queries.div_ceil(plan.rows));
    // SAFETY: units without rows stop; indices of rows are clamped to those that exist.
    unsafe {
        backward_queries::backward::launch_unchecked(
            &like.client,
            count,
            dim,
            call.address_type(&[&output.tensor, &dy.tensor, &dq.tensor]),
            vector,
            plan.rows,
            call.q.tensor.clone().into_buffer_arg(),
            call.k.tensor.clone().into_buffer_arg(),
            call.v.tensor.clone().into_buffer_arg(),
            buffer(&call.bias).into(),
            buffer(&call.mask).into(),
            buffer(&call.drawn).into(),
            output.tensor.clone().into_buffer_arg(),
            softmax.clone().into_buffer_arg(),
            dy.tensor.clone().into_buffer_arg(),
            dq.tensor.clone().into_buffer_arg(),
            along.clone().into_buffer_arg(),
            call.q.strides.launch(vector),
            call.k.strides.launch(vector),
            call.v.strides.launch(vector),
            output.strides.launch(vector),
            dy.strides.launch(vector),
            dq.strides.launch(vector),
            call.problem(),
            plan.form,
            call.dtypes(),
        );
    }
    along
}

/// Fills `dk` and `dv`.
fn keys(call: &Call, softmax: &CubeTensor, along: &CubeTensor, dy: &Heads, [dk, dv]: [&Heads; 2]) {
    let like = &call.q.tensor;
    let [batch, groups, keys, _] = call.k.dims;
    let plan = call.plan(&[dy, dk, dv]);
    let vector = plan.features;
    let (count, dim) = heavy(like, batch * groups * keys.div_ceil(plan.rows));
    // SAFETY: as above.
    unsafe {
        backward_keys::backward::launch_unchecked(
            &like.client,
            count,
            dim,
            call.address_type(&[&dy.tensor, &dk.tensor, &dv.tensor]),
            vector,
            plan.rows,
            call.q.tensor.clone().into_buffer_arg(),
            call.k.tensor.clone().into_buffer_arg(),
            call.v.tensor.clone().into_buffer_arg(),
            buffer(&call.bias).into(),
            buffer(&call.mask).into(),
            buffer(&call.drawn).into(),
            softmax.clone().into_buffer_arg(),
            along.clone().into_buffer_arg(),
            dy.tensor.clone().into_buffer_arg(),
            dk.tensor.clone().into_buffer_arg(),
            dv.tensor.clone().into_buffer_arg(),
            call.q.strides.launch(vector),
            call.k.strides.launch(vector),
            call.v.strides.launch(vector),
            dy.strides.launch(vector),
            dk.strides.launch(vector),
            dv.strides.launch(vector),
            call.problem(),
            plan.form,
            call.dtypes(),
        );
    }
}

/// The gradient of the bias, in the type of sums.
fn bias(
    call: &Call,
    softmax: CubeTensor,
    along: CubeTensor,
    dy: &Heads,
    dims: [usize; 3],
) -> CubeTensor {
    let like = &call.q.tensor;
    let dbias = empty(like, dims, call.compute());
    let plan = call.plan(&[dy]);
    let vector = plan.features;
    let (count, dim) = heavy(like, dims[0] * dims[1].div_ceil(plan.rows));
    // SAFETY: as above.
    unsafe {
        backward_bias::backward::launch_unchecked(
            &like.client,
            count,
            dim,
            call.address_type(&[&dy.tensor, &dbias]),
            vector,
            plan.rows,
            call.q.tensor.clone().into_buffer_arg(),
            call.k.tensor.clone().into_buffer_arg(),
            call.v.tensor.clone().into_buffer_arg(),
            buffer(&call.bias).into(),
            buffer(&call.mask).into(),
            buffer(&call.drawn).into(),
            softmax.into_buffer_arg(),
            along.into_buffer_arg(),
            dy.tensor.clone().into_buffer_arg(),
            dbias.clone().into_buffer_arg(),
            call.q.strides.launch(vector),
            call.k.strides.launch(vector),
            call.v.strides.launch(vector),
            dy.strides.launch(vector),
            call.problem(),
            plan.form,
            call.dtypes(),
        );
    }
    dbias
}
