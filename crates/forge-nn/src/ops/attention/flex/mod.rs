//! Attention on `flex`: tiles of scores that stay in the cache, an online softmax over them, and
//! a backward pass that recomputes the scores from saved row statistics. Memory is linear in the
//! number of tokens in both passes.
//!
//! Heads are read and written where they lie: inputs may have any strides as long as the features
//! of a head are adjacent, and results are stored as `[B, T, H, D]`, which is what the projections
//! around an attention layer want, and seen as `[B, H, T, D]`.

mod backward;
mod forward;
mod packed;
mod scores;
mod sizes;

use burn::backend::flex::FlexTensor;
use burn::backend::tensor::BoolTensor;
use burn::backend::{DType, Flex, TensorMetadata};

use self::sizes::Sizes;
use super::{AttentionOps, AttentionParams, PackedHeads, packed_reference, reference};
use crate::ops::extent::elements;
use crate::ops::flex::buffer::Buffer;
use crate::ops::flex::view::{Dense, by_dtype, with_adjacent_features};
use crate::ops::flex::{Matrix, Real};
use crate::ops::optional::{OptionalBool, OptionalFloat};

impl AttentionOps for Flex {
    fn fused_packed_attention(
        qkv: FlexTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> FlexTensor {
        Self::fused_packed_attention_forward(qkv, mask, drawn, heads, params).0
    }

    fn fused_packed_attention_forward(
        qkv: FlexTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> (FlexTensor, FlexTensor) {
        let params = params.with_drawn::<Self>(drawn);
        let mask = mask.into_option();
        if !readable(mask.as_ref()) {
            return packed_reference::forward::<Self>(qkv, mask, heads, &params);
        }
        by_dtype!([&qkv], E => {
            packed::forward::<E>(qkv, mask, heads, params)
        }, packed_reference::forward::<Self>(qkv, mask, heads, &params))
    }

    fn fused_packed_attention_backward(
        qkv: FlexTensor,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        output: FlexTensor,
        statistics: FlexTensor,
        dy: FlexTensor,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> FlexTensor {
        let params = params.with_drawn::<Self>(drawn);
        let mask = mask.into_option();
        if !readable(mask.as_ref()) {
            return packed_reference::backward::<Self>(qkv, mask, dy, heads, &params);
        }
        by_dtype!([&qkv, &output, &statistics, &dy], E => {
            packed::backward::<E>(qkv, mask, [output, statistics, dy], heads, params)
        }, packed_reference::backward::<Self>(qkv, mask, dy, heads, &params))
    }

    fn fused_attention(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> FlexTensor {
        Self::fused_attention_forward(q, k, v, bias, mask, drawn, params).0
    }

    fn fused_attention_forward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> (FlexTensor, FlexTensor) {
        let params = params.with_drawn::<Self>(drawn);
        let (bias, mask) = (bias.into_option(), mask.into_option());
        let known_bias = bias.as_ref().unwrap_or(&q);
        if !readable(mask.as_ref()) {
            let (output, log_sum, _) = reference::forward::<Self>(q, k, v, bias, mask, &params);
            return (output, log_sum);
        }
        by_dtype!([&q, &k, &v, known_bias], E => {
            forward_tensors::<E>(q, k, v, bias, mask, params)
        }, {
            let (output, log_sum, _) = reference::forward::<Self>(q, k, v, bias, mask, &params);
            (output, log_sum)
        })
    }

    fn fused_attention_backward(
        q: FlexTensor,
        k: FlexTensor,
        v: FlexTensor,
        bias: OptionalFloat<Self>,
        mask: OptionalBool<Self>,
        drawn: OptionalFloat<Self>,
        output: FlexTensor,
        statistics: FlexTensor,
        dy: FlexTensor,
        params: AttentionParams,
    ) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
        let params = params.with_drawn::<Self>(drawn);
        let (bias, mask) = (bias.into_option(), mask.into_option());
        let known_bias = bias.as_ref().unwrap_or(&q);
        if !readable(mask.as_ref()) {
            return reference::backward::<Self>(q, k, v, bias, mask, dy, &params);
        }
        by_dtype!([&q, &k, &v, known_bias, &output, &statistics, &dy], E => {
            backward_tensors::<E>([q, k, v], bias, mask, [output, statistics, dy], params)
        }, reference::backward::<Self>(q, k, v, bias, mask, dy, &params))
    }
}

/// Whether the mask is stored as one byte per element, which all of flex's are today.
///
/// # Panics
/// If it has more elements than can be addressed.
fn readable(mask: Option<&BoolTensor<Flex>>) -> bool {
    mask.is_none_or(|mask| {
        elements(&mask.shape()) > 0 && mask.dtype().size() == 1 && mask.dtype() != DType::I8
    })
}

/// `[B, H, T, D]` in memory, features adjacent.
#[derive(Clone, Copy, Debug)]
struct Heads<P> {
    start: P,
    batch_stride: usize,
    head_stride: usize,
    token_stride: usize,
}

// SAFETY: the kernels read through these pointers, or write disjoint heads, while the tensors
// behind them are borrowed.
unsafe impl<P> Send for Heads<P> {}
// SAFETY: as above.
unsafe impl<P> Sync for Heads<P> {}

impl<E> Heads<*const E> {
    /// Tokens from `token` on of one head.
    ///
    /// # Safety
    /// The indices lie within the tensor.
    unsafe fn at(&self, batch: usize, head: usize, token: usize) -> Matrix<*const E> {
        let offset =
            batch * self.batch_stride + head * self.head_stride + token * self.token_stride;
        // SAFETY: by the caller.
        Matrix::new(unsafe { self.start.add(offset) }, self.token_stride)
    }
}

impl<E> Heads<*mut E> {
    /// As for constant pointers.
    ///
    /// # Safety
    /// The indices lie within the tensor.
    unsafe fn at(&self, batch: usize, head: usize, token: usize) -> Matrix<*mut E> {
        let offset =
            batch * self.batch_stride + head * self.head_stride + token * self.token_stride;
        // SAFETY: by the caller.
        Matrix::new(unsafe { self.start.add(offset) }, self.token_stride)
    }
}

/// A pointer whose targets are written by one task each.
struct Shared<E>(*mut E);
// SAFETY: see the type.
unsafe impl<E> Send for Shared<E> {}
// SAFETY: see the type.
unsafe impl<E> Sync for Shared<E> {}

impl<E> Shared<E> {
    fn get(&self) -> *mut E {
        self.0
    }
}

fn heads<E: Real>(tensor: &FlexTensor) -> Heads<*const E> {
    let layout = tensor.layout();
    let strides = layout.strides();
    Heads {
        start: tensor.storage::<E>()[layout.start_offset()..].as_ptr(),
        batch_stride: strides[0] as usize,
        head_stride: strides[1] as usize,
        token_stride: strides[2] as usize,
    }
}

/// A fresh `[B, T, H, D]` buffer seen as heads.
fn fresh_heads<E: Real>(
    buffer: &mut Buffer<E>,
    heads: usize,
    tokens: usize,
    width: usize,
) -> Heads<*mut E> {
    Heads {
        start: buffer.as_mut().as_mut_ptr(),
        batch_stride: tokens * heads * width,
        head_stride: width,
        token_stride: heads * width,
    }
}

/// The mask's bytes; broadcast axes have stride 0.
#[derive(Clone, Copy, Debug)]
struct MaskBytes<'a> {
    bytes: &'a [u8],
    strides: [usize; 4],
}

impl<'a> MaskBytes<'a> {
    fn of(mask: &'a FlexTensor) -> Self {
        let shape = mask.shape();
        let mut strides = [0; 4];
        let mut stride = 1;
        for axis in (0..4).rev() {
            strides[axis] = if shape[axis] == 1 { 0 } else { stride };
            stride *= shape[axis];
        }
        Self {
            bytes: &mask.bytes()[mask.layout().start_offset()..],
            strides,
        }
    }

    /// The byte of a query for key 0, and the stride from key to key.
    fn row(&self, batch: usize, head: usize, query: usize) -> (&'a [u8], usize) {
        let [b, h, q, k] = self.strides;
        (&self.bytes[batch * b + head * h + query * q..], k)
    }
}

fn contiguous_mask(mask: FlexTensor) -> FlexTensor {
    if mask.is_contiguous() {
        mask
    } else {
        mask.to_contiguous()
    }
}

fn forward_tensors<E: Real>(
    q: FlexTensor,
    k: FlexTensor,
    v: FlexTensor,
    bias: Option<FlexTensor>,
    mask: Option<FlexTensor>,
    params: AttentionParams,
) -> (FlexTensor, FlexTensor) {
    let sizes = Sizes::of(&q, &k, &v, bias.as_ref(), mask.as_ref());
    let [q, k, v] = [q, k, v].map(with_adjacent_features);
    let bias = bias.map(Dense::of);
    let mask = mask.map(contiguous_mask);
    let call = scores::Call {
        sizes,
        params,
        q: heads::<E>(&q),
        k: heads::<E>(&k),
        v: heads::<E>(&v),
        bias: bias.as_ref().map(|bias| bias.slice::<E>()),
        mask: mask.as_ref().map(MaskBytes::of),
    };
    let Sizes {
        batch,
        heads,
        queries,
        value_width,
        ..
    } = sizes;
    let mut output = Buffer::<E>::new(&[batch, heads, queries, value_width]);
    let mut statistics = Buffer::<E>::new(&[batch, heads, queries, 2]);
    let out = fresh_heads(&mut output, heads, queries, value_width);
    forward::run(&call, out, statistics.as_mut());
    (
        output.into_heads([batch, heads, queries, value_width]),
        statistics.into_tensor([batch, heads, queries, 2]),
    )
}

fn backward_tensors<E: Real>(
    [q, k, v]: [FlexTensor; 3],
    bias: Option<FlexTensor>,
    mask: Option<FlexTensor>,
    [output, statistics, dy]: [FlexTensor; 3],
    params: AttentionParams,
) -> (FlexTensor, FlexTensor, FlexTensor, FlexTensor) {
    let sizes = Sizes::of(&q, &k, &v, bias.as_ref(), mask.as_ref());
    let output_shape = [sizes.batch, sizes.heads, sizes.queries, sizes.value_width];
    sizes.assert_saved(&output_shape, [&output, &statistics, &dy]);
    let [q, k, v, output, dy] = [q, k, v, output, dy].map(with_adjacent_features);
    let (bias, statistics) = (bias.map(Dense::of), Dense::of(statistics));
    let mask = mask.map(contiguous_mask);
    let call = scores::Call {
        sizes,
        params,
        q: heads::<E>(&q),
        k: heads::<E>(&k),
        v: heads::<E>(&v),
        bias: bias.as_ref().map(|bias| bias.slice::<E>()),
        mask: mask.as_ref().map(MaskBytes::of),
    };
    let saved = backward::Saved {
        output: heads::<E>(&output),
        statistics: statistics.slice::<E>(),
        dy: heads::<E>(&dy),
    };
    let Sizes {
        batch,
        heads,
        groups,
        queries,
        keys,
        width,
        value_width,
    } = sizes;
    let mut dq = Buffer::<E>::new(&[batch, heads, queries, width]);
    let mut dk = Buffer::<E>::new(&[batch, groups, keys, width]);
    let mut dv = Buffer::<E>::new(&[batch, groups, keys, value_width]);
    let dbias_shape = if bias.is_some() {
        [heads, queries, keys]
    } else {
        [1, 1, 1]
    };
    let mut dbias = Buffer::<E>::zeros(&dbias_shape);
    let gradients = backward::Gradients {
        dq: fresh_heads(&mut dq, heads, queries, width),
        dk: fresh_heads(&mut dk, groups, keys, width),
        dv: fresh_heads(&mut dv, groups, keys, value_width),
    };
    backward::run(
        &call,
        &saved,
        &gradients,
        bias.is_some().then(|| dbias.as_mut()),
    );
    (
        dq.into_heads([batch, heads, queries, width]),
        dk.into_heads([batch, groups, keys, width]),
        dv.into_heads([batch, groups, keys, value_width]),
        dbias.into_tensor(dbias_shape),
    )
}
