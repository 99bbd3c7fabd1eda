//! Attention layers.

use burn::module::Module;
use burn::tensor::{Bool, DType, Tensor, TensorData};
use forge_nn::attention::{
    CrossAttentionConfig, GroupedQueryAttentionConfig, KvCache, LinearAttentionConfig,
    LinearAttentionState, MultiHeadAttentionConfig, SlidingWindowAttentionConfig, linear_attention,
    linear_attention_causal,
};
use forge_nn::norm::QkNormKind;
use forge_nn::ops::AttentionMask;
use forge_nn::position::RotaryEmbeddingConfig;
use forge_nn::{ModuleConfig, burn};

use crate::checks::{check_input, check_parameters, close, device, in_f64, normal, numbers};

fn bools<const D: usize>(values: Vec<bool>, shape: [usize; D]) -> Tensor<D, Bool> {
    Tensor::from_data(TensorData::new(values, shape), &device())
}

/// Valid where `from..to`, for each sample.
fn valid(spans: &[(usize, usize)], time: usize) -> Tensor<2, Bool> {
    let values = spans
        .iter()
        .flat_map(|&(from, to)| (0..time).map(move |t| (from..to).contains(&t)))
        .collect();
    bools(values, [spans.len(), time])
}

fn everything() -> GroupedQueryAttentionConfig {
    GroupedQueryAttentionConfig::new(7, 6, 2)
        .with_head_dim(Some(5))
        .with_causal(true)
        .with_bias(true)
        .with_softcap(Some(3.0))
        .with_rotary(Some(RotaryEmbeddingConfig::new(4)))
        .with_qk_norm(Some(QkNormKind::Rms))
}

/// Changing token `at` of `x` must change outputs at `seen` places only.
#[track_caller]
fn sees(f: impl Fn(Tensor<3>) -> Tensor<3>, at: usize, seen: std::ops::Range<usize>) {
    let x = normal::<3>([2, 13, 7]);
    let change = Tensor::<3>::zeros_like(&x).slice_fill([0..2, at..at + 1, 0..7], 1.0);
    let difference = f(x.clone() + change) - f(x);
    let by_token = numbers(difference.abs().sum_dim(2).sum_dim(0));
    for (t, moved) in by_token.into_iter().enumerate() {
        assert_eq!(
            moved > 1e-9,
            seen.contains(&t),
            "token {t} moved by {moved}"
        );
    }
}

#[test]
fn causal_layers_do_not_look_ahead_and_windows_do_not_look_far() {
    let none = AttentionMask::none;
    let causal = in_f64(everything().init(&device()));
    sees(|x| causal.forward(x, none(), None), 5, 5..13);
    let windowed = in_f64(everything().with_window(Some(3)).init(&device()));
    sees(|x| windowed.forward(x, none(), None), 5, 5..9);
    let config = SlidingWindowAttentionConfig::new(7, 7, 2).with_causal(false);
    let both = in_f64(config.init(&device()));
    sees(|x| both.forward(x, none(), None), 5, 3..8);
    let itself = in_f64(SlidingWindowAttentionConfig::new(7, 7, 0).init(&device()));
    sees(|x| itself.forward(x, none(), None), 5, 5..6);
    let multi = in_f64(
        MultiHeadAttentionConfig::new(7, 1)
            .with_causal(true)
            .init(&device()),
    );
    sees(|x| multi.forward(x, none(), None), 5, 5..13);
    let linear = in_f64(
        LinearAttentionConfig::new(7, 7)
            .with_causal(true)
            .init(&device()),
    );
    sees(|x| linear.forward(x, None), 5, 5..13);
    let open = in_f64(LinearAttentionConfig::new(7, 7).init(&device()));
    sees(|x| open.forward(x, None), 5, 0..13);
}

/// Reads `x` in pieces and must give what the whole gives.
#[track_caller]
fn pieces_equal_the_whole(
    whole: Tensor<3>,
    pieces: &[usize],
    mut read: impl FnMut(usize, usize) -> Tensor<3>,
) {
    let mut start = 0;
    for &length in pieces {
        close(
            read(start, length),
            whole.clone().narrow(1, start, length),
            1e-12,
        );
        start += length;
    }
    assert_eq!(start, whole.dims()[1]);
}

#[test]
fn cached_equals_uncached() {
    let x = normal::<3>([2, 13, 7]);
    let key_valid = valid(&[(2, 13), (0, 9)], 13);
    for window in [None, Some(4), Some(0)] {
        let module = in_f64(everything().with_window(window).init(&device()));
        for pieces in [vec![1; 13], vec![5, 1, 7], vec![13]] {
            let whole = module.forward(x.clone(), AttentionMask::none(), None);
            let mut cache = KvCache::new();
            pieces_equal_the_whole(whole, &pieces, |start, length| {
                module.forward_cached(x.clone().narrow(1, start, length), None, &mut cache)
            });
            assert_eq!(cache.seen(), 13);
            assert_eq!(cache.kept(), window.unwrap_or(13).min(13));

            let mask = AttentionMask::key_valid(key_valid.clone());
            let whole = module.forward(x.clone(), mask, None);
            cache.clear();
            pieces_equal_the_whole(whole, &pieces, |start, length| {
                let piece = x.clone().narrow(1, start, length);
                let mask = key_valid.clone().narrow(1, start, length);
                module.forward_cached(piece, Some(mask), &mut cache)
            });
        }
    }
}

#[test]
fn a_mask_that_begins_late_applies_from_there() {
    let module = in_f64(everything().init(&device()));
    let x = normal::<3>([2, 7, 7]);
    let key_valid = valid(&[(0, 7), (0, 5)], 7);
    let whole = module.forward(x.clone(), AttentionMask::key_valid(key_valid.clone()), None);
    let mut cache = KvCache::new();
    pieces_equal_the_whole(whole, &[3, 4], |start, length| {
        let mask = (start > 0).then(|| key_valid.clone().narrow(1, start, length));
        module.forward_cached(x.clone().narrow(1, start, length), mask, &mut cache)
    });
}

#[test]
fn multi_head_cached_equals_uncached() {
    let module = in_f64(
        MultiHeadAttentionConfig::new(6, 3)
            .with_causal(true)
            .init(&device()),
    );
    let x = normal::<3>([2, 11, 6]);
    let whole = module.forward(x.clone(), AttentionMask::none(), None);
    let mut cache = KvCache::new();
    pieces_equal_the_whole(whole, &[4, 1, 6], |start, length| {
        module.forward_cached(x.clone().narrow(1, start, length), None, &mut cache)
    });
}

#[test]
fn linear_attention_cached_equals_uncached_across_chunks() {
    let module = in_f64(
        LinearAttentionConfig::new(6, 2)
            .with_causal(true)
            .init(&device()),
    );
    let x = normal::<3>([2, 151, 6]);
    let key_valid = valid(&[(3, 151), (0, 149)], 151);
    let whole = module.forward(x.clone(), Some(key_valid.clone()));
    let mut state = LinearAttentionState::new();
    pieces_equal_the_whole(whole, &[1, 70, 64, 16], |start, length| {
        let mask = key_valid.clone().narrow(1, start, length);
        module.forward_cached(x.clone().narrow(1, start, length), Some(mask), &mut state)
    });
}

#[test]
fn chunked_linear_attention_is_the_quadratic_formula() {
    let [q, k, v] = [
        normal::<4>([2, 3, 149, 5]),
        normal([2, 3, 149, 5]),
        normal([2, 3, 149, 7]),
    ];
    let features = |x: Tensor<4>| {
        let positive = x.clone().greater_equal_scalar(0.0);
        x.clone().exp().mask_where(positive, x + 1.0)
    };
    let weights = features(q.clone())
        .matmul(features(k.clone()).swap_dims(2, 3))
        .tril(0);
    let expected = weights.clone().matmul(v.clone()) / (weights.sum_dim(3) + 1e-6);
    let state = &mut LinearAttentionState::new();
    close(
        linear_attention_causal(q, k, v, None, 1e-6, state),
        expected,
        1e-12,
    );
}

#[test]
fn linear_attention_has_exact_gradients_and_survives_large_inputs() {
    let (q, k, v) = (
        normal::<4>([1, 2, 67, 3]),
        normal::<4>([1, 2, 67, 3]),
        normal([1, 2, 67, 5]),
    );
    let weights = normal([1, 2, 67, 5]);
    let loss = |q: Tensor<4>, k: Tensor<4>, v: Tensor<4>| {
        let state = &mut LinearAttentionState::new();
        (linear_attention_causal(q, k, v, None, 1e-6, state) * weights.clone()).sum()
    };
    check_input(q.clone(), |q| loss(q, k.clone(), v.clone()));
    check_input(k.clone(), |k| loss(q.clone(), k, v.clone()));
    check_input(v.clone(), |v| loss(q.clone(), k.clone(), v));

    let large = (q * 900.0).cast(DType::F32).detach().require_grad();
    let (k, v) = (k.cast(DType::F32), v.cast(DType::F32));
    let grads = linear_attention(large.clone(), k, v, None, 1e-6)
        .sum()
        .backward();
    let gradient = Tensor::<4>::from_inner(large.grad(&grads).unwrap());
    assert!(numbers(gradient).iter().all(|g| g.is_finite()));
}

#[test]
fn a_sample_without_valid_keys_gives_zeros_and_no_gradient() {
    let key_valid = valid(&[(0, 3), (0, 0)], 5);
    let config = GroupedQueryAttentionConfig::new(6, 3, 1).with_causal(true);
    let module = in_f64(config.init(&device()));
    let linear = in_f64(
        LinearAttentionConfig::new(6, 3)
            .with_bias(false)
            .init(&device()),
    );
    let cross = in_f64(CrossAttentionConfig::new(6, 6, 2).init(&device()));
    let x = normal::<3>([2, 5, 6]).require_grad();
    let mask = || AttentionMask::key_valid(key_valid.clone());
    for y in [
        module.forward(x.clone(), mask(), None),
        linear.forward(x.clone(), Some(key_valid.clone())),
        cross.forward(x.clone().detach(), x.clone(), mask(), None),
    ] {
        assert!(numbers(y.clone().narrow(0, 1, 1)).iter().all(|v| *v == 0.0));
        let grads = y.powi_scalar(2).sum().backward();
        let gradient = Tensor::<3>::from_inner(x.grad(&grads).unwrap());
        assert!(numbers(gradient.clone()).iter().all(|g| g.is_finite()));
        assert!(numbers(gradient.narrow(0, 1, 1)).iter().all(|g| *g == 0.0));
    }
}

#[test]
fn what_is_masked_does_not_matter() {
    let key_valid = valid(&[(0, 5), (2, 7)], 7);
    let noise = normal::<3>([2, 7, 6]) * 100.0;
    let absent = key_valid
        .clone()
        .bool_not()
        .unsqueeze_dim::<3>(2)
        .expand([2, 7, 6]);
    let x = normal::<3>([2, 7, 6]);
    let other = x.clone().mask_where(absent.clone(), noise);
    let module = in_f64(MultiHeadAttentionConfig::new(6, 2).init(&device()));
    let linear = in_f64(LinearAttentionConfig::new(6, 2).init(&device()));
    let mask = || AttentionMask::key_valid(key_valid.clone());
    let shown = |y: Tensor<3>| y.mask_fill(absent.clone(), 0.0);
    close(
        shown(module.forward(x.clone(), mask(), None)),
        shown(module.forward(other.clone(), mask(), None)),
        1e-12,
    );
    close(
        shown(linear.forward(x, Some(key_valid.clone()))),
        shown(linear.forward(other, Some(key_valid.clone()))),
        1e-12,
    );
}

#[test]
fn maps_sum_to_one_and_give_the_output() {
    let module = in_f64(everything().init(&device()));
    let x = normal::<3>([2, 5, 7]);
    let bias = normal::<3>([6, 5, 5]);
    let (y, map) = module.forward_with_map(x.clone(), AttentionMask::none(), Some(bias.clone()));
    assert_eq!(map.dims(), [2, 6, 5, 5]);
    close(
        map.sum_dim(3),
        Tensor::ones([2, 6, 5, 1], (&device(), DType::F64)),
        1e-12,
    );
    close(
        y,
        module.forward(x, AttentionMask::none(), Some(bias)),
        1e-12,
    );
}

#[test]
fn as_many_key_heads_as_query_heads_is_multi_head_attention() {
    let multi = in_f64(MultiHeadAttentionConfig::new(6, 3).init(&device()));
    let mut grouped = in_f64(
        GroupedQueryAttentionConfig::new(6, 3, 3)
            .with_bias(true)
            .init(&device()),
    );
    let forge_nn::attention::InputProjection::Stacked(stacked) = &multi.in_proj else {
        panic!("equal widths are stacked");
    };
    grouped.qkv_proj = stacked.clone();
    grouped.o_proj = multi.out_proj.clone().unwrap();
    let x = normal::<3>([2, 5, 6]);
    close(
        grouped.forward(x.clone(), AttentionMask::none(), None),
        multi.forward(x, AttentionMask::none(), None),
        1e-12,
    );
}

#[test]
fn parameters_have_exact_gradients_with_everything_on() {
    let module = in_f64(everything().with_window(Some(2)).init(&device()));
    let (x, weights) = (normal::<3>([2, 5, 7]), normal([2, 5, 7]));
    let mask = || AttentionMask::key_valid(valid(&[(1, 5), (0, 4)], 5));
    check_parameters(module.clone(), |m| {
        (m.forward(x.clone(), mask(), None) * weights.clone()).sum()
    });
    check_input(x, |x| {
        (module.forward(x, mask(), None) * weights.clone()).sum()
    });
}

/// Packed, in parts (with a bias that is zero), with the map, and the first token alone.
#[test]
fn every_way_through_multi_head_attention_agrees() {
    let (x, mask) = (normal::<3>([2, 5, 6]), || {
        AttentionMask::key_valid(valid(&[(0, 5), (1, 3)], 5))
    });
    for output in [true, false] {
        let config = MultiHeadAttentionConfig::new(6, 2).with_output_projection(output);
        let module = in_f64(config.init(&device()));
        assert_eq!(module.out_proj.is_some(), output);
        let y = module.forward(x.clone(), mask(), None);
        let zero = Tensor::zeros([2, 5, 5], (&device(), DType::F64));
        close(
            module.forward(x.clone(), mask(), Some(zero)),
            y.clone(),
            1e-14,
        );
        let (mapped, map) = module.forward_with_map(x.clone(), mask(), None);
        close(mapped, y.clone(), 1e-14);
        let first = module.forward_first(x.clone(), mask());
        close(first.clone(), y.narrow(1, 0, 1), 1e-14);
        let (mapped, first_map) = module.forward_first_with_map(x.clone(), mask());
        close(mapped, first, 1e-14);
        close(first_map, map.narrow(2, 0, 1), 1e-14);
        let weights = normal::<3>([2, 5, 6]);
        check_parameters(module, |m| {
            (m.forward(x.clone(), mask(), None) * weights.clone()).sum()
        });
    }
}

/// Packed, in parts (with a bias that is zero) and with the map.
#[test]
fn every_way_through_grouped_query_attention_agrees() {
    let (x, mask) = (normal::<3>([2, 5, 7]), || {
        AttentionMask::key_valid(valid(&[(0, 5), (1, 3)], 5))
    });
    let config = GroupedQueryAttentionConfig::new(7, 4, 2)
        .with_head_dim(Some(3))
        .with_bias(true)
        .with_softcap(Some(2.0));
    for window in [None, Some(1)] {
        for causal in [false, true] {
            let config = config.clone().with_window(window).with_causal(causal);
            let module = in_f64(config.init(&device()));
            let y = module.forward(x.clone(), mask(), None);
            let zero = Tensor::zeros([4, 5, 5], (&device(), DType::F64));
            let parts = module.forward(x.clone(), mask(), Some(zero));
            close(parts, y.clone(), 1e-14);
            close(module.forward_with_map(x.clone(), mask(), None).0, y, 1e-14);
        }
    }
}

#[test]
#[should_panic(expected = "sees itself alone")]
fn the_first_token_of_a_causal_layer_is_refused() {
    let module = MultiHeadAttentionConfig::new(6, 2).with_causal(true);
    let x = normal::<3>([2, 5, 6]).cast(DType::F32);
    module
        .init(&device())
        .forward_first(x, AttentionMask::none());
}

#[test]
fn dropout_acts_on_the_weights_in_training_only() {
    let config = MultiHeadAttentionConfig::new(6, 2).with_dropout(0.5);
    let module = config.init(&device());
    let x = normal::<3>([2, 5, 6]).cast(DType::F32);
    let run = |module: &forge_nn::attention::MultiHeadAttention, x: Tensor<3>| {
        numbers(module.forward(x, AttentionMask::none(), None))
    };
    assert_ne!(run(&module, x.clone()), run(&module, x.clone()));
    let eval = module.valid();
    let plain = x.clone().without_autodiff();
    assert_eq!(run(&eval, plain.clone()), run(&eval, plain));
    let frozen = module.freeze();
    assert_eq!(run(&frozen, x.clone()), run(&frozen, x));
}

#[test]
fn f32_agrees_with_f64() {
    let module = everything().init(&device());
    let wide = in_f64(module.clone());
    let narrow = wide.clone().map(&mut Narrow);
    let x = normal::<3>([2, 11, 7]);
    let y = narrow.forward(x.clone().cast(DType::F32), AttentionMask::none(), None);
    close(
        y.cast(DType::F64),
        wide.forward(x, AttentionMask::none(), None),
        1e-5,
    );
}

struct Narrow;

impl burn::module::ModuleMapper for Narrow {
    fn map_float<const D: usize>(
        &mut self,
        param: burn::module::Param<Tensor<D>>,
    ) -> burn::module::Param<Tensor<D>> {
        let tensor = param.val().detach().cast(DType::F32);
        burn::module::Param::initialized(param.id, tensor.detach().require_grad())
    }
}

#[test]
#[should_panic(expected = "only a causal layer can use a cache")]
fn a_cache_needs_causality() {
    let module = in_f64(MultiHeadAttentionConfig::new(6, 2).init(&device()));
    module.forward_cached(normal([1, 2, 6]), None, &mut KvCache::new());
}

#[test]
fn configs_name_the_bad_field() {
    let grouped = GroupedQueryAttentionConfig::new(7, 6, 2).with_head_dim(Some(5));
    let rotary = |width| Some(RotaryEmbeddingConfig::new(width));
    let errors = [
        (
            MultiHeadAttentionConfig::new(7, 2).validate(),
            "multiple of n_heads = 2",
        ),
        (MultiHeadAttentionConfig::new(6, 0).validate(), "n_heads"),
        (
            MultiHeadAttentionConfig::new(6, 2)
                .with_k_dim(Some(0))
                .validate(),
            "k_dim",
        ),
        (
            grouped.clone().with_head_dim(None).validate(),
            "multiple of n_heads = 6",
        ),
        (
            GroupedQueryAttentionConfig::new(6, 3, 2).validate(),
            "multiple of n_kv_heads = 2",
        ),
        (grouped.clone().with_dropout(-0.1).validate(), "dropout"),
        (
            grouped.clone().with_softcap(Some(0.0)).validate(),
            "softcap",
        ),
        (
            grouped.clone().with_rotary(rotary(6)).validate(),
            "rotary_dim = 6, must be in 2..=5",
        ),
        (
            grouped.clone().with_rotary(rotary(3)).validate(),
            "rotary_dim = 3, must be even",
        ),
        (grouped.with_qk_norm_eps(f64::NAN).validate(), "qk_norm_eps"),
        (CrossAttentionConfig::new(6, 0, 2).validate(), "d_context"),
        (
            SlidingWindowAttentionConfig::new(7, 2, 1).validate(),
            "n_heads",
        ),
        (
            LinearAttentionConfig::new(6, 2).with_eps(0.0).validate(),
            "eps",
        ),
    ];
    for (result, text) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
    }
}
