//! Scaled dot-product attention, the core under every attention layer.

mod backward;
#[cfg(feature = "cube")]
mod cube;
#[cfg(feature = "flex")]
mod flex;
#[cfg(feature = "fusion")]
mod fusion;
mod options;
mod packed_backward;
mod packed_reference;
mod reference;

use super::axes::Axes;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Device, Distribution, Tensor};

pub use options::{AttentionMask, AttentionOptions, AttentionParams, PackedHeads};

use super::dispatch::{draws_on_device, has_traits, masks_from_seed};
use super::dropout_mask::{draw_seed, draw_seed_parts};
use super::extent::assert_addressable;
use super::optional::{OptionalBool, OptionalFloat};
use super::parts::parts;
use super::same_dtype::assert_same_dtype;

/// Attention on backend primitives. Shapes and semantics as in [`attention`]; masks are
/// `[B or 1, H or 1, Tq or 1, Tk]`. The seed of dropout is `drawn`, four whole numbers below 2¹⁶ on
/// the device with the highest first, or `params.seed` where that is absent.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait AttentionOps: Backend {
    /// The output `[B, H, Tq, Dv]`.
    #[fusion(meta = |q, _k, v, _bias, _mask, _drawn, _params| fusion::output(q, v))]
    fn fused_attention(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let params = params.with_drawn::<Self>(drawn);
        reference::forward::<Self>(q, k, v, bias.into_option(), mask.into_option(), &params).0
    }

    /// The output, and what this backend's backward pass wants to know of each row's softmax
    /// (`[B, H, Tq, …]`; the reference gives the log-sums).
    #[fusion(meta = |q, _k, v, _bias, _mask, _drawn, _params| (fusion::output(q, v), fusion::statistics(q)))]
    fn fused_attention_forward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        params: AttentionParams,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let params = params.with_drawn::<Self>(drawn);
        let (output, log_sum, _) =
            reference::forward::<Self>(q, k, v, bias.into_option(), mask.into_option(), &params);
        (output, log_sum)
    }

    /// The gradients of `q`, `k`, `v` and `bias` (`[1, 1, 1]` without a bias).
    #[fusion(meta = |q, k, v, bias, _mask, _drawn, _output, _statistics, _dy, _params| {
        (q.clone(), k.clone(), v.clone(), fusion::bias(q, bias))
    })]
    #[allow(clippy::too_many_arguments, clippy::type_complexity)]
    fn fused_attention_backward(
        q: FloatTensor<Self>,
        k: FloatTensor<Self>,
        v: FloatTensor<Self>,
        #[extension_type] bias: OptionalFloat<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        output: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        params: AttentionParams,
    ) -> (
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
        FloatTensor<Self>,
    ) {
        // Recomputed, not read: only what is a function of the inputs can be differentiated again.
        let _ = (output, statistics);
        let params = params.with_drawn::<Self>(drawn);
        reference::backward::<Self>(q, k, v, bias.into_option(), mask.into_option(), dy, &params)
    }

    /// [`fused_attention`](Self::fused_attention) on packed queries, keys and values
    /// `[B, T, (H + 2 Hkv) D]`; the output is `[B, T, H D]`.
    #[fusion(meta = |qkv, _mask, _drawn, heads, _params| fusion::packed_output(qkv, heads))]
    fn fused_packed_attention(
        qkv: FloatTensor<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let params = params.with_drawn::<Self>(drawn);
        packed_reference::forward::<Self>(qkv, mask.into_option(), heads, &params).0
    }

    /// The packed output, and statistics as in
    /// [`fused_attention_forward`](Self::fused_attention_forward).
    #[fusion(meta = |qkv, _mask, _drawn, heads, _params| {
        (fusion::packed_output(qkv, heads), fusion::packed_statistics(qkv, heads))
    })]
    fn fused_packed_attention_forward(
        qkv: FloatTensor<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> (FloatTensor<Self>, FloatTensor<Self>) {
        let params = params.with_drawn::<Self>(drawn);
        packed_reference::forward::<Self>(qkv, mask.into_option(), heads, &params)
    }

    /// The gradient of `qkv`.
    #[allow(clippy::too_many_arguments)]
    #[fusion(dtype = qkv, shape = qkv)]
    fn fused_packed_attention_backward(
        qkv: FloatTensor<Self>,
        #[extension_type] mask: OptionalBool<Self>,
        #[extension_type] drawn: OptionalFloat<Self>,
        output: FloatTensor<Self>,
        statistics: FloatTensor<Self>,
        dy: FloatTensor<Self>,
        heads: PackedHeads,
        params: AttentionParams,
    ) -> FloatTensor<Self> {
        let _ = (output, statistics);
        let params = params.with_drawn::<Self>(drawn);
        packed_reference::backward::<Self>(qkv, mask.into_option(), dy, heads, &params)
    }
}

#[cfg(feature = "ndarray")]
impl AttentionOps for burn::backend::NdArray {}

/// Scaled dot-product attention:
/// `softmax(mask(cap(scale · q kᵀ) + bias)) v`, with dropout on the weights.
///
/// Vaswani et al. 2017, Eq. (1); the softcap as in Gemma 2. With fewer key/value heads than query
/// heads, head `h` uses key/value head `h / (H / Hkv)` (grouped queries, Ainslie et al. 2023).
///
/// A query that may attend to no key gets zeros and passes on zero gradients. One that sees a score
/// of NaN or +∞, or scores of -∞ alone, gets NaN, as the formula has it. What a hidden key holds
/// does not count, but its value must be finite: it is multiplied by 0.
///
/// # Shapes
/// - `q`: `[B, H, Tq, D]`
/// - `k`: `[B, Hkv, Tk, D]`, `v`: `[B, Hkv, Tk, Dv]`, where `Hkv` divides `H`
/// - `bias`: `[H, Tq, Tk]`, added to the scores
/// - output: `[B, H, Tq, Dv]`
///
/// # Panics
/// If the shapes do not fit or the element types differ, naming both; if a shape has more elements
/// than can be addressed; or if the options do not pass [`AttentionOptions::validate`].
pub fn attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    mask: AttentionMask,
    bias: Option<Tensor<3>>,
    options: &AttentionOptions,
) -> Tensor<4> {
    check_shapes(&q, &k, &v, &mask, bias.as_ref());
    let mut params = resolve(q.dims()[3], options);
    let device = q.device();
    let Some(drawn) = seed_dropout(&device, &mut params) else {
        return with_drawn_mask(q, k, v, mask, bias, params);
    };
    let bias = bias.map(Tensor::into_dispatch);
    let mask = mask.combined().map(Tensor::into_dispatch);
    let (q, k, v) = (q.into_dispatch(), k.into_dispatch(), v.into_dispatch());
    Tensor::from_dispatch(if has_traits(&device) {
        <Dispatch as AttentionOps>::fused_attention(
            q,
            k,
            v,
            bias.into(),
            mask.into(),
            drawn,
            params,
        )
    } else {
        reference::forward::<Dispatch>(q, k, v, bias, mask, &params).0
    })
}

/// Self-attention on the packed output of one projection: no head is copied or moved, on the way
/// in or out. The same function as [`attention`] on the three parts.
///
/// # Shapes
/// - `qkv`: `[B, T, (H + 2 Hkv) D]`: the features of the query heads, then of the key heads, then
///   of the value heads
/// - output: `[B, T, H D]`
///
/// # Panics
/// If the features do not divide into the heads, or as [`attention`].
pub fn attention_packed(
    qkv: Tensor<3>,
    heads: PackedHeads,
    mask: AttentionMask,
    options: &AttentionOptions,
) -> Tensor<3> {
    let [b, tokens, features] = qkv.dims();
    let PackedHeads { heads: h, groups } = heads;
    assert!(
        groups > 0 && h.is_multiple_of(groups) && features.is_multiple_of(h + 2 * groups),
        "attention_packed: {features} features are not {h} + 2 · {groups} heads"
    );
    let width = features / (h + 2 * groups);
    let mut params = resolve(width, options);
    let device = qkv.device();
    let Some(drawn) = seed_dropout(&device, &mut params) else {
        let sizes = [h, groups, groups].map(|count| count * width);
        let [q, k, v] = parts(qkv, 2, sizes).map(|part| {
            let count = part.dims()[2] / width;
            part.reshape([b, tokens, count, width]).swapped(1, 2)
        });
        let y = attention(q, k, v, mask, None, options);
        return y.swapped(1, 2).reshape([b, tokens, h * width]);
    };
    assert_addressable("attention_packed", &[&qkv.dims()]);
    check_mask(&mask, [b, h, tokens, tokens]);
    let mask = mask.combined().map(Tensor::into_dispatch);
    let qkv = qkv.into_dispatch();
    Tensor::from_dispatch(if has_traits(&device) {
        let mask = mask.into();
        <Dispatch as AttentionOps>::fused_packed_attention(qkv, mask, drawn, heads, params)
    } else {
        packed_reference::forward::<Dispatch>(qkv, mask, heads, &params).0
    })
}

/// [`attention`] that also returns the weights `[B, H, Tq, Tk]` after the softmax and before
/// dropout: rows sum to 1, or are zero for queries without a key. Stores the weights, so it needs
/// `O(Tq · Tk)` memory.
///
/// # Panics
/// As [`attention`].
pub fn attention_with_weights(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    mask: AttentionMask,
    bias: Option<Tensor<3>>,
    options: &AttentionOptions,
) -> (Tensor<4>, Tensor<4>) {
    check_shapes(&q, &k, &v, &mask, bias.as_ref());
    assert_stored_weights(&q, &k);
    let mut params = resolve(q.dims()[3], options);
    let dropout = core::mem::take(&mut params.dropout);
    let (output, _, weights) = reference::forward::<Dispatch>(
        q.into_dispatch(),
        k.into_dispatch(),
        v.clone().into_dispatch(),
        bias.map(Tensor::into_dispatch),
        mask.combined().map(Tensor::into_dispatch),
        &params,
    );
    let weights = Tensor::<4>::from_dispatch(weights);
    if dropout == 0.0 {
        return (Tensor::from_dispatch(output), weights);
    }
    (drop_and_mix(weights.clone(), v, dropout), weights)
}

/// The seed of dropout, in `params` or drawn on the device, or `None` where dropout needs a stored
/// mask.
fn seed_dropout(device: &Device, params: &mut AttentionParams) -> Option<OptionalFloat<Dispatch>> {
    if params.dropout == 0.0 {
        return Some(OptionalFloat::Absent);
    }
    if draws_on_device(device) {
        let parts = draw_seed_parts(device);
        return Some(OptionalFloat::Present(parts.into_dispatch()));
    }
    if !masks_from_seed(device) {
        return None;
    }
    params.seed = draw_seed(device);
    Some(OptionalFloat::Absent)
}

/// Dropout with a mask from the backend's own generator.
fn with_drawn_mask(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    mask: AttentionMask,
    bias: Option<Tensor<3>>,
    mut params: AttentionParams,
) -> Tensor<4> {
    assert_stored_weights(&q, &k);
    let dropout = core::mem::take(&mut params.dropout);
    let (_, _, weights) = reference::forward::<Dispatch>(
        q.into_dispatch(),
        k.into_dispatch(),
        v.clone().into_dispatch(),
        bias.map(Tensor::into_dispatch),
        mask.combined().map(Tensor::into_dispatch),
        &params,
    );
    drop_and_mix(Tensor::from_dispatch(weights), v, dropout)
}

/// `dropout(weights) v`, the heads of `v` shared by groups.
fn drop_and_mix(weights: Tensor<4>, v: Tensor<4>, dropout: f64) -> Tensor<4> {
    let keep = weights.random_like(Distribution::Bernoulli(1.0 - dropout));
    let weights = weights * keep.div_scalar(1.0 - dropout);
    let [b, h, queries, keys] = weights.dims();
    let [_, groups, _, width] = v.dims();
    if keys == 0 {
        return Tensor::zeros([b, h, queries, width], (&v.device(), v.dtype()));
    }
    weights
        .reshape([b, groups, h / groups * queries, keys])
        .matmul(v)
        .reshape([b, h, queries, width])
}

/// Refuses weights `[B, H, Tq, Tk]` that could not be stored, for the calls that store them.
fn assert_stored_weights(q: &Tensor<4>, k: &Tensor<4>) {
    let [b, h, queries, _] = q.dims();
    assert_addressable("attention: weights", &[&[b, h, queries, k.dims()[2]]]);
}

fn resolve(width: usize, options: &AttentionOptions) -> AttentionParams {
    if let Err(error) = options.validate() {
        panic!("attention: {error}");
    }
    AttentionParams {
        // Heads without features have scores of 0, whatever multiplies them.
        scale: options.scale.unwrap_or(1.0 / (width.max(1) as f64).sqrt()),
        causal: options.causal,
        window_left: options.window_left,
        window_right: options.window_right,
        softcap: options.softcap,
        dropout: options.dropout,
        seed: 0,
    }
}

fn check_shapes(
    q: &Tensor<4>,
    k: &Tensor<4>,
    v: &Tensor<4>,
    mask: &AttentionMask,
    bias: Option<&Tensor<3>>,
) {
    let [b, h, queries, width] = q.dims();
    let [kb, groups, keys, key_width] = k.dims();
    let [vb, value_groups, values, _] = v.dims();
    assert!(
        b == kb && b == vb && width == key_width && keys == values && groups == value_groups,
        "attention: q {:?} does not fit k {:?} and v {:?}",
        q.dims(),
        k.dims(),
        v.dims()
    );
    assert!(
        groups > 0 && h.is_multiple_of(groups),
        "attention: {h} query heads are not a multiple of {groups} key/value heads"
    );
    check_mask(mask, [b, h, queries, keys]);
    if let Some(bias) = bias {
        assert!(
            bias.dims() == [h, queries, keys],
            "attention: bias {:?} is not [H, Tq, Tk] = [{h}, {queries}, {keys}]",
            bias.dims()
        );
    }
    assert_same_dtype(
        "attention",
        &[
            ("q", Some(q.dtype())),
            ("k", Some(k.dtype())),
            ("v", Some(v.dtype())),
            ("bias", bias.map(Tensor::dtype)),
        ],
    );
    let mut output = q.dims();
    output[3] = v.dims()[3];
    let bias = bias.map(Tensor::dims).unwrap_or_default();
    let shapes: [&[usize]; 5] = [&q.dims(), &k.dims(), &v.dims(), &output, &bias];
    assert_addressable("attention", &shapes);
}

fn check_mask(mask: &AttentionMask, [b, h, queries, keys]: [usize; 4]) {
    if let Some(key_valid) = &mask.key_valid {
        assert!(
            key_valid.dims() == [b, keys],
            "attention: key_valid {:?} is not [B, Tk] = [{b}, {keys}]",
            key_valid.dims()
        );
    }
    if let Some(full) = &mask.full {
        let fits = full
            .dims()
            .into_iter()
            .zip([b, h, queries, keys])
            .enumerate()
            .all(|(axis, (len, want))| len == want || (axis < 3 && len == 1));
        assert!(
            fits,
            "attention: mask {:?} does not fit [B, H, Tq, Tk] = [{b}, {h}, {queries}, {keys}]",
            full.dims()
        );
        // Together with the valid keys it is one mask with an entry for each sample.
        let mut combined = full.dims();
        combined[0] = b;
        assert_addressable("attention: mask", &[&combined]);
    }
}
