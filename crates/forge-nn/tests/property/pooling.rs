//! Tokens to one vector.

use burn::tensor::{Bool, Tensor, TensorData};
use forge_nn::pooling::{PoolingConfig, PoolingKind, cls_pool, max_pool, mean_pool};
use forge_nn::{ModuleConfig, burn};

use crate::checks::{check_input, check_parameters, close, device, in_f64, normal, numbers};

fn masks() -> Tensor<2, Bool> {
    let rows = [[true, true, false, true, false], [false; 5], [true; 5]];
    Tensor::from_data(TensorData::from(rows), &device())
}

#[test]
fn pooling_ignores_what_is_not_valid() {
    let x = normal::<3>([3, 5, 2]);
    let rows = numbers(x.clone());
    let at = |sample: usize, token: usize, feature: usize| rows[(sample * 5 + token) * 2 + feature];
    let mean = numbers(mean_pool(x.clone(), Some(masks())));
    let max = numbers(max_pool(x.clone(), Some(masks())));
    for feature in 0..2 {
        let kept = [0, 1, 3].map(|token| at(0, token, feature));
        assert!((mean[feature] - kept.iter().sum::<f64>() / 3.0).abs() < 1e-14);
        assert_eq!(max[feature], kept.iter().copied().fold(f64::MIN, f64::max));
        assert_eq!((mean[2 + feature], max[2 + feature]), (0.0, 0.0));
    }
    let full = |y: Tensor<2>| y.narrow(0, 2, 1);
    let plain = mean_pool(x.clone(), None);
    close(
        full(mean_pool(x.clone(), Some(masks()))),
        full(plain),
        1e-14,
    );
    let plain = max_pool(x.clone(), None);
    close(full(max_pool(x.clone(), Some(masks()))), full(plain), 0.0);
    close(cls_pool(x.clone()), x.narrow(1, 0, 1).squeeze_dim(1), 0.0);
}

#[test]
fn every_pooling_has_exact_gradients_and_none_from_an_empty_sample() {
    let x = normal::<3>([3, 5, 2]);
    let weights = normal::<2>([3, 2]);
    for kind in [
        PoolingKind::Cls,
        PoolingKind::Mean,
        PoolingKind::Max,
        PoolingKind::Attention,
    ] {
        let module = in_f64(PoolingConfig::new(2).with_kind(kind).init(&device()));
        let loss = |x: Tensor<3>| (module.forward(x, Some(masks())) * weights.clone()).sum();
        check_input(x.clone(), loss);
        if kind == PoolingKind::Attention {
            check_parameters(module.clone(), |m| {
                (m.forward(x.clone(), Some(masks())) * weights.clone()).sum()
            });
        }
        if kind != PoolingKind::Cls {
            let leaf = x.clone().detach().require_grad();
            let gradient = leaf.grad(&loss(leaf.clone()).backward()).unwrap();
            let empty = Tensor::<3>::from_inner(gradient).narrow(0, 1, 1);
            assert!(numbers(empty).iter().all(|g| *g == 0.0), "{kind:?}");
        }
    }
}

#[test]
fn attention_pooling_of_equal_tokens_is_that_token() {
    let module = in_f64(
        PoolingConfig::new(3)
            .with_kind(PoolingKind::Attention)
            .init(&device()),
    );
    let token = normal::<3>([2, 1, 3]);
    let x = token.clone().expand([2, 7, 3]);
    close(module.forward(x, None), token.squeeze_dim(1), 1e-14);
}

#[test]
fn configs_name_the_bad_field() {
    let error = PoolingConfig::new(0).validate().unwrap_err();
    assert!(error.is_config() && error.to_string().contains("d_model"));
}
