//! Linear attention of given queries, keys and values.

use burn::tensor::activation::relu;
use burn::tensor::{Bool, Tensor};

use crate::carried;
use crate::ops::{Axes, all_in_f32, matmul, parts};
use crate::position::RotaryEmbedding;

/// Tokens that a causal pass handles by one quadratic product.
const CHUNK: usize = 64;

/// What causal linear attention keeps of everything before (of half precision in f32: sums over thousands of
/// tokens leave the range of f16, and bf16 has too few digits for them): `Σ f(k) [v, 1]ᵀ`, `[B, H, D, E + 1]`, or
/// with positions `Σ (R f(k)) vᵀ`, `[B, H, D, E]`, and `Σ f(k)`, `[B, H, D, 1]`. Its size does not
/// depend on how much was read.
#[derive(Debug, Clone, Default)]
pub struct LinearAttentionState {
    sums: Option<Tensor<4>>,
    /// Only with positions.
    normalizer: Option<Tensor<4>>,
    seen: usize,
}

carried!(LinearAttentionState {
    sums,
    normalizer,
    seen
});

impl LinearAttentionState {
    /// Nothing read yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Tokens read so far: the position of the next one.
    #[must_use]
    pub fn seen(&self) -> usize {
        self.seen
    }
}

/// Linear attention: `y_i = f(q_i) S / (f(q_i) z + ε)`, `f = elu + 1`, `S = Σ_j f(k_j) v_jᵀ`,
/// `z = Σ_j f(k_j)`, in `O(Tq + Tk)`.
///
/// Katharopoulos et al., "Transformers are RNNs", arXiv 2006.16236, equations (6) and (7). There is
/// no `1/√D`; ε is added to the normaliser as in the authors' code. A key that is not valid adds
/// nothing; a query that may attend to nothing gets zeros. Half precision is computed in f32.
///
/// # Shapes
/// - q: `[B, H, Tq, D]`, k: `[B, H, Tk, D]`, v: `[B, H, Tk, E]`, key_valid: `[B, Tk]`
/// - output: `[B, H, Tq, E]`
///
/// # Panics
/// If the shapes disagree.
pub fn linear_attention(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    key_valid: Option<Tensor<2, Bool>>,
    eps: f64,
) -> Tensor<4> {
    all_in_f32([q, k, v], |[q, k, v]| {
        let sums = matmul(keys(k, key_valid).swapped(2, 3), with_one(v));
        normalize(matmul(feature_map(q), sums), eps)
    })
}

/// [`linear_attention`] where token `i` sees tokens `j ≤ i`, going on from `state`: the sums are
/// prefix sums (equations (8) and (9) there).
///
/// The sequence is read in chunks of 64: inside one the masked product of queries and keys, between
/// them the running sums, so time and memory are `O(T)`, and no step waits for the one before.
///
/// # Shapes
/// - q, k: `[B, H, T, D]`, v: `[B, H, T, E]`, key_valid: `[B, T]`
/// - output: `[B, H, T, E]`
///
/// # Panics
/// If the shapes disagree.
pub fn linear_attention_causal(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    key_valid: Option<Tensor<2, Bool>>,
    eps: f64,
    state: &mut LinearAttentionState,
) -> Tensor<4> {
    state.seen += q.dims()[2];
    all_in_f32([q, k, v], |[q, k, v]| {
        let (q, k) = (feature_map(q), keys(k, key_valid));
        normalize(running(q, k, with_one(v), &mut state.sums), eps)
    })
}

/// [`linear_attention`] with rotary positions:
/// `y_i = Σ_j (R_i f(q_i))·(R_j f(k_j)) v_j / (Σ_j f(q_i)·f(k_j) + ε)`.
///
/// Su et al., "RoFormer", arXiv 2104.09864, equation (19): what is turned are the features, and in
/// the numerator alone, since a turned normaliser can be 0.
///
/// # Shapes
/// - q: `[B, H, T, D]`, k: `[B, H, T, D]`, v: `[B, H, T, E]`, key_valid: `[B, T]`
/// - output: `[B, H, T, E]`
///
/// # Panics
/// If the shapes disagree.
pub fn linear_attention_rotary(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    key_valid: Option<Tensor<2, Bool>>,
    eps: f64,
    rotary: &RotaryEmbedding,
) -> Tensor<4> {
    all_in_f32([q, k, v], |[q, k, v]| {
        let (q, k) = (feature_map(q), keys(k, key_valid));
        let normalizer = q.clone().matmul(k.clone().sum_dim(2).swapped(2, 3));
        let (q, k) = (rotary.forward(q, 0), rotary.forward(k, 0));
        matmul(q, matmul(k.swapped(2, 3), v)) / (normalizer + eps)
    })
}

/// [`linear_attention_rotary`] where token `i` sees tokens `j ≤ i`, going on from `state`, in
/// chunks as [`linear_attention_causal`].
///
/// # Shapes
/// - q, k: `[B, H, T, D]`, v: `[B, H, T, E]`, key_valid: `[B, T]`
/// - output: `[B, H, T, E]`
///
/// # Panics
/// If the shapes disagree.
pub fn linear_attention_rotary_causal(
    q: Tensor<4>,
    k: Tensor<4>,
    v: Tensor<4>,
    key_valid: Option<Tensor<2, Bool>>,
    eps: f64,
    rotary: &RotaryEmbedding,
    state: &mut LinearAttentionState,
) -> Tensor<4> {
    let offset = state.seen;
    state.seen += q.dims()[2];
    all_in_f32([q, k, v], |[q, k, v]| {
        let (q, k) = (feature_map(q), keys(k, key_valid));
        let ones = ones_beside(&v);
        let normalizer = running(q.clone(), k.clone(), ones, &mut state.normalizer);
        let (q, k) = (rotary.forward(q, offset), rotary.forward(k, offset));
        running(q, k, v, &mut state.sums) / (normalizer + eps)
    })
}

/// `Σ_{j ≤ i} (q_i·k_j) v_j`, going on from the sums of everything before.
///
/// # Shapes
/// - q, k: `[B, H, T, D]`, v and output: `[B, H, T, E]`, before: `[B, H, D, E]`
fn running(q: Tensor<4>, k: Tensor<4>, v: Tensor<4>, before: &mut Option<Tensor<4>>) -> Tensor<4> {
    let [batch, heads, time, _] = q.dims();
    assert_eq!(
        k.dims(),
        q.dims(),
        "causal linear attention needs as many keys as queries"
    );
    if time == 0 {
        return v;
    }
    let columns = v.dims()[3];
    let length = CHUNK.min(time);
    let chunks = time.div_ceil(length);
    let chunked = |x: Tensor<4>| -> Tensor<5> {
        let columns = x.dims()[3];
        pad_time(x, chunks * length).reshape([batch, heads, chunks, length, columns])
    };
    // Keys are padded with zeros after the feature map, so padding adds nothing.
    let (q, k, v) = (chunked(q), chunked(k), chunked(v));
    let scores = matmul(q.clone(), k.clone().swapped(3, 4));
    let inside = matmul(scores.tril(0), v.clone());
    let sums = matmul(k.swapped(3, 4), v).cumsum(2);
    let start = before
        .take()
        .unwrap_or_else(|| sums.clone().narrow(2, 0, 1).squeeze_dim(2) * 0.0);
    let start = start.unsqueeze_dim::<5>(2);
    let (earlier, last) = if chunks > 1 {
        let [earlier, last] = parts(sums, 2, [chunks - 1, 1]);
        let earlier = earlier + start.clone();
        (Tensor::cat(vec![start.clone(), earlier], 2), last)
    } else {
        (start.clone(), sums)
    };
    *before = Some((last + start).squeeze_dim(2));
    let mixed = (inside + matmul(q, earlier)).reshape([batch, heads, chunks * length, columns]);
    mixed.narrow(2, 0, time)
}

/// `elu(x) + 1`, which is `x + 1` above 0 and `exp(x)` below. Clamped before the exponential, which
/// would overflow above 0 and turn the gradient of the other branch into NaN.
fn feature_map(x: Tensor<4>) -> Tensor<4> {
    relu(x.clone()) + x.clamp_max(0.0).exp()
}

fn keys(k: Tensor<4>, key_valid: Option<Tensor<2, Bool>>) -> Tensor<4> {
    let features = feature_map(k);
    let Some(valid) = key_valid else {
        return features;
    };
    let shape = features.dims();
    let absent = valid.bool_not().reshape([shape[0], 1, shape[2], 1]);
    features.mask_fill(absent.expand(shape), 0.0)
}

/// `[v, 1]`: with a column of ones the normaliser comes out of the same product.
fn with_one(v: Tensor<4>) -> Tensor<4> {
    let ones = ones_beside(&v);
    Tensor::cat(vec![v, ones], 3)
}

fn ones_beside(v: &Tensor<4>) -> Tensor<4> {
    let [batch, heads, time, _] = v.dims();
    Tensor::ones([batch, heads, time, 1], (&v.device(), v.dtype()))
}

fn normalize(mixed: Tensor<4>, eps: f64) -> Tensor<4> {
    let width = mixed.dims()[3] - 1;
    let [mixed, normalizer] = parts(mixed, 3, [width, 1]);
    mixed / (normalizer + eps)
}

fn pad_time(x: Tensor<4>, time: usize) -> Tensor<4> {
    let [batch, heads, length, width] = x.dims();
    if length == time {
        return x;
    }
    let zeros = Tensor::zeros(
        [batch, heads, time - length, width],
        (&x.device(), x.dtype()),
    );
    Tensor::cat(vec![x, zeros], 2)
}
