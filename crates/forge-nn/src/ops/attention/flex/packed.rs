//! Packed queries, keys and values, read and written where the projection left them.

use burn::backend::TensorMetadata;
use burn::backend::flex::FlexTensor;

use super::scores::Call;
use super::{
    Heads, MaskBytes, Sizes, backward as tiles_backward, contiguous_mask, forward as tiles,
};
use crate::ops::attention::{AttentionParams, PackedHeads};
use crate::ops::flex::Real;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::view::Dense;

/// The features of one token of `qkv`.
fn token_width(heads: PackedHeads, width: usize) -> usize {
    (heads.heads + 2 * heads.groups) * width
}

/// The sizes of a call whose shapes fit: the kernels reach into memory by them.
fn sizes(qkv: &FlexTensor, heads: PackedHeads, mask: Option<&FlexTensor>) -> Sizes {
    let shape = qkv.shape();
    let PackedHeads { heads, groups } = heads;
    let parts = heads + 2 * groups;
    assert!(
        shape.len() == 3 && shape[2].is_multiple_of(parts) && heads.is_multiple_of(groups),
        "attention: {shape:?} is not {heads} + 2 · {groups} heads"
    );
    let width = shape[2] / parts;
    let sizes = Sizes {
        batch: shape[0],
        heads,
        groups,
        queries: shape[1],
        keys: shape[1],
        width,
        value_width: width,
    };
    sizes.assert_mask(mask);
    sizes
}

/// Heads of `width` features from feature `first` on, in tokens of `token` features.
fn part<P>(start: P, sizes: &Sizes, token: usize) -> Heads<P> {
    Heads {
        start,
        batch_stride: sizes.queries * token,
        head_stride: sizes.width,
        token_stride: token,
    }
}

fn call<'a, E: Real>(
    qkv: &'a [E],
    mask: Option<&'a FlexTensor>,
    sizes: Sizes,
    heads: PackedHeads,
    params: AttentionParams,
) -> Call<'a, E> {
    let token = token_width(heads, sizes.width);
    let key = heads.heads * sizes.width;
    let value = key + heads.groups * sizes.width;
    Call {
        sizes,
        params,
        q: part(qkv.as_ptr(), &sizes, token),
        k: part(qkv[key..].as_ptr(), &sizes, token),
        v: part(qkv[value..].as_ptr(), &sizes, token),
        bias: None,
        mask: mask.map(MaskBytes::of),
    }
}

pub(super) fn forward<E: Real>(
    qkv: FlexTensor,
    mask: Option<FlexTensor>,
    heads: PackedHeads,
    params: AttentionParams,
) -> (FlexTensor, FlexTensor) {
    let sizes = sizes(&qkv, heads, mask.as_ref());
    let qkv = Dense::of(qkv);
    let mask = mask.map(contiguous_mask);
    let call = call(qkv.slice::<E>(), mask.as_ref(), sizes, heads, params);
    let Sizes {
        batch,
        heads,
        queries,
        width,
        ..
    } = sizes;
    let mut output = Buffer::<E>::new(&[batch, queries, heads, width]);
    let mut statistics = Buffer::<E>::new(&[batch, heads, queries, 2]);
    let out = part(output.as_mut().as_mut_ptr(), &sizes, heads * width);
    tiles::run(&call, out, statistics.as_mut());
    (
        output.into_tensor([batch, queries, heads * width]),
        statistics.into_tensor([batch, heads, queries, 2]),
    )
}

pub(super) fn backward<E: Real>(
    qkv: FlexTensor,
    mask: Option<FlexTensor>,
    [output, statistics, dy]: [FlexTensor; 3],
    heads: PackedHeads,
    params: AttentionParams,
) -> FlexTensor {
    let sizes = sizes(&qkv, heads, mask.as_ref());
    let output_shape = [sizes.batch, sizes.queries, sizes.heads * sizes.width];
    sizes.assert_saved(&output_shape, [&output, &statistics, &dy]);
    let shape = qkv.shape();
    let [qkv, output, statistics, dy] = [qkv, output, statistics, dy].map(Dense::of);
    let mask = mask.map(contiguous_mask);
    let call = call(qkv.slice::<E>(), mask.as_ref(), sizes, heads, params);
    let row = heads.heads * sizes.width;
    let saved = tiles_backward::Saved {
        output: part(output.slice::<E>().as_ptr(), &sizes, row),
        statistics: statistics.slice::<E>(),
        dy: part(dy.slice::<E>().as_ptr(), &sizes, row),
    };
    let len = qkv.slice::<E>().len();
    let mut dqkv = Buffer::<E>::new(&[len]);
    let token = token_width(heads, sizes.width);
    let start = dqkv.as_mut().as_mut_ptr();
    let (key, value) = (row, row + heads.groups * sizes.width);
    // SAFETY: keys and values start within the first token of the buffer.
    let (dk, dv) = unsafe { (start.add(key), start.add(value)) };
    let gradients = tiles_backward::Gradients {
        dq: part(start, &sizes, token),
        dk: part(dk, &sizes, token),
        dv: part(dv, &sizes, token),
    };
    tiles_backward::run(&call, &saved, &gradients, None);
    dqkv.into_tensor(shape)
}
