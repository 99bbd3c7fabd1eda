//! The linear layer whose weight is a superposition.

use burn::tensor::{DType, Tensor};
use forge_nn::{ModuleConfig, QuantumInspiredLinearConfig, burn};

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
fn configs_name_the_bad_field() {
    let no_basis = QuantumInspiredLinearConfig::new(3, 3).with_n_basis(0);
    let errors = [
        (QuantumInspiredLinearConfig::new(0, 3).validate(), "d_input"),
        (no_basis.validate(), "n_basis"),
    ];
    for (result, text) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(text),
            "{error}"
        );
    }
}
