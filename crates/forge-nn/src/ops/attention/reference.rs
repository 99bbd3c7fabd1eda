//! Attention made of Burn's operations: any backend, stores the `Tq × Tk` weights.

use burn::backend::tensor::{BoolTensor, FloatTensor};
use burn::backend::{
    Backend, DType, FloatDType, TensorData, TensorMetadata, get_or_init_device_settings,
};

use super::AttentionParams;
use crate::ops::dropout_mask::DropoutMask;
use crate::ops::expression::Expr;

/// What the softmax makes of queries and keys.
struct Weights<B: Backend> {
    /// `[B, H, Tq, Tk]`, before dropout; rows without a key are zero.
    weights: Expr<B>,
    /// `tanh(score / c)`, where a softcap is set.
    squashed: Option<Expr<B>>,
    /// `[B, H, Tq, 1]`: the logarithm of the softmax's denominator.
    log_sum: Expr<B>,
}

/// What hidden scores are replaced by, the lowest finite number: no visible one is below it but -∞.
fn hidden_score(dtype: DType) -> f64 {
    dtype
        .finfo()
        .map_or(f64::from(f32::MIN), |numbers| numbers.min)
}

/// The product over grouped heads: `[B, H, M, K] × [B, Hkv, K, N] → [B, H, M, N]`, where each of
/// the `Hkv` serves `H / Hkv` consecutive heads.
fn grouped_matmul<B: Backend>(lhs: Expr<B>, rhs: Expr<B>) -> Expr<B> {
    let [b, h, m, k] = dims(&lhs);
    let [_, groups, _, n] = dims(&rhs);
    if lhs.is_empty() || rhs.is_empty() {
        return lhs.zeros_like([b, h, m, n]);
    }
    if groups == h {
        return lhs.matmul(rhs);
    }
    lhs.reshape([b, groups, h / groups * m, k])
        .matmul(rhs)
        .reshape([b, h, m, n])
}

/// `lhsᵀ × rhs`, summed over the heads of a group: `[B, H, M, K]ᵀ × [B, H, M, N] → [B, Hkv, K, N]`.
fn grouped_transposed_matmul<B: Backend>(lhs: Expr<B>, rhs: Expr<B>, groups: usize) -> Expr<B> {
    let [b, h, m, k] = dims(&lhs);
    let [_, _, _, n] = dims(&rhs);
    if lhs.is_empty() || rhs.is_empty() {
        return lhs.zeros_like([b, groups, k, n]);
    }
    lhs.reshape([b, groups, h / groups * m, k])
        .transpose()
        .matmul(rhs.reshape([b, groups, h / groups * m, n]))
}

fn dims<B: Backend>(x: &Expr<B>) -> [usize; 4] {
    let shape = x.shape();
    [shape[0], shape[1], shape[2], shape[3]]
}

/// Which positions are hidden by mask, causality and window: `[B, H, Tq, Tk]`.
fn hidden<B: Backend>(
    like: &Expr<B>,
    mask: Option<BoolTensor<B>>,
    params: &AttentionParams,
) -> Option<BoolTensor<B>> {
    let shape = like.shape();
    let [_, _, queries, keys] = dims(like);
    let masked = mask.map(|mask| B::bool_expand(B::bool_not(mask), shape.clone()));
    let structural = params.is_structured().then(|| {
        let mut visible = vec![0.0f32; queries * keys];
        for query in 0..queries {
            let range = params.key_range(query, queries, keys);
            visible[query * keys..][range].fill(1.0);
        }
        let device = like.0.device();
        let data = TensorData::new(visible, [1, 1, queries, keys]);
        let visible = B::float_from_data(data, &device);
        let bools = get_or_init_device_settings::<B>(&device).bool_dtype;
        B::bool_expand(
            B::float_equal_elem(visible, 0.0f32.into(), bools),
            shape.clone(),
        )
    });
    match (masked, structural) {
        (Some(a), Some(b)) => Some(B::bool_or(a, b)),
        (a, b) => a.or(b),
    }
}

fn weights<B: Backend>(
    q: &Expr<B>,
    k: &Expr<B>,
    bias: Option<Expr<B>>,
    mask: Option<BoolTensor<B>>,
    params: &AttentionParams,
) -> Weights<B> {
    let mut scores = grouped_matmul(q.clone(), k.clone().transpose());
    if scores.is_empty() {
        let [b, h, queries, _] = dims(&scores);
        return Weights {
            log_sum: scores.zeros_like([b, h, queries, 1]),
            squashed: params.softcap.map(|_| scores.clone()),
            weights: scores,
        };
    }
    scores = scores.mul_scalar(params.scale);
    let squashed = params
        .softcap
        .map(|cap| scores.clone().mul_scalar(1.0 / cap).tanh());
    if let (Some(cap), Some(squashed)) = (params.softcap, &squashed) {
        scores = squashed.clone().mul_scalar(cap);
    }
    if let Some(bias) = bias {
        let shape = bias.shape();
        scores = scores + bias.reshape([1, shape[0], shape[1], shape[2]]);
    }
    let hidden = hidden(&scores, mask, params);
    if let Some(hidden) = &hidden {
        let lowest = hidden_score(scores.dtype());
        scores = scores.mask_fill(hidden.clone(), lowest);
    }
    let highest = scores.clone().constant_max_dim(3);
    let mut terms = (scores - highest.clone()).exp();
    if let Some(hidden) = &hidden {
        terms = terms.mask_fill(hidden.clone(), 0.0);
    }
    // A row with a visible key sums to at least 1, its own maximum. One without sums to 0, as one
    // does whose scores are all -∞: that one is NaN.
    let mut sum = terms.clone().sum_dim(3);
    if let Some(hidden) = hidden {
        sum = sum.mask_fill(B::bool_all_dim(hidden, 3), 1.0);
    }
    Weights {
        weights: terms / sum.clone(),
        squashed,
        log_sum: highest + sum.log(),
    }
}

fn multipliers<B: Backend>(like: &Expr<B>, params: &AttentionParams) -> Option<Expr<B>> {
    (params.dropout > 0.0 && !like.is_empty())
        .then(|| Expr(DropoutMask::new(params.seed, params.dropout).multipliers::<B>(&like.0)))
}

/// The output `[B, H, Tq, Dv]`, the log-sums `[B, H, Tq, 1]` and the weights before dropout
/// `[B, H, Tq, Tk]`.
pub(super) fn forward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    mask: Option<BoolTensor<B>>,
    params: &AttentionParams,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let Weights {
        weights, log_sum, ..
    } = weights(&Expr::<B>(q), &Expr(k), bias.map(Expr), mask, params);
    let used = match multipliers(&weights, params) {
        Some(multipliers) => weights.clone() * multipliers,
        None => weights.clone(),
    };
    (grouped_matmul(used, Expr(v)).0, log_sum.0, weights.0)
}

/// The gradients of queries, keys, values and bias (`[1, 1, 1]` zero without a bias).
pub(super) fn backward<B: Backend>(
    q: FloatTensor<B>,
    k: FloatTensor<B>,
    v: FloatTensor<B>,
    bias: Option<FloatTensor<B>>,
    mask: Option<BoolTensor<B>>,
    dy: FloatTensor<B>,
    params: &AttentionParams,
) -> (
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
    FloatTensor<B>,
) {
    let (q, k, v, dy) = (Expr::<B>(q), Expr::<B>(k), Expr::<B>(v), Expr::<B>(dy));
    let groups = k.shape()[1];
    let has_bias = bias.is_some();
    let Weights {
        weights, squashed, ..
    } = weights::<B>(&q, &k, bias.map(Expr), mask, params);

    if weights.is_empty() {
        // No query or no key: nothing depends on anything.
        let zeros = |of: &Expr<B>| of.zeros_like(of.shape()).0;
        let [_, h, queries, keys] = dims(&weights);
        let bias_shape = if has_bias { [h, queries, keys] } else { [1; 3] };
        let dbias = weights.zeros_like(bias_shape).0;
        return (zeros(&q), zeros(&k), zeros(&v), dbias);
    }
    let mut dweights = grouped_matmul(dy.clone(), v.transpose());
    let mut used = weights.clone();
    if let Some(multipliers) = multipliers(&weights, params) {
        used = used * multipliers.clone();
        dweights = dweights * multipliers;
    }
    let dv = grouped_transposed_matmul(used, dy, groups);
    let mean = (dweights.clone() * weights.clone()).sum_dim(3);
    let mut dscores = weights * (dweights - mean);
    let dbias = if has_bias {
        let [_, h, queries, keys] = dims(&dscores);
        dscores.clone().sum_dim(0).reshape([h, queries, keys])
    } else {
        let dtype: FloatDType = dscores.dtype().into();
        Expr(B::float_zeros([1, 1, 1].into(), &dscores.0.device(), dtype))
    };
    if let Some(squashed) = squashed {
        // d c·tanh(s/c) / ds = 1 - tanh²(s/c).
        let slope = (-(squashed.clone() * squashed)).add_scalar(1.0);
        dscores = dscores * slope;
    }
    dscores = dscores.mul_scalar(params.scale);
    let dq = grouped_matmul(dscores.clone(), k);
    let dk = grouped_transposed_matmul(dscores, q, groups);
    (dq.0, dk.0, dv.0, dbias.0)
}
