//! Tensors without elements: nothing comes out, or what a sum over nothing is.

use burn::tensor::{Bool, Device, Tensor};
use forge_nn::ops::{
    self, AdamWStep, AttentionMask, AttentionOptions, GluKind, LinearActivation, PackedHeads,
};

/// On a device that differentiates, so that both passes run.
fn device() -> Device {
    Device::flex().autodiff()
}

fn zeros<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::zeros(shape, &device()).require_grad()
}

fn ones<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::ones(shape, &device()).require_grad()
}

fn numbers<const D: usize>(x: Tensor<D>) -> Vec<f64> {
    x.into_data().iter().collect()
}

fn assert_all<const D: usize>(x: Tensor<D>, shape: [usize; D], value: f64) {
    assert_eq!(x.dims(), shape);
    let x = numbers(x);
    assert_eq!(x.len(), shape.iter().product::<usize>());
    assert!(x.iter().all(|&x| x == value), "{x:?} for {value}");
}

#[test]
fn linear() {
    for (rows, inputs, outputs) in [(7, 0, 3), (7, 5, 0), (0, 5, 3), (0, 0, 0), (7, 0, 0)] {
        for activation in [
            LinearActivation::Identity,
            LinearActivation::Relu,
            LinearActivation::Gelu,
            LinearActivation::Silu,
        ] {
            let (x, w) = (ones([2, rows, inputs]), ones([inputs, outputs]));
            let b = ones([outputs]);
            let y = ops::linear_activation(x.clone(), w.clone(), Some(b.clone()), activation);
            let grads = y.clone().sum().backward();
            assert_eq!(y.dims(), [2, rows, outputs]);
            // A sum over no input is 0, and the bias is left.
            let y = numbers(y);
            assert!(y.iter().all(|&y| (0.7..=1.0).contains(&y)), "{y:?}");
            assert_all(x.grad(&grads).unwrap(), [2, rows, inputs], 0.0);
            assert_all(w.grad(&grads).unwrap(), [inputs, outputs], 0.0);
            let db = numbers(b.grad(&grads).unwrap());
            assert_eq!(db.len(), outputs);
            assert!(db.iter().all(|&d| (d == 0.0) == (rows == 0)), "{db:?}");
        }
        let y = ops::linear(zeros([rows, inputs]), zeros([inputs, outputs]), None);
        assert_all(y, [rows, outputs], 0.0);
    }
}

#[test]
fn norms() {
    for (rows, width) in [(0, 5), (7, 0), (0, 0)] {
        let (x, w, b) = (ones([2, rows, width]), ones([width]), ones([width]));
        let affine = (Some(w.clone()), Some(b.clone()));
        let y = ops::layer_norm(x.clone(), affine.0, affine.1, 1e-5);
        let grads = y.clone().sum().backward();
        assert_all(y, [2, rows, width], 0.0);
        assert_all(x.grad(&grads).unwrap(), [2, rows, width], 0.0);
        assert_all(w.grad(&grads).unwrap(), [width], 0.0);
        assert_all(b.grad(&grads).unwrap(), [width], 0.0);
        let y = ops::rms_norm(x, Some(w), 1e-5);
        assert_all(y, [2, rows, width], 0.0);
    }
}

#[test]
fn batch_norms() {
    for shape in [
        [1, 0, 5, 1],
        [0, 3, 5, 1],
        [2, 7, 0, 1],
        [2, 3, 5, 0],
        [1, 0, 5, 4],
        [0, 0, 0, 0],
    ] {
        let [groups, _, width, _] = shape;
        let (x, w, b) = (ones(shape), ones([width]), ones([width]));
        let (y, mean, var) = ops::batch_norm(x.clone(), w.clone(), b.clone(), 1e-5);
        let grads = y.clone().sum().backward();
        assert_all(y, shape, 0.0);
        assert_all(mean, [groups, width], 0.0);
        assert_all(var, [groups, width], 0.0);
        assert_all(x.grad(&grads).unwrap(), shape, 0.0);
        assert_all(w.grad(&grads).unwrap(), [width], 0.0);
        assert_all(b.grad(&grads).unwrap(), [width], 0.0);
    }
}

#[test]
fn channel_affines() {
    for [rows, width] in [[0, 5], [7, 0], [0, 0]] {
        let (x, scale) = (ones([rows, width]), ones([width]));
        let (origin, shift) = (Some(ones([width])), Some(zeros([width])));
        let identity = LinearActivation::Identity;
        let y = ops::channel_affine(x.clone(), origin, scale.clone(), shift, identity);
        let grads = y.clone().sum().backward();
        assert_all(y, [rows, width], 0.0);
        assert_all(x.grad(&grads).unwrap(), [rows, width], 0.0);
        assert_all(scale.grad(&grads).unwrap(), [width], 0.0);
    }
}

#[test]
fn depthwise_convolutions() {
    for shape in [[0, 2, 5], [3, 2, 0], [0, 2, 0]] {
        let (x, w) = (ones(shape), ones([2, 1, 3]));
        let y = ops::depthwise_conv1d(x.clone(), w.clone());
        let grads = y.clone().sum().backward();
        assert_all(y, shape, 0.0);
        assert_all(x.grad(&grads).unwrap(), shape, 0.0);
        assert_all(w.grad(&grads).unwrap(), [2, 1, 3], 0.0);
    }
}

#[test]
fn causal_convolutions() {
    for shape in [[0, 5, 2], [3, 0, 2], [0, 0, 2]] {
        let (x, w, b) = (ones(shape), ones([2, 1, 3]), ones([2]));
        let y = ops::causal_conv1d(x.clone(), w.clone(), Some(b.clone()));
        let grads = y.clone().sum().backward();
        assert_all(y, shape, 0.0);
        assert_all(x.grad(&grads).unwrap(), shape, 0.0);
        assert_all(w.grad(&grads).unwrap(), [2, 1, 3], 0.0);
        assert_all(b.grad(&grads).unwrap(), [2], 0.0);
    }
}

#[test]
fn block_diagonal_products() {
    for rows in [[0, 6], [3, 0]] {
        let groups = rows[1] / 2;
        let (x, w, b) = (ones(rows), ones([groups, 2, 2]), ones([rows[1]]));
        let y = ops::block_diagonal(x.clone(), w.clone(), Some(b.clone()));
        let grads = y.clone().sum().backward();
        assert_all(y, rows, 0.0);
        assert_all(x.grad(&grads).unwrap(), rows, 0.0);
        assert_all(w.grad(&grads).unwrap(), [groups, 2, 2], 0.0);
        assert_all(b.grad(&grads).unwrap(), [rows[1]], 0.0);
    }
}

#[test]
fn gated_units() {
    for (rows, width) in [(0, 5), (7, 0), (0, 0)] {
        for kind in [
            GluKind::Sigmoid,
            GluKind::Relu,
            GluKind::Gelu,
            GluKind::Silu,
        ] {
            let x = ones([rows, 2 * width]);
            let y = ops::glu(x.clone(), kind);
            let grads = y.clone().sum().backward();
            assert_all(y, [rows, width], 0.0);
            assert_all(x.grad(&grads).unwrap(), [rows, 2 * width], 0.0);
            let [value, gate] = [ones([rows, width]), ones([rows, width])];
            let y = ops::gated(value.clone(), gate.clone(), kind);
            let grads = y.clone().sum().backward();
            for of in [y, value.grad(&grads).unwrap(), gate.grad(&grads).unwrap()] {
                assert_all(of, [rows, width], 0.0);
            }
        }
    }
}

#[test]
fn softmax() {
    for shape in [[0, 5], [7, 0], [0, 0]] {
        for dim in [0, 1] {
            let x = ones(shape);
            let y = ops::softmax(x.clone(), dim);
            let grads = y.clone().sum().backward();
            assert_all(y, shape, 0.0);
            assert_all(x.grad(&grads).unwrap(), shape, 0.0);
        }
    }
}

#[test]
fn cosines_and_sines() {
    for [rows, width] in [[0, 5], [7, 0], [0, 0]] {
        let x = ones([rows, width]);
        let y = ops::cos_sin(x.clone());
        let grads = y.clone().sum().backward();
        assert_all(y, [rows, 2 * width], 0.0);
        assert_all(x.grad(&grads).unwrap(), [rows, width], 0.0);
    }
}

#[test]
fn test_time_training() {
    for [batch, time] in [[0, 5], [2, 0], [0, 0]] {
        let views = [(); 3].map(|()| ones([batch, 2, time, 3]));
        let (rates, scales) = (ones([batch, 2, time]), ones([4]));
        let parameters = ones([2, 6 + 12]);
        let y = ops::ttt(
            views.clone(),
            rates.clone(),
            scales.clone(),
            parameters.clone(),
            None,
        );
        let grads = y.clone().sum().backward();
        assert_all(y, [batch, 2, time, 3], 0.0);
        for view in views {
            assert_all(view.grad(&grads).unwrap(), [batch, 2, time, 3], 0.0);
        }
        assert_all(rates.grad(&grads).unwrap(), [batch, 2, time], 0.0);
        assert_all(scales.grad(&grads).unwrap(), [4], 0.0);
        assert_all(parameters.grad(&grads).unwrap(), [2, 18], 0.0);
    }
}

#[test]
fn dropout_and_residual() {
    for shape in [[0, 5], [7, 0], [0, 0]] {
        for probability in [0.0, 0.5] {
            let (x, r) = (ones(shape), ones(shape));
            let y = ops::dropout_residual(x.clone(), r.clone(), probability);
            let grads = y.clone().sum().backward();
            assert_all(y, shape, 0.0);
            assert_all(x.grad(&grads).unwrap(), shape, 0.0);
            assert_all(r.grad(&grads).unwrap(), shape, 0.0);
            assert_all(ops::dropout(x, probability), shape, 0.0);
        }
    }
}

#[test]
fn adamw() {
    let step = AdamWStep {
        learning_rate: 0.1,
        beta_1: 0.9,
        beta_2: 0.99,
        epsilon: 1e-8,
        weight_decay: 0.1,
        time: 1,
    };
    let x = || Tensor::<2>::zeros([0, 5], &Device::flex());
    let (p, m, v) = ops::adamw_step(x(), x(), x(), x(), &step);
    for x in [p, m, v] {
        assert_all(x, [0, 5], 0.0);
    }
}

#[test]
fn attention() {
    // Batch, heads, queries, keys, width, value width.
    for sizes in [
        [2, 2, 3, 0, 5, 4],
        [2, 2, 0, 3, 5, 4],
        [0, 2, 3, 7, 5, 4],
        [2, 2, 3, 7, 5, 0],
        [2, 2, 0, 0, 5, 4],
        [2, 2, 3, 0, 0, 4],
    ] {
        let [batch, heads, queries, keys, width, value_width] = sizes;
        for (causal, masked, biased) in [
            (false, false, false),
            (true, false, true),
            (false, true, false),
            (true, true, true),
        ] {
            let q = ones([batch, heads, queries, width]);
            let k = ones([batch, heads, keys, width]);
            let v = ones([batch, heads, keys, value_width]);
            let bias = biased.then(|| ones([heads, queries, keys]));
            let mask = match masked {
                true => AttentionMask {
                    key_valid: Some(Tensor::<2, Bool>::full([batch, keys], true, &device())),
                    full: Some(Tensor::<4, Bool>::full(
                        [batch, heads, queries, keys],
                        true,
                        &device(),
                    )),
                },
                false => AttentionMask::none(),
            };
            for dropout in [0.0, 0.5] {
                let options = AttentionOptions {
                    causal,
                    dropout,
                    softcap: causal.then_some(2.0),
                    ..AttentionOptions::default()
                };
                let inputs = (q.clone(), k.clone(), v.clone());
                let y = ops::attention(
                    inputs.0.clone(),
                    inputs.1.clone(),
                    inputs.2.clone(),
                    mask.clone(),
                    bias.clone(),
                    &options,
                );
                let grads = y.clone().sum().backward();
                assert_all(y, [batch, heads, queries, value_width], 0.0);
                let q_shape = [batch, heads, queries, width];
                assert_all(q.grad(&grads).unwrap(), q_shape, 0.0);
                assert_all(k.grad(&grads).unwrap(), [batch, heads, keys, width], 0.0);
                let v_shape = [batch, heads, keys, value_width];
                assert_all(v.grad(&grads).unwrap(), v_shape, 0.0);
                if let Some(bias) = &bias {
                    let shape = [heads, queries, keys];
                    assert_all(bias.grad(&grads).unwrap(), shape, 0.0);
                }
                let (q, k, v) = inputs;
                let (y, w) =
                    ops::attention_with_weights(q, k, v, mask.clone(), bias.clone(), &options);
                assert_all(y, [batch, heads, queries, value_width], 0.0);
                assert_eq!(w.dims(), [batch, heads, queries, keys]);
            }
        }
    }
}

/// Heads without features have equal scores.
#[test]
fn attention_without_features_takes_the_mean() {
    let q = ones([1, 1, 2, 0]);
    let k = ones([1, 1, 4, 0]);
    let v = Tensor::<4>::from_data([[[[1.0], [2.0], [3.0], [6.0]]]], &device()).require_grad();
    let options = AttentionOptions::default();
    let y = ops::attention(q, k, v.clone(), AttentionMask::none(), None, &options);
    let grads = y.clone().sum().backward();
    assert_all(y, [1, 1, 2, 1], 3.0);
    assert_all(v.grad(&grads).unwrap(), [1, 1, 4, 1], 0.5);
}

#[test]
fn packed_attention() {
    for (batch, tokens, width) in [(2, 0, 3), (0, 5, 3), (2, 5, 0), (0, 0, 0)] {
        for (causal, masked) in [(false, false), (true, false), (false, true)] {
            let qkv = ones([batch, tokens, 8 * width]);
            let heads = PackedHeads {
                heads: 4,
                groups: 2,
            };
            let options = AttentionOptions {
                causal,
                ..AttentionOptions::default()
            };
            let mask = match masked {
                true => {
                    let valid = Tensor::<2, Bool>::full([batch, tokens], true, &device());
                    AttentionMask::key_valid(valid)
                }
                false => AttentionMask::none(),
            };
            let y = ops::attention_packed(qkv.clone(), heads, mask, &options);
            let grads = y.clone().sum().backward();
            assert_all(y, [batch, tokens, 4 * width], 0.0);
            let dqkv = qkv.grad(&grads).unwrap();
            assert_all(dqkv, [batch, tokens, 8 * width], 0.0);
        }
    }
}
