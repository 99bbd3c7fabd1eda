use burn::tensor::{Bool, DType, Tensor, TensorData};
use forge_nn::special::{
    AdaptiveComputationTimeConfig, PoolingConfig, PoolingKind, QuantumInspiredLinearConfig,
    cls_pool, max_pool, mean_pool,
};
use forge_nn::{ModuleConfig, burn};

use crate::checks::{
    check_input, check_parameters, close, device, in_f64, normal, numbers, scalar,
};

#[test]
fn quantum_inspired_linear_is_a_superposition() {
    let module = in_f64(
        QuantumInspiredLinearConfig::new(5, 3)
            .with_n_basis(4)
            .init(&device()),
    );
    let (mixing, phases) = (numbers(module.mixing.val()), numbers(module.phases.val()));
    let total: f64 = mixing.iter().map(|m| m.exp()).sum();
    let mut weight = Tensor::<2>::zeros([5, 3], (&device(), DType::F64));
    for basis in 0..4 {
        let amplitude = mixing[basis].exp() / total * phases[basis].cos();
        let part = module
            .basis_weights
            .val()
            .narrow(0, basis, 1)
            .squeeze_dim::<2>(0);
        weight = weight + part * amplitude;
    }
    close(module.weight(), weight.clone(), 1e-13);
    let x = normal::<3>([2, 7, 5]);
    let bias = module.bias.as_ref().unwrap().val();
    let expected = x.clone().reshape([14, 5]).matmul(weight) + bias.unsqueeze();
    close(
        module.forward(x.clone()),
        expected.reshape([2, 7, 3]),
        1e-13,
    );

    let weights = normal::<3>([2, 7, 3]);
    check_input(x.clone(), |x| (module.forward(x) * weights.clone()).sum());
    check_parameters(module, |m| (m.forward(x.clone()) * weights.clone()).sum());
}

#[test]
fn quantum_inspired_linear_begins_with_phases_that_can_move() {
    device().seed(11);
    let config = QuantumInspiredLinearConfig::new(101, 103)
        .with_n_basis(8)
        .with_bias(false);
    let module = config.init(&device());
    assert!(module.bias.is_none());
    let grads = module.weight().powi_scalar(2).sum().backward();
    let gradient = Tensor::<1>::from_inner(module.phases.grad(&grads).unwrap());
    assert!(numbers(gradient).iter().all(|g| g.abs() > 1e-9));
    let variance = scalar(module.weight().square().mean());
    let plain = 1.0 / (3.0 * 101.0);
    assert!(
        (0.6..1.1).contains(&(variance / plain)),
        "{}",
        variance / plain
    );
}

#[test]
fn act_weights_sum_to_one_and_cost_what_was_thought() {
    let config = AdaptiveComputationTimeConfig::new(3, 5, 2).with_max_steps(7);
    let module = in_f64(config.init(&device()));
    let result = module.forward(normal([2, 11, 3]), None);
    let ones = Tensor::ones([2, 11, 1], (&device(), DType::F64));
    close(result.halting.clone().sum_dim(2), ones, 1e-13);
    let steps = numbers(result.n_steps.clone().float());
    let used = result
        .halting
        .clone()
        .greater_scalar(0.0)
        .int()
        .sum_dim(2)
        .float();
    assert_eq!(numbers(used), steps);
    for ((steps, rest), ponder) in steps
        .iter()
        .zip(numbers(result.remainder))
        .zip(numbers(result.ponder))
    {
        assert!((1.0..=7.0).contains(steps) && (0.0..=1.0).contains(&rest));
        assert_eq!(ponder, steps + rest);
    }
}

#[test]
fn act_with_one_step_is_a_plain_recurrent_layer() {
    let config = AdaptiveComputationTimeConfig::new(3, 5, 2).with_max_steps(1);
    let module = in_f64(config.init(&device()));
    let x = normal::<3>([2, 7, 3]);
    let mut state = normal::<2>([2, 5]);
    let result = module.forward(x.clone(), Some(state.clone()));
    for t in 0..7 {
        let flag = Tensor::ones([2, 1], (&device(), DType::F64));
        let input = Tensor::cat(vec![x.clone().narrow(1, t, 1).squeeze_dim(1), flag], 1);
        state = (module.input.forward(input) + module.recurrent.forward(state)).tanh();
        let y = result.output.clone().narrow(1, t, 1).squeeze_dim::<2>(1);
        close(y, module.output.forward(state.clone()), 1e-13);
    }
    close(result.state, state, 1e-13);
}

#[test]
fn act_thinks_longer_when_it_does_not_want_to_halt() {
    let config = AdaptiveComputationTimeConfig::new(3, 5, 2).with_max_steps(50);
    let mut module = in_f64(config.init(&device()));
    let x = normal::<3>([2, 3, 3]);
    let eager = scalar(module.forward(x.clone(), None).ponder.mean());
    module.halt.bias = module.halt.bias.map(|bias| bias.map(|b| b - 4.0));
    let slow = scalar(module.forward(x, None).ponder.mean());
    assert!(slow > 2.0 * eager, "{slow} {eager}");
}

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
    let act = AdaptiveComputationTimeConfig::new(3, 5, 2);
    let errors = [
        (QuantumInspiredLinearConfig::new(0, 3).validate(), "d_input"),
        (
            QuantumInspiredLinearConfig::new(3, 3)
                .with_n_basis(0)
                .validate(),
            "n_basis",
        ),
        (
            act.clone().with_epsilon(1.0).validate(),
            "epsilon = 1, must be in 0.0..1.0",
        ),
        (act.with_max_steps(0).validate(), "max_steps"),
        (PoolingConfig::new(0).validate(), "d_model"),
    ];
    for (result, text) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
    }
}
