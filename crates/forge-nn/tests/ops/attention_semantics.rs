//! What attention promises beyond its formula: dropout, empty rows, refused inputs.

use burn::tensor::{Bool, DType, Device, Tensor};
use forge_nn::ops::{AttentionMask, AttentionOptions, attention, dropout, dropout_residual};

use super::evaluation::{tensor, values};

fn qkv(dtype: DType, device: &Device, len: usize) -> [Tensor<4>; 3] {
    [1, 2, 3].map(|seed| {
        tensor(&values(seed, 2 * 3 * len * 8), dtype, device)
            .reshape([2, 3, len, 8])
            .detach()
            .require_grad()
    })
}

fn dropping(dropout: f64) -> AttentionOptions {
    AttentionOptions {
        dropout,
        ..AttentionOptions::default()
    }
}

#[test]
fn dropout_keeps_the_mean_and_follows_the_seed() {
    for len in [19, 151] {
        let device = Device::flex().autodiff();
        let [q, k, v] = qkv(DType::F64, &device, len);
        let run = |seed: u64, dropout: f64| -> Vec<f64> {
            device.seed(seed);
            let y = attention(
                q.clone(),
                k.clone(),
                v.clone(),
                AttentionMask::none(),
                None,
                &dropping(dropout),
            );
            y.into_data().iter().collect()
        };
        let plain = run(0, 0.0);
        assert_eq!(run(5, 0.3), run(5, 0.3));
        assert_ne!(run(5, 0.3), run(6, 0.3));
        let mut mean = vec![0.0; plain.len()];
        let runs = 400;
        for seed in 0..runs {
            for (m, y) in mean.iter_mut().zip(run(seed, 0.3)) {
                *m += y / runs as f64;
            }
        }
        let off: f64 = mean
            .iter()
            .zip(&plain)
            .map(|(m, p)| (m - p).abs())
            .sum::<f64>()
            / plain.len() as f64;
        let size: f64 = plain.iter().map(|p| p.abs()).sum::<f64>() / plain.len() as f64;
        assert!(
            off < 0.2 * size,
            "mean over seeds is off by {off}, size {size}"
        );
    }
}

#[test]
fn dropout_gradient_uses_the_mask_of_the_forward_pass() {
    for len in [19, 151] {
        let device = Device::flex().autodiff();
        let [q, k, v] = qkv(DType::F64, &device, len);
        // Linear in v: along v itself the slope is the value.
        device.seed(3);
        let y = attention(q, k, v.clone(), AttentionMask::none(), None, &dropping(0.4)).sum();
        let value: f64 = y.clone().into_scalar::<f64>();
        let grads = y.backward();
        let slope = (v.grad(&grads).unwrap() * v.inner())
            .sum()
            .into_scalar::<f64>();
        assert!(
            (value - slope).abs() < 1e-9 * value.abs().max(1.0),
            "{value} {slope}"
        );
    }
}

#[test]
fn the_operation_drops_without_autodiff_too() {
    let device = Device::flex();
    let [q, k, v] =
        [1, 2, 3].map(|seed| tensor(&values(seed, 48), DType::F64, &device).reshape([1, 2, 3, 8]));
    let a = attention(
        q.clone(),
        k.clone(),
        v.clone(),
        AttentionMask::none(),
        None,
        &dropping(0.9),
    );
    let b = attention(q, k, v, AttentionMask::none(), None, &dropping(0.0));
    // Whether anything is to be dropped is for the layer to say.
    assert_ne!(a.into_data(), b.into_data());
}

#[test]
fn dropout_residual_drops_the_branch_and_not_the_residual() {
    let device = Device::flex().autodiff();
    device.seed(1);
    let x = Tensor::<2>::ones([211, 509], &device).require_grad();
    let residual = Tensor::<2>::ones([211, 509], &device).require_grad();
    let y = dropout_residual(x.clone(), residual.clone(), 0.25);
    let out: Vec<f64> = y.clone().into_data().iter().collect();
    let kept = out.iter().filter(|&&y| y > 1.5).count() as f64 / out.len() as f64;
    assert!((kept - 0.75).abs() < 0.01, "{kept}");
    assert!(
        out.iter()
            .all(|y| (y - 1.0).abs() < 1e-6 || (y - 1.0 - 1.0 / 0.75).abs() < 1e-6)
    );
    let grads = y.sum().backward();
    let dx: Vec<f64> = x.grad(&grads).unwrap().into_data().iter().collect();
    assert!(dx.iter().zip(&out).all(|(d, y)| (d + 1.0 - y).abs() < 1e-6));
    let dr: Vec<f64> = residual.grad(&grads).unwrap().into_data().iter().collect();
    assert!(dr.iter().all(|&d| d == 1.0));
}

#[test]
fn a_query_without_keys_gets_zeros_and_zero_gradients() {
    for len in [5, 140] {
        for dtype in [DType::F32, DType::F64] {
            let device = Device::flex().autodiff();
            let [q, k, v] = qkv(dtype, &device, len);
            let mask = Tensor::<2, Bool>::full([2, len], false, &device);
            let y = attention(
                q.clone(),
                k.clone(),
                v.clone(),
                AttentionMask::key_valid(mask),
                None,
                &AttentionOptions::default(),
            );
            assert!(y.clone().into_data().iter::<f64>().all(|y| y == 0.0));
            let grads = y.sum().backward();
            for tensor in [q, k, v] {
                let grad = tensor.grad(&grads).unwrap();
                assert!(grad.into_data().iter::<f64>().all(|g| g == 0.0));
            }
        }
    }
}

#[test]
#[should_panic(expected = "does not fit k")]
fn shapes_that_do_not_fit_are_named() {
    let device = Device::flex();
    let q = Tensor::<4>::zeros([1, 1, 3, 5], &device);
    let k = Tensor::<4>::zeros([1, 1, 3, 7], &device);
    let _ = attention(
        q,
        k.clone(),
        k,
        AttentionMask::none(),
        None,
        &AttentionOptions::default(),
    );
}

#[test]
fn dropout_alone_passes_gradients_where_it_passed_values() {
    let device = Device::flex().autodiff();
    device.seed(1);
    let x = Tensor::<2>::ones([211, 509], &device).require_grad();
    let y = dropout(x.clone(), 0.4);
    let out: Vec<f64> = y.clone().into_data().iter().collect();
    let kept = out.iter().filter(|&&y| y > 0.0).count() as f64 / out.len() as f64;
    assert!((kept - 0.6).abs() < 0.01, "{kept}");
    let grads = y.sum().backward();
    let dx: Vec<f64> = x.grad(&grads).unwrap().into_data().iter().collect();
    assert!(dx.iter().zip(&out).all(|(d, y)| (d - y).abs() < 1e-6));
    let plain: Vec<f64> = dropout(x.inner(), 0.4).into_data().iter().collect();
    assert!(plain.contains(&0.0));
}
