//! Norms.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::{DType, Tensor};
use forge_nn::gating::{GatedInstanceNormConfig, LiteGateUnitConfig, SqueezeExcitationConfig};
use forge_nn::norm::{
    AdaptiveLayerNormConfig, BatchNorm, BatchNormConfig, ConditionalLayerNormConfig,
    GroupNorm1dConfig, LayerNormConfig, LayerScaleConfig, QkNormConfig, QkNormKind, RevInConfig,
    RmsNormConfig,
};
use forge_nn::{ModuleConfig, StateDict, burn};

use crate::checks::{
    check_input, check_parameters, close, device, in_f64, normal, numbers, scalar,
};

fn f64_ones<const D: usize>(shape: [usize; D]) -> Tensor<D> {
    Tensor::ones(shape, (&device(), DType::F64))
}

#[test]
fn layer_norm_standardises_and_has_exact_gradients() {
    let plain = LayerNormConfig::new(7)
        .with_weight(false)
        .with_bias(false)
        .with_eps(1e-12);
    let y = plain
        .init(&device())
        .forward(normal([3, 5, 7]) * 40.0 + 900.0);
    close(y.clone().mean_dim(2) + 1.0, f64_ones([3, 5, 1]), 1e-9);
    close(y.square().mean_dim(2), f64_ones([3, 5, 1]), 1e-9);

    let module = in_f64(LayerNormConfig::new(7).init(&device()));
    let (x, weights) = (normal([3, 5, 7]), normal([3, 5, 7]));
    check_input(x.clone(), |x| (module.forward(x) * weights.clone()).sum());
    check_parameters(module, |m| (m.forward(x.clone()) * weights.clone()).sum());
}

#[test]
fn rms_norm_ignores_scale_and_length_one_is_a_sign() {
    let module = in_f64(RmsNormConfig::new(5).with_eps(1e-30).init(&device()));
    let x = normal([2, 3, 5]);
    close(module.forward(x.clone() * 1e6), module.forward(x), 1e-12);
    let one = RmsNormConfig::new(1).with_eps(1e-30).init(&device());
    let y = one.forward(Tensor::<2>::from_data([[-3.0f32], [900.0]], &device()));
    assert_eq!(numbers(y), [-1.0, 1.0]);
}

#[test]
fn fresh_conditional_norms_ignore_the_condition() {
    let (x, cond) = (normal::<3>([3, 5, 7]), normal::<2>([3, 2]));
    let (x, cond) = (x.cast(DType::F32), cond.cast(DType::F32));
    let plain = LayerNormConfig::new(7)
        .with_eps(1e-6)
        .init(&device())
        .forward(x.clone());
    let adaptive = AdaptiveLayerNormConfig::new(7, 2).init(&device());
    close(
        adaptive.forward(x.clone(), cond.clone()),
        plain.clone(),
        1e-6,
    );
    let conditional = ConditionalLayerNormConfig::new(7, 2)
        .with_eps(1e-6)
        .init(&device());
    close(conditional.forward(x, cond), plain, 1e-6);
}

#[test]
fn group_norm_with_one_group_a_channel_is_instance_norm() {
    let module = GroupNorm1dConfig::new(3, 3).init(&device());
    let x = normal::<3>([2, 3, 11]).cast(DType::F32);
    let centred = x.clone() - x.clone().mean_dim(2);
    let root = (centred.clone().square().mean_dim(2) + 1e-5).sqrt();
    close(module.forward(x), centred / root, 1e-6);
}

#[test]
fn qk_norm_makes_unit_lengths_and_survives_a_zero_key() {
    let module = in_f64(QkNormConfig::new(QkNormKind::L2, 3, 5).init(&device()));
    let k = normal([2, 3, 7, 5]);
    let lengths = module.keys(k.clone()).square().sum_dim(3);
    close(lengths, f64_ones([2, 3, 7, 1]), 1e-12);
    let zero = (k * 0.0).detach().require_grad();
    let grads = module.keys(zero.clone()).sum().backward();
    let gradient = Tensor::<4>::from_inner(zero.grad(&grads).unwrap());
    assert!(numbers(gradient).iter().all(|g| g.is_finite()));
    assert_eq!(module.scale(5), 1.0);
    let rms = QkNormConfig::new(QkNormKind::Rms, 3, 4).init(&device());
    assert_eq!(rms.scale(4), 0.5);
}

fn batch_norm() -> BatchNorm {
    in_f64(BatchNormConfig::new(3).init(&device()))
}

#[test]
fn batch_norm_tracks_unbiased_variance_by_momentum() {
    let module = batch_norm();
    let before = numbers(module.running_var.value());
    let x = normal([5, 3, 2]);
    module.forward(x.clone());
    let flat = numbers(x.permute([1, 0, 2]));
    for (channel, values) in flat.chunks(10).enumerate() {
        let mean = values.iter().sum::<f64>() / 10.0;
        let unbiased = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 9.0;
        let expected = 0.9 * before[channel] + 0.1 * unbiased;
        let found = numbers(module.running_var.value())[channel];
        assert!((found - expected).abs() < 1e-12, "{found} {expected}");
    }
}

#[test]
fn batch_norm_copies_do_not_share_statistics() {
    let original = batch_norm();
    let start = numbers(original.running_mean.value());
    let copy = original.clone();
    copy.forward(normal([5, 3]) + 7.0);
    assert_eq!(numbers(original.running_mean.value()), start);
    assert_ne!(numbers(copy.running_mean.value()), start);

    // Averaging maps a clone of the model; the model itself must not feel it.
    struct Halve;
    impl ModuleMapper for Halve {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
            Param::initialized(param.id, (param.val() * 0.5).detach())
        }
    }
    let now = numbers(copy.running_mean.value());
    let averaged = copy.clone().map(&mut Halve);
    assert_eq!(numbers(copy.running_mean.value()), now);
    let half: Vec<f64> = now.iter().map(|v| v * 0.5).collect();
    assert_eq!(numbers(averaged.running_mean.value()), half);
    assert!(!averaged.running_mean.value().is_require_grad());
}

#[test]
fn batch_norm_evaluates_with_running_statistics_and_saves_them() {
    let module = batch_norm();
    for _ in 0..3 {
        module.forward(normal([11, 3]) * 2.0 + 5.0);
    }
    let eval = module.valid();
    let running = numbers(eval.running_mean.value());
    let x = normal::<2>([1, 3]).without_autodiff();
    let once = eval.forward(x.clone());
    assert_eq!(numbers(once.clone()), numbers(eval.forward(x.clone())));
    assert_eq!(numbers(eval.running_mean.value()), running);

    let state = StateDict::from_module(&module).unwrap();
    assert!(state.tensors.contains_key("running_var"));
    let loaded = state
        .load_into(BatchNormConfig::new(3).init(&device()))
        .unwrap();
    close(loaded.valid().forward(x), once, 0.0);
    assert_eq!(numbers(loaded.train().running_mean.value()), running);
}

#[test]
fn batch_norm_of_one_value_a_channel_updates_the_mean_only() {
    let module = batch_norm();
    let var = numbers(module.running_var.value());
    let y = module.forward(normal([1, 3]));
    assert!(numbers(y).iter().all(|v| v.is_finite()));
    assert_eq!(numbers(module.running_var.value()), var);
}

#[test]
fn batch_norm_has_exact_gradients() {
    let module = batch_norm();
    let (x, weights) = (normal([7, 3, 2]), normal([7, 3, 2]));
    check_input(x.clone(), |x| (module.forward(x) * weights.clone()).sum());
    check_parameters(module, |m| (m.forward(x.clone()) * weights.clone()).sum());
}

#[test]
fn revin_gives_back_what_it_took() {
    for subtract_last in [false, true] {
        let config = RevInConfig::new(3).with_subtract_last(subtract_last);
        let x = normal([2, 11, 3]) * 7.0 + 900.0;
        let plain = config.clone().with_affine(false).init(&device());
        let (y, statistics) = plain.normalize(x.clone());
        close(plain.denormalize(y.clone(), &statistics), x.clone(), 1e-13);
        // Level and scale of the input do not reach the model.
        let (moved, _) = plain.normalize(x.clone() * 3.0 - 50.0);
        close(moved, y, 1e-5);
        let affine = in_f64(config.init(&device()));
        let (y, statistics) = affine.normalize(x.clone());
        close(affine.denormalize(y, &statistics), x, 1e-9);
    }
    let constant = f64_ones([2, 5, 3]) * 4.0;
    let (y, _) = RevInConfig::new(3)
        .with_affine(false)
        .init(&device())
        .normalize(constant);
    assert!(numbers(y).iter().all(|v| *v == 0.0));
}

#[test]
fn gates_open_and_shut() {
    let mut gate = in_f64(LiteGateUnitConfig::new(5).init(&device()));
    let (x, update) = (normal([2, 3, 5]), normal([2, 3, 5]));
    let bias = gate.gate_proj.bias.take().unwrap();
    gate.gate_proj.bias = Some(bias.clone().map(|b| b - 1e3));
    close(gate.forward(x.clone(), update.clone()), x.clone(), 1e-12);
    gate.gate_proj.bias = Some(bias.map(|b| b + 1e3));
    close(
        gate.forward(x.clone(), update.clone()),
        x.clone() + update.clone(),
        1e-12,
    );

    let mut norm = in_f64(GatedInstanceNormConfig::new(5).init(&device()));
    let closed = norm.clone();
    let bias = norm.gate.gate_proj.bias.take().unwrap();
    norm.gate.gate_proj.bias = Some(bias.map(|b| b + 1e3));
    let open = norm.forward(x.clone(), update.clone());
    close(open, norm.norm.forward(update.clone()), 1e-12);
    let norm = closed;
    let weights = normal([2, 3, 5]);
    check_input(x.clone(), |x| {
        (norm.forward(x, update.clone()) * weights.clone()).sum()
    });
    check_parameters(norm, |m| {
        (m.forward(x.clone(), update.clone()) * weights.clone()).sum()
    });
}

/// Many rows are cut into pieces (a prime number of them is not): the numbers are those of the whole.
#[test]
fn batch_norm_of_many_rows_is_that_of_all_of_them() {
    for rows in [1_200, 1_201] {
        let x = normal([rows, 5]) * 2.0 + 3.0;
        let weights = normal([rows, 5]);
        let whole = in_f64(BatchNormConfig::new(5).init(&device()));
        let (cut, whole) = (whole.clone(), whole);
        let x = x.require_grad();
        let y = cut.forward(x.clone());
        let gradients = (y.clone() * weights.clone()).sum().backward();
        // A third axis keeps them whole.
        let expected = whole.forward(x.clone().reshape([rows, 5, 1]));
        let loss = (expected.clone() * weights.reshape([rows, 5, 1])).sum();
        let loss = loss.backward();
        close(y, expected.reshape([rows, 5]), 1e-12);
        close(x.grad(&gradients).unwrap(), x.grad(&loss).unwrap(), 1e-12);
        for (cut, whole) in [(&cut.weight, &whole.weight), (&cut.bias, &whole.bias)] {
            let (cut, whole) = (cut.grad(&gradients), whole.grad(&loss));
            close(cut.unwrap(), whole.unwrap(), 1e-11);
        }
        close(cut.running_mean.value(), whole.running_mean.value(), 1e-13);
        close(cut.running_var.value(), whole.running_var.value(), 1e-13);
    }
}

#[test]
fn layer_scale_starts_small() {
    let module = LayerScaleConfig::new(3).init(&device());
    assert!((scalar(module.gamma.val().sum()) - 3e-5).abs() < 1e-9);
}

#[test]
fn configs_name_the_bad_field() {
    let errors = [
        (RmsNormConfig::new(0).validate(), "d_model"),
        (RmsNormConfig::new(3).with_eps(f64::NAN).validate(), "eps"),
        (LayerNormConfig::new(3).with_eps(0.0).validate(), "eps"),
        (
            GroupNorm1dConfig::new(7, 2).validate(),
            "multiple of n_groups = 2",
        ),
        (
            BatchNormConfig::new(3).with_momentum(1.5).validate(),
            "momentum",
        ),
        (
            QkNormConfig::new(QkNormKind::L2, 0, 3).validate(),
            "n_heads",
        ),
        (RevInConfig::new(0).validate(), "n_features"),
        (AdaptiveLayerNormConfig::new(3, 0).validate(), "d_cond"),
        (LayerScaleConfig::new(3).with_init(-1.0).validate(), "init"),
        (SqueezeExcitationConfig::new(3, 0).validate(), "hidden"),
    ];
    for (result, field) in errors {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    }
}
