//! Activations and gates.

use burn::tensor::{DType, Distribution, Tensor, TensorData};
use forge_nn::activation::{
    AconAConfig, AconBConfig, AconCConfig, FRelu1dConfig, FRelu2dConfig, GatedFeedForwardConfig,
    MetaAconConfig, StarReluConfig, elu, entmax15, gelu, leaky_relu, lisht, mish, reglu, selu,
    silu, sparsemax,
};
use forge_nn::{ModuleConfig, burn};

use crate::checks::{check_input, check_parameters, close, device, in_f64, normal, numbers};

#[test]
fn simplex_maps_sum_to_one_are_sparse_and_keep_order() {
    for extreme in [1.0, 30.0, 900.0] {
        let x = normal([7, 11]) * extreme;
        for y in [sparsemax(x.clone(), 1), entmax15(x.clone(), 1)] {
            close(
                y.clone().sum_dim(1),
                Tensor::ones([7, 1], (&device(), DType::F64)),
                1e-12,
            );
            let values = numbers(y.clone());
            assert!(values.iter().all(|v| (0.0..=1.0 + 1e-12).contains(v)));
            assert!(
                extreme < 2.0 || values.contains(&0.0),
                "nothing was cut off"
            );
            for (row_x, row_y) in numbers(x.clone()).chunks(11).zip(values.chunks(11)) {
                for i in 0..11 {
                    for j in 0..11 {
                        assert!(row_x[i] <= row_x[j] || row_y[i] >= row_y[j]);
                    }
                }
            }
        }
    }
}

/// TabNet takes the logarithm of its masks: one share of -1e-8 and the loss is NaN.
#[test]
fn no_share_is_below_nothing_where_scores_are_at_the_edge_of_the_support() {
    let (rows, columns) = (4096, 12);
    // Most columns are as near to the threshold as f32 can say.
    let near = Tensor::<2>::random(
        [rows, columns],
        Distribution::Uniform(-3e-7, 3e-7),
        &device(),
    );
    let large = TensorData::from([[0.55f32, 0.45]]);
    let large = Tensor::<2>::from_data(large, &device()).repeat_dim(0, rows);
    let shift = Tensor::<2>::random([rows, 1], Distribution::Uniform(-2.0, 2.0), &device());
    let x = near.slice_assign([0..rows, 0..2], large) + shift;
    for y in [sparsemax(x.clone(), 1), entmax15(x, 1)] {
        let least = y.min().into_scalar::<f32>();
        assert!(least >= 0.0, "{least}");
    }
}

#[test]
fn simplex_maps_ignore_a_shift_and_work_along_any_axis() {
    let x = normal([3, 5, 2]);
    for f in [sparsemax::<3>, entmax15::<3>] {
        close(f(x.clone() + 800.0, 1), f(x.clone(), 1), 1e-11);
        let turned = f(x.clone().swap_dims(1, 2), 2).swap_dims(1, 2);
        close(f(x.clone(), 1), turned, 1e-14);
        let single = f(x.clone().narrow(1, 2, 1), 1);
        close(
            single,
            Tensor::ones([3, 1, 2], (&device(), DType::F64)),
            0.0,
        );
    }
}

#[test]
fn simplex_maps_have_exact_gradients_with_ties_and_masked_scores() {
    let weights = normal([5, 7]);
    let x = normal([5, 7]) * 0.7;
    check_input(x.clone(), |x| (sparsemax(x, 1) * weights.clone()).sum());
    check_input(x, |x| (entmax15(x, 1) * weights.clone()).sum());

    // A tie inside the support: the projection's derivative is still unique there.
    let tied = TensorData::from([[0.3, 0.3, 0.1, -f64::INFINITY, -2.0]]);
    let x = Tensor::<2>::from_data(tied, (&device(), DType::F64)).require_grad();
    for f in [sparsemax::<2>, entmax15::<2>] {
        let grads = (f(x.clone(), 1).narrow(1, 0, 1)).sum().backward();
        let gradient = x.grad(&grads).unwrap();
        let gradient = numbers(Tensor::<2>::from_inner(gradient));
        assert!(gradient.iter().all(|g| g.is_finite()));
        assert!((gradient.iter().sum::<f64>()).abs() < 1e-12);
        assert_eq!(gradient[3..], [0.0, 0.0]);
    }
}

#[test]
fn acons_reduce_to_what_they_generalise() {
    let x = normal([5, 3, 7]);
    let a = in_exact(AconAConfig::new(3).init(&device()));
    close(a.forward(x.clone()), silu(x.clone()), 1e-14);

    // With a large switching factor ACON-B is PReLU with slope p.
    let mut b = in_exact(AconBConfig::new(3).init(&device()));
    b.beta = b.beta.map(|beta| beta * 1e4);
    close(b.forward(x.clone()), leaky_relu(x.clone(), 0.25), 1e-3);

    // With p1 = 1, p2 = 0 ACON-C is ACON-A.
    let mut c = in_exact(AconCConfig::new(3).init(&device()));
    c.p1 = c.p1.map(|p| p * 0.0 + 1.0);
    c.p2 = c.p2.map(|p| p * 0.0);
    close(c.forward(x.clone()), a.forward(x), 1e-14);
}

/// In f64 with the initial values kept.
fn in_exact<M: burn::module::Module>(module: M) -> M {
    struct Cast;
    impl burn::module::ModuleMapper for Cast {
        fn map_float<const D: usize>(
            &mut self,
            param: burn::module::Param<Tensor<D>>,
        ) -> burn::module::Param<Tensor<D>> {
            let tensor = param.val().detach().cast(DType::F64);
            burn::module::Param::initialized(param.id, tensor.detach().require_grad())
        }
    }
    module.map(&mut Cast)
}

#[test]
fn gradients_of_what_has_no_oracle() {
    let x = normal([5, 3, 7]);
    let weights = normal([5, 3, 7]);
    let a = in_f64(AconAConfig::new(3).init(&device()));
    let b = in_f64(AconBConfig::new(3).init(&device()));
    check_parameters(a, |m| (m.forward(x.clone()) * weights.clone()).sum());
    check_parameters(b.clone(), |m| {
        (m.forward(x.clone()) * weights.clone()).sum()
    });
    check_input(x.clone(), |x| (b.forward(x) * weights.clone()).sum());
}

#[test]
fn burns_own_activations_have_exact_gradients_here() {
    let x = normal([7, 5]) * 3.0;
    check_input(x.clone(), |x| (gelu(x.clone()) * x.cos()).sum());
    check_input(x.clone(), |x| (silu(x.clone()) * x.cos()).sum());
    check_input(x.clone(), |x| (mish(x.clone()) * x.cos()).sum());
    check_input(x, |x| (lisht(x.clone()) * x.cos()).sum());
}

#[test]
fn large_inputs_stay_finite() {
    let x = Tensor::<2>::from_data([[-900.0f32, 900.0, 0.0, -0.0]], &device()).require_grad();
    let y = mish(x.clone()) + lisht(x.clone()) + silu(x.clone()) + gelu(x.clone());
    let grads = y.clone().sum().backward();
    assert!(numbers(y).iter().all(|v| v.is_finite()));
    let gradient = Tensor::<2>::from_inner(x.grad(&grads).unwrap());
    assert!(numbers(gradient).iter().all(|v| v.is_finite()));
}

#[test]
fn frelu_of_a_single_position_and_meta_acon_of_a_flat_row() {
    let line = in_f64(FRelu1dConfig::new(3).init(&device()));
    assert_eq!(line.forward(normal([2, 3, 1])).dims(), [2, 3, 1]);
    let image = in_f64(FRelu2dConfig::new(3).with_kernel_size(5).init(&device()));
    assert_eq!(image.forward(normal([2, 3, 1, 7])).dims(), [2, 3, 1, 7]);
    let meta = in_f64(MetaAconConfig::new(3).init(&device()));
    assert_eq!(meta.forward(normal([5, 3])).dims(), [5, 3]);
    assert_eq!(meta.fc1.weight.dims(), [3, 16]);
}

#[test]
fn configs_name_the_bad_field() {
    let message = FRelu1dConfig::new(3)
        .with_kernel_size(4)
        .validate()
        .unwrap_err();
    assert_eq!(message.to_string(), "config: kernel_size = 4, must be odd");
    let errors = [
        AconCConfig::new(0).validate().unwrap_err(),
        MetaAconConfig::new(3)
            .with_reduction(0)
            .validate()
            .unwrap_err(),
        GatedFeedForwardConfig::new(0, 3).validate().unwrap_err(),
        GatedFeedForwardConfig::new(3, 3)
            .with_dropout(1.0)
            .validate()
            .unwrap_err(),
    ];
    for (error, field) in errors
        .iter()
        .zip(["n_channels", "reduction", "d_model", "dropout"])
    {
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    }
    assert!(StarReluConfig::default().learnable);
}

#[test]
#[should_panic(expected = "the last axis of [2, 7] is odd")]
fn an_odd_gated_linear_unit_says_so() {
    reglu(normal([2, 7]));
}

#[test]
fn a_gated_feed_forward_takes_views_that_are_not_contiguous() {
    let module = in_f64(GatedFeedForwardConfig::new(5, 11).init(&device()));
    let x = normal([5, 3, 2]);
    let view = module.forward(x.clone().permute([2, 1, 0]));
    let copy = Tensor::from_data(x.permute([2, 1, 0]).into_data(), (&device(), DType::F64));
    close(view, module.forward(copy), 1e-14);
}

#[test]
fn elu_has_a_gradient_everywhere() {
    let x = normal([5, 7]) * 2.0;
    check_input(x.clone(), |x| elu(x).square().sum());
    let far = [-1e4_f32, -1.0, 0.0, 2.0, 1e4];
    let far = Tensor::<1>::from_data(far, &device().autodiff()).require_grad();
    let y = elu(far.clone());
    let gradients = y.clone().sum().backward();
    let below = (-1.0_f64).exp();
    let rounded = |found: Vec<f64>, expected: [f64; 5]| {
        let pairs = found.iter().zip(expected);
        pairs.for_each(|(x, y)| assert!((x - y).abs() < 1e-6, "{found:?}"));
    };
    rounded(numbers(y), [-1.0, below - 1.0, 0.0, 2.0, 1e4]);
    let slopes = far.grad(&gradients).map(numbers).unwrap();
    rounded(slopes, [0.0, below, 1.0, 1.0, 1.0]);
}

#[test]
fn selu_is_the_papers_and_has_a_gradient_everywhere() {
    let x = normal([5, 7]) * 2.0;
    check_input(x.clone(), |x| selu(x).square().sum());
    let at = |x: f64| numbers(selu(Tensor::<1>::from_data([x], (&device(), DType::F64))))[0];
    // λ and -λα, to the digits that the paper gives.
    assert!((at(1.0) - 1.0507).abs() < 1e-4 && (at(-1e4) + 1.7581).abs() < 1e-4);
    // Mean 0 and variance 1 stay.
    let y = numbers(selu(normal([401, 101])));
    let mean = y.iter().sum::<f64>() / y.len() as f64;
    let variance = y.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / y.len() as f64;
    assert!(
        mean.abs() < 0.02 && (variance - 1.0).abs() < 0.02,
        "{mean} {variance}"
    );
    let far = Tensor::<1>::from_data([-1e4_f32, 0.0, 1e4], &device().autodiff()).require_grad();
    let gradients = selu(far.clone()).sum().backward();
    let slopes = far.grad(&gradients).map(numbers).unwrap();
    for (slope, expected) in slopes.iter().zip([0.0, 1.7581, 1.0507]) {
        assert!((slope - expected).abs() < 1e-3, "{slopes:?}");
    }
}
