//! Adaptive computation time.

use burn::tensor::{DType, Tensor};
use forge_nn::adaptive_computation::AdaptiveComputationTimeConfig;
use forge_nn::{ModuleConfig, burn};

use crate::checks::{close, device, in_f64, normal, numbers, scalar};

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

#[test]
fn configs_name_the_bad_field() {
    let act = AdaptiveComputationTimeConfig::new(3, 5, 2);
    let errors = [
        (
            act.clone().with_epsilon(1.0).validate(),
            "epsilon = 1, must be in 0.0..1.0",
        ),
        (act.with_max_steps(0).validate(), "max_steps"),
    ];
    for (result, text) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
    }
}
