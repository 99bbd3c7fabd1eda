//! Shapes of which products of dimensions wrap around are refused by name; a release build would
//! else make a small buffer of them and write past it.

use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ops::{
    self, AdamWStep, AttentionMask, AttentionOptions, GluKind, LinearActivation, PackedHeads,
};

use super::panics::message;

/// Lengths of two axes: their product is beyond memory, wraps to 0, and wraps to a small number, in
/// elements or in bytes.
const AXES: [[usize; 2]; 5] = [
    [1 << 40, 1 << 40],
    [1 << 32, 1 << 32],
    [1 << 31, 1 << 32],
    [(1 << 33) + 2, 1 << 31],
    [1 << 60, 4],
];

fn expanded<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::<D>::ones([1; D], &Device::flex()).expand(shape)
}

fn assert_refused<T>(name: &str, call: impl FnOnce() -> T) {
    let text = message(call);
    assert!(
        text.starts_with(name) && text.contains("more elements than can be addressed"),
        "{name}: {text}"
    );
}

#[test]
fn linear() {
    for [a, b] in AXES {
        for activation in [LinearActivation::Identity, LinearActivation::Gelu] {
            let run = |x, w| ops::linear_activation::<2>(x, w, None, activation);
            assert_refused("linear", || run(expanded([a, b]), expanded([b, 1])));
            // Inputs that fit and an output that does not.
            assert_refused("linear", || run(expanded([a, 1]), expanded([1, b])));
        }
    }
}

#[test]
fn rows() {
    let device = Device::flex();
    for [a, b] in AXES {
        let x = || expanded([a, b]);
        assert_refused("layer_norm", || ops::layer_norm(x(), None, None, 1e-5));
        assert_refused("rms_norm", || ops::rms_norm(x(), None, 1e-5));
        assert_refused("softmax", || ops::softmax(x(), 0));
        assert_refused("softmax", || ops::softmax(x(), 1));
        assert_refused("cos_sin", || ops::cos_sin(x()));
        let even = || Tensor::<2>::ones([1, 1], &device).expand([a, b & !1]);
        assert_refused("glu", || ops::glu(even(), GluKind::Silu));
        assert_refused("gated", || ops::gated(x(), x(), GluKind::Silu));
        assert_refused("dropout", || ops::dropout(x(), 0.5));
        assert_refused("dropout_residual", || ops::dropout_residual(x(), x(), 0.0));
        assert_refused("dropout_residual", || ops::dropout_residual(x(), x(), 0.5));
        let step = AdamWStep {
            learning_rate: 0.1,
            beta_1: 0.9,
            beta_2: 0.99,
            epsilon: 1e-8,
            weight_decay: 0.1,
            time: 1,
        };
        assert_refused("adamw_step", || ops::adamw_step(x(), x(), x(), x(), &step));
    }
}

#[test]
fn batch_norms() {
    for [a, b] in AXES {
        let of = || expanded([b]);
        assert_refused("batch_norm", || {
            ops::batch_norm(expanded([1, a, b, 1]), of(), of(), 1e-5)
        });
        assert_refused("channel_affine", || {
            ops::channel_affine(expanded([a, b]), None, of(), None, LinearActivation::Relu)
        });
    }
}

#[test]
fn depthwise_convolutions() {
    for [a, b] in AXES {
        let run = |x, w| ops::depthwise_conv1d(x, w);
        assert_refused("depthwise_conv1d", || {
            run(expanded([a, 1, b]), expanded([1, 1, 1]))
        });
        assert_refused("depthwise_conv1d", || {
            run(expanded([1, a, 1]), expanded([a, 1, b | 1]))
        });
    }
}

#[test]
fn block_diagonal_products() {
    for [a, b] in AXES {
        assert_refused("block_diagonal", || {
            ops::block_diagonal(expanded([a, b]), expanded([b, 1, 1]), None)
        });
    }
}

#[test]
fn causal_convolutions() {
    for [a, b] in AXES {
        let run = |x, w| ops::causal_conv1d(x, w, None);
        assert_refused("causal_conv1d", || {
            run(expanded([a, b, 1]), expanded([1, 1, 1]))
        });
        assert_refused("causal_conv1d", || {
            run(expanded([1, 1, a]), expanded([a, 1, b]))
        });
    }
}

#[test]
fn test_time_training() {
    for [a, b] in AXES {
        let views = || [(); 3].map(|()| expanded([a, 1, b, 1]));
        let rates = expanded([a, 1, b]);
        let (scales, parameters) = (expanded([2]), expanded([1, 4]));
        assert_refused("ttt", || ops::ttt(views(), rates, scales, parameters, None));
    }
}

#[test]
fn attention() {
    let options = AttentionOptions::default();
    let run = |q, k, v| ops::attention(q, k, v, AttentionMask::none(), None, &options);
    for [a, b] in AXES {
        // Samples and queries, keys and features, and values of which there are too many.
        let (q, k) = ([a, 1, b, 1], [a, 1, 1, 1]);
        assert_refused("attention", || run(expanded(q), expanded(k), expanded(k)));
        let (q, k) = ([1, 1, 1, b], [1, 1, a, b]);
        assert_refused("attention", || {
            run(expanded(q), expanded(k), expanded([1, 1, a, 1]))
        });
        let (q, v) = ([1, 1, a, 1], [1, 1, 1, b]);
        assert_refused("attention", || {
            run(expanded(q), expanded([1, 1, 1, 1]), expanded(v))
        });
        assert_refused("attention_packed", || {
            let mask = AttentionMask::none();
            let heads = PackedHeads::equal(1);
            ops::attention_packed(expanded([a, b, 3]), heads, mask, &options)
        });
    }
}

/// Inputs that fit, and a mask or weights for each pair of them that do not.
#[test]
fn attention_over_too_many_pairs() {
    let device = Device::flex();
    let options = AttentionOptions::default();
    for [a, b] in [[1 << 32, 1 << 32], [1 << 40, 1 << 40], [1 << 31, 1 << 33]] {
        let (q, k) = ([1, 1, a, 1], [1, 1, b, 1]);
        let full = || {
            let one = Tensor::<4, Bool>::full([1; 4], true, &device);
            AttentionMask::full(one.expand([1, 1, a, b]))
        };
        assert_refused("attention: mask", || {
            ops::attention(
                expanded(q),
                expanded(k),
                expanded(k),
                full(),
                None,
                &options,
            )
        });
        assert_refused("attention: weights", || {
            let mask = AttentionMask::none();
            ops::attention_with_weights(expanded(q), expanded(k), expanded(k), mask, None, &options)
        });
        assert_refused("attention", || {
            let (mask, bias) = (AttentionMask::none(), Some(expanded([1, a, b])));
            ops::attention(expanded(q), expanded(k), expanded(k), mask, bias, &options)
        });
    }
}
