//! Embeddings of numbers beyond their authors' values: how they start, what their bins are, what is
//! refused.

use burn::module::Module;
use burn::tensor::{DType, Device, Tensor, TensorData};
use forge_nn::num_embeddings::{
    BinTargets, Binning, LinearEmbeddingsConfig, NumEmbedder, NumEmbedderConfig, NumEmbeddings,
    PeriodicEmbeddingsConfig, PiecewiseLinearEmbeddingsConfig, PiecewiseLinearEncodingConfig,
    PiecewiseVersion,
};
use forge_nn::ops::LinearActivation;
use forge_nn::{FeatureTokenizerConfig, GroupedLinearConfig, ModuleConfig, StateDict, burn};

use crate::checks::{check_input, check_parameters, close, device, in_f64, normal, numbers};

const NO_TARGETS: BinTargets<'_> = BinTargets {
    values: &[],
    slots: 1,
    n_classes: None,
};

fn bins() -> Vec<Vec<f64>> {
    vec![
        vec![-1.0, -0.2, 0.5, 1.5],
        vec![-0.5, 1.0],
        vec![-1.0, 0.1, 2.0],
    ]
}

/// One of each kind, for three features.
fn all() -> Vec<NumEmbeddings> {
    let width = Some(5);
    let linear = LinearEmbeddingsConfig::new().with_d_embedding(width);
    let periodic = PeriodicEmbeddingsConfig::new()
        .with_d_embedding(width)
        .with_n_frequencies(2)
        .with_frequency_init_scale(0.3);
    let piecewise = PiecewiseLinearEmbeddingsConfig::new()
        .with_d_embedding(width)
        .with_bins(bins());
    vec![
        NumEmbeddings::Linear(linear.clone()),
        NumEmbeddings::LinearRelu(linear),
        NumEmbeddings::Periodic(periodic.clone().with_lite(true)),
        NumEmbeddings::Periodic(periodic.with_activation(false)),
        NumEmbeddings::PiecewiseLinearEncoding(
            PiecewiseLinearEncodingConfig::new().with_bins(bins()),
        ),
        NumEmbeddings::PiecewiseLinear(piecewise.clone()),
        NumEmbeddings::PiecewiseLinear(
            piecewise
                .with_version(PiecewiseVersion::A)
                .with_activation(true),
        ),
    ]
}

fn layer(embeddings: &NumEmbeddings, device: &Device) -> NumEmbedder {
    NumEmbedderConfig::new(3, embeddings.clone()).init(device)
}

#[test]
fn shapes_and_counts_are_those_of_the_config() {
    for embeddings in all() {
        let layer = layer(&embeddings, &Device::flex());
        assert_eq!(
            layer.num_params(),
            embeddings.parameter_count(3),
            "{embeddings:?}"
        );
        assert_eq!(layer.n_features(), 3);
        for rows in [1, 7] {
            let flat = layer.flat(Tensor::ones([rows, 3], &Device::flex()));
            assert_eq!(flat.dims(), [rows, embeddings.width(3)], "{embeddings:?}");
        }
    }
}

#[test]
fn gradients_are_those_of_differences() {
    for embeddings in all() {
        let layer = in_f64(layer(&embeddings, &device()));
        // No number on an edge, where the slope jumps.
        let x = normal::<2>([7, 3]);
        check_input(x.clone(), |x| layer.flat(x).tanh().sum());
        if embeddings.parameter_count(3) > 0 {
            check_parameters(layer.clone(), |layer| layer.flat(x.clone()).tanh().sum());
        }
    }
}

#[test]
fn frequencies_start_within_three_deviations() {
    let device = Device::flex();
    device.seed(3);
    let periodic = PeriodicEmbeddingsConfig::new().with_frequency_init_scale(0.5);
    let config = NumEmbedderConfig::new(101, NumEmbeddings::Periodic(periodic));
    let state = StateDict::from_module(&config.init(&device)).unwrap();
    let drawn: Vec<f64> = state.tensors["frequencies"].iter().collect();
    let largest = drawn.iter().fold(0.0, |most: f64, x| most.max(x.abs()));
    assert!(largest <= 1.5 && largest > 1.2, "{largest}");
    let n = drawn.len() as f64;
    let variance = drawn.iter().map(|x| x * x).sum::<f64>() / n;
    // A normal distribution cut at ±3 has variance 0.9733.
    assert!((variance / 0.25 - 0.9733).abs() < 0.05, "{variance}");
}

#[test]
fn version_b_starts_as_a_linear_embedding() {
    for activation in [false, true] {
        let config = PiecewiseLinearEmbeddingsConfig::new()
            .with_bins(bins())
            .with_activation(activation);
        let NumEmbedder::PiecewiseLinear(layer) =
            layer(&NumEmbeddings::PiecewiseLinear(config), &Device::flex())
        else {
            unreachable!()
        };
        let x = Tensor::<2>::from_floats([[0.3, -2.0, 5.0]], &Device::flex());
        let linear = layer.linear0.as_ref().unwrap().forward(x.clone(), None);
        close(NumEmbedder::PiecewiseLinear(layer).tokens(x), linear, 0.0);
    }
}

#[test]
fn groups_do_not_touch_each_other() {
    let layer = in_f64(GroupedLinearConfig::new(3, 5, 2).init(&device()));
    let x = normal::<3>([7, 3, 5]);
    let y = layer.forward(x.clone());
    for g in 0..3 {
        let own = x.clone().narrow(1, g, 1).squeeze_dim::<2>(1);
        let weight = layer.weight.val().narrow(0, g, 1).squeeze_dim::<2>(0);
        let bias = layer.bias.as_ref().unwrap().val().narrow(0, g, 1);
        let found = y.clone().narrow(1, g, 1).squeeze_dim::<2>(1);
        close(found, own.matmul(weight) + bias, 1e-14);
    }
    let apart = layer.forward_apart(x.clone().swap_dims(0, 1));
    close(apart.swap_dims(0, 1), y, 1e-14);
    check_input(x, |x| layer.forward(x).tanh().sum());
}

/// One group is computed as a linear layer, several as products beside each other.
#[test]
fn one_group_or_several_are_activated_alike() {
    for activation in [
        LinearActivation::Identity,
        LinearActivation::Relu,
        LinearActivation::Gelu,
        LinearActivation::Silu,
    ] {
        for bias in [true, false] {
            let config = GroupedLinearConfig::new(2, 5, 3).with_bias(bias);
            let both = in_f64(config.init(&device()));
            let mut alone = in_f64(
                GroupedLinearConfig {
                    n_groups: 1,
                    ..config
                }
                .init(&device()),
            );
            alone.weight = alone.weight.map(|_| both.weight.val().narrow(0, 1, 1));
            alone.bias = alone
                .bias
                .map(|own| own.map(|_| both.bias.as_ref().unwrap().val().narrow(0, 1, 1)));
            let x = normal::<3>([2, 7, 5]);
            let y = both.forward_apart_activated(x.clone(), activation);
            let own = alone.forward_apart_activated(x.narrow(0, 1, 1), activation);
            close(own, y.narrow(0, 1, 1), 1e-14);
            check_input(normal::<3>([1, 4, 5]), |x| {
                alone.forward_apart_activated(x, activation).tanh().sum()
            });
        }
    }
}

#[test]
fn edges_are_found_by_hand() {
    let quantile = |n_bins, values: &[f64]| {
        let edges = Binning::Quantile { n_bins }.edges(0, values, NO_TARGETS);
        edges.unwrap()
    };
    assert_eq!(quantile(2, &[4.0, 1.0, 3.0, 2.0, 5.0]), [1.0, 3.0, 5.0]);
    assert_eq!(quantile(4, &[1.0, 2.0, 4.0]), [1.0, 2.0, 4.0]);
    assert_eq!(quantile(2, &[1.0, 2.0, 4.0, 8.0]), [1.0, 3.0, 8.0]);
    assert_eq!(quantile(4, &[0.0, 0.0, 0.0, 0.0, 1.0]), [0.0, 1.0]);
    // Nothing varies: one bin from there on.
    assert_eq!(quantile(3, &[7.5, 7.5, 7.5]), [7.5, 15.0]);
    assert_eq!(quantile(3, &[-0.0, 0.0]), [0.0, 1.0]);
    assert_eq!(quantile(3, &[1e300]), [1e300, 2e300]);
}

#[test]
fn a_tree_cuts_where_the_target_jumps() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let tree = |n_bins| Binning::Tree {
        n_bins,
        min_samples_leaf: 2,
        min_impurity_decrease: 1e-4,
    };
    let jump = |at: f64| x.iter().map(move |x| f64::from(u8::from(*x > at)));
    let steps: Vec<f64> = jump(3.2).zip(jump(7.1)).map(|(a, b)| a + 4.0 * b).collect();
    let numbers = BinTargets {
        values: &steps,
        slots: 1,
        n_classes: None,
    };
    let edges = |n_bins, targets| tree(n_bins).edges(0, &x, targets).unwrap();
    assert_eq!(edges(9, numbers), [0.0, 3.5, 7.5, 11.0]);
    // The larger jump first.
    assert_eq!(edges(2, numbers), [0.0, 7.5, 11.0]);
    let classes: Vec<f64> = steps
        .iter()
        .map(|y| if *y > 1.0 { 2.0 } else { *y })
        .collect();
    let classes = BinTargets {
        values: &classes,
        slots: 1,
        n_classes: Some(3),
    };
    assert_eq!(edges(9, classes), [0.0, 3.5, 7.5, 11.0]);
    // Two targets, each with a jump of its own.
    let both: Vec<f64> = jump(3.2).zip(jump(7.1)).flat_map(|(a, b)| [a, b]).collect();
    let both = BinTargets {
        values: &both,
        slots: 2,
        n_classes: None,
    };
    assert_eq!(edges(9, both), [0.0, 3.5, 7.5, 11.0]);
    // Nothing to predict.
    let flat = BinTargets {
        values: &[1.0; 12],
        ..numbers
    };
    assert_eq!(edges(9, flat), [0.0, 11.0]);
}

#[test]
fn bins_are_refused_with_the_way_out() {
    let fails = |config: PiecewiseLinearEncodingConfig| {
        let config = NumEmbeddings::PiecewiseLinearEncoding(config);
        config.validate(3).unwrap_err().to_string()
    };
    let new = PiecewiseLinearEncodingConfig::new;
    assert!(fails(new()).contains("fitted_to"), "{}", fails(new()));
    let short = fails(new().with_bins(bins()[..2].to_vec()));
    assert!(
        short.contains("2 list(s)") && short.contains("3 feature"),
        "{short}"
    );
    for (edges, said) in [
        (vec![1.0], "1 edge"),
        (vec![1.0, 1.0], "rising"),
        (vec![0.0, 2.0, 1.0], "…, 2, 1, …"),
        (vec![0.0, f64::NAN], "finite"),
        (vec![0.0, 1.0, f64::INFINITY], "…, 1, inf, …"),
    ] {
        let mut bins = bins();
        bins[1] = edges;
        let error = fails(new().with_bins(bins));
        assert!(error.contains("bins[1]") && error.contains(said), "{error}");
    }
    let binning = |binning| fails(new().with_bins(bins()).with_binning(binning));
    assert!(binning(Binning::Quantile { n_bins: 1 }).contains("n_bins = 1"));
    let tree = |min_samples_leaf, min_impurity_decrease| Binning::Tree {
        n_bins: 5,
        min_samples_leaf,
        min_impurity_decrease,
    };
    assert!(binning(tree(0, 0.0)).contains("min_samples_leaf = 0"));
    assert!(binning(tree(1, f64::NAN)).contains("min_impurity_decrease = NaN"));
}

#[test]
fn training_data_that_make_no_bins_are_refused() {
    let quantile = Binning::default();
    let error = quantile.edges(4, &[1.0, f64::NAN], NO_TARGETS).unwrap_err();
    let error = error.to_string();
    assert!(error.contains("feature 4, row 1"), "{error}");
    let none = quantile.edges(4, &[], NO_TARGETS).unwrap_err();
    assert!(none.to_string().contains("no training rows"), "{none}");
    let tree = Binning::Tree {
        n_bins: 3,
        min_samples_leaf: 1,
        min_impurity_decrease: 0.0,
    };
    let targets = |values, n_classes| BinTargets {
        values,
        slots: 1,
        n_classes,
    };
    let few = tree.edges(0, &[1.0, 2.0], targets(&[0.0], None));
    assert!(few.unwrap_err().is_shape());
    let beyond = tree.edges(0, &[1.0, 2.0], targets(&[0.0, 2.0], Some(2)));
    assert!(beyond.unwrap_err().to_string().contains("0..2"));
    let given = Binning::Given.edges(0, &[1.0], NO_TARGETS);
    assert!(given.unwrap_err().is_config());
}

#[test]
fn given_bins_stay_and_others_are_found() {
    let column = |j: usize| vec![j as f64, j as f64 + 1.0, j as f64 + 2.0];
    let fitted = |binning| {
        let config = PiecewiseLinearEncodingConfig::new()
            .with_bins(bins())
            .with_binning(binning);
        let config = NumEmbeddings::PiecewiseLinearEncoding(config);
        match config.fitted_to(3, column, NO_TARGETS).unwrap() {
            NumEmbeddings::PiecewiseLinearEncoding(config) => config.bins,
            _ => unreachable!(),
        }
    };
    assert_eq!(fitted(Binning::Given), bins());
    let found = fitted(Binning::Quantile { n_bins: 2 });
    assert_eq!(found, [[0.0, 1.0, 2.0], [1.0, 2.0, 3.0], [2.0, 3.0, 4.0]]);
}

#[test]
fn bad_fields_are_named() {
    let fails = |json: &str| {
        let config: NumEmbeddings = serde_json::from_str(json).unwrap();
        config.validate(3).unwrap_err().to_string()
    };
    for (json, said) in [
        (r#"{"kind": "linear", "d_embedding": 0}"#, "d_embedding = 0"),
        (
            r#"{"kind": "periodic", "n_frequencies": 0}"#,
            "n_frequencies = 0",
        ),
        (
            r#"{"kind": "periodic", "frequency_init_scale": 0.0}"#,
            "frequency_init_scale = 0",
        ),
        (
            r#"{"kind": "periodic", "lite": true, "activation": false}"#,
            "lite = true",
        ),
    ] {
        assert!(fails(json).contains(said), "{}", fails(json));
    }
    let unknown = serde_json::from_str::<NumEmbeddings>(r#"{"kind": "periodic", "n_freq": 3}"#);
    assert!(unknown.unwrap_err().to_string().contains("n_frequencies"));
    let unknown = serde_json::from_str::<NumEmbeddings>(r#"{"kind": "sine"}"#);
    assert!(unknown.unwrap_err().to_string().contains("periodic"));
}

#[test]
fn tokens_of_numbers_can_be_embedded() {
    let config = |embeddings: NumEmbeddings| FeatureTokenizerConfig {
        n_num_features: 3,
        cat_cardinalities: vec![2],
        d_token: 5,
        cls: true,
        bias: true,
        missing: false,
        num_embeddings: Some(embeddings),
    };
    for embeddings in all() {
        let config = config(embeddings.clone());
        if embeddings.d_embedding().is_none() {
            let error = config.validate().unwrap_err().to_string();
            assert!(error.contains("num_embeddings.kind"), "{error}");
            continue;
        }
        let tokenizer = config.init(&Device::flex());
        assert_eq!(tokenizer.num_params(), config.parameter_count());
        assert_eq!(tokenizer.n_num_features(), 3);
        let x = Tensor::<2>::from_floats([[0.3, -2.0, 5.0], [1.0, 0.0, 0.2]], &Device::flex());
        let codes = TensorData::new(vec![0i64, 1], [2, 1]);
        let codes = Tensor::from_data(codes, &Device::flex());
        let tokens = tokenizer.forward(Some(x.clone()), Some(codes));
        assert_eq!(tokens.dims(), [2, 5, 5]);
        let own = tokenizer.num_embeddings.as_ref().unwrap().tokens(x);
        close(tokens.narrow(1, 1, 3), own, 0.0);
        let missing = FeatureTokenizerConfig {
            missing: true,
            ..config.clone()
        };
        assert!(
            missing
                .validate()
                .unwrap_err()
                .to_string()
                .contains("missing")
        );
        let narrow = FeatureTokenizerConfig {
            d_token: 7,
            ..config
        };
        let error = narrow.validate().unwrap_err().to_string();
        assert!(
            error.contains("d_embedding = 5") && error.contains('7'),
            "{error}"
        );
    }
}

#[test]
fn edges_keep_their_digits_in_f64() {
    // Apart by less than f32 can tell.
    let edges = vec![vec![1.0, 1.0 + 1e-9, 2.0]];
    let config = PiecewiseLinearEncodingConfig::new().with_bins(edges);
    let config = NumEmbeddings::PiecewiseLinearEncoding(config);
    let layer = NumEmbedderConfig::new(1, config).init(&Device::flex());
    let data = TensorData::new(vec![1.0 + 5e-10], [1, 1]);
    let x = Tensor::<2>::from_data(data, (&Device::flex(), DType::F64));
    let found = numbers(layer.flat(x));
    assert!(
        (found[0] - 0.5).abs() < 1e-6 && found[1] == 0.0,
        "{found:?}"
    );
}
