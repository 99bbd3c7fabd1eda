//! What TabICL adds to what every model does.

use forge_models::{
    ColumnGroups, Context, Labels, ModelConfig, ParameterCount, SoftmaxScaling, TabIclConfig,
    TabIclEnsemble, TabIclEnsembleConfig, TabularConfig, TabularInput, TabularModel, TabularSpec,
};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::battery;

fn sized(config: TabIclConfig) -> TabIclConfig {
    let table = TabularSpec {
        n_num_features: 5,
        cat_cardinalities: vec![],
        d_out: 2,
    };
    config.sized_for(&table).unwrap()
}

/// The batteries run over the second version's regressor; this is the first version's classifier,
/// and between them every way to group columns and to scale a softmax.
#[test]
fn every_option_does_what_every_model_does() {
    let device = Device::flex();
    let scalings = [
        SoftmaxScaling::Plain,
        SoftmaxScaling::Log,
        SoftmaxScaling::Network,
        SoftmaxScaling::NetworkElementwise,
        SoftmaxScaling::QueryAware,
    ];
    for (i, scaling) in scalings.into_iter().enumerate() {
        let groups = [ColumnGroups::Alone, ColumnGroups::Valid][i % 2];
        let config: ModelConfig = sized(TabIclConfig {
            max_classes: 2,
            col_affine: groups == ColumnGroups::Alone,
            col_target_aware: i > 2,
            col_feature_group: groups,
            col_ssmax: scaling,
            icl_ssmax: scaling,
            row_rope_interleaved: true,
            bias_free_ln: i == 1,
            ..TabIclConfig::narrow()
        })
        .into();
        battery::documented_shape(&config, &device);
        battery::rows_stand_alone(&config, &device);
        battery::every_parameter_learns(&config, &device);
        battery::parameter_count_is_right(&config, &device);
        battery::declared_inputs_matter(&config, &device);
        battery::config_survives_files(&config);
    }
}

#[test]
fn the_order_of_the_labelled_rows_does_not_matter() {
    let device = Device::flex();
    let config = sized(TabIclConfig::narrow());
    let model = config.init(&device);
    let spec = ModelConfig::from(config).spec();
    let labels = Tensor::<2>::from_data([[0.0], [1.0], [2.0], [0.0], [1.0]], &device);
    let x = battery::rows_of(&spec, 5, 7, &device).x_num.unwrap();
    let run = |flip: bool| {
        let turn = |x: Tensor<2>| if flip { x.flip([0]) } else { x };
        let labelled = TabularInput::numeric(turn(x.clone())).rows;
        let context = Context::labelled(labelled, turn(labels.clone()));
        let rows: TabularInput = battery::rows_of(&spec, 4, 1, &device).into();
        model.forward(rows.with_context(context)).into_data()
    };
    let tolerance = forge_nn::burn::tensor::Tolerance::absolute(1e-5);
    run(true).assert_approx_eq::<f32>(&run(false), tolerance);
}

#[test]
fn maps_show_the_labelled_rows() {
    let config = ModelConfig::from(sized(TabIclConfig::narrow()));
    let device = Device::flex();
    let want = Want {
        attention: true,
        features: false,
    };
    let model = config.init(&device);
    let maps = |seed| {
        let input = battery::input(&config, 4, seed, &device);
        model.run(input, want).maps.attention
    };
    let shapes: Vec<_> = maps(1).iter().map(Tensor::dims).collect();
    assert_eq!(shapes, [[1, 2, 4, 11], [1, 2, 4, 11]]);
    // The labelled rows are the same: it is the other rows that look.
    for (map, other) in maps(1).into_iter().zip(maps(2)) {
        assert_ne!(map.into_data(), other.into_data());
    }
}

/// A fresh model of the first version adds nothing to what its branches are given; it can learn all
/// the same, layer by layer.
#[test]
fn zero_init_begins_with_branches_that_add_nothing() {
    let device = Device::flex();
    let config = sized(TabIclConfig {
        zero_init: true,
        ..TabIclConfig::narrow()
    });
    let model = ModelConfig::from(config.clone()).init(&device);
    let y = |seed| {
        let input = battery::input(&config.clone().into(), 4, seed, &device);
        model.forward(input).into_data()
    };
    assert_eq!(y(1), y(2), "rows matter before the branches do anything");
}

#[test]
fn released_sizes_are_those_of_the_checkpoints() {
    for (config, millions) in [
        (TabIclConfig::first_version(), 27.0),
        (TabIclConfig::second_version(), 28.0),
    ] {
        let config = TabIclConfig {
            n_num_features: 1,
            ..config
        };
        config.validate().unwrap();
        let count = config.parameter_count() as f64 / 1e6;
        assert!((count - millions).abs() < 1.0, "{count} million parameters");
    }
}

#[test]
fn options_that_do_not_go_together_are_refused() {
    let refused = |config: TabIclConfig, what: &str| {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(what), "{error}");
    };
    let good = || sized(TabIclConfig::narrow());
    refused(
        TabIclConfig {
            norm_first: false,
            ..good()
        },
        "norm_first",
    );
    refused(
        TabIclConfig {
            col_affine: true,
            ..good()
        },
        "col_affine",
    );
    refused(
        TabIclConfig {
            col_nhead: 3,
            ..good()
        },
        "col_nhead",
    );
    refused(
        TabIclConfig {
            row_nhead: 8,
            ..good()
        },
        "row_nhead",
    );
    let word = r#"{"model": "tabicl", "col_ssmax": "sharp"}"#;
    let error = ModelConfig::from_json(word).unwrap_err().to_string();
    assert!(error.contains("qassmax-mlp"), "{error}");
    let switch = r#"{"model": "tabicl", "col_ssmax": false, "col_feature_group": true}"#;
    let Ok(ModelConfig::TabIcl(config)) = ModelConfig::from_json(switch) else {
        panic!("switches are not read");
    };
    assert_eq!(config.col_ssmax, SoftmaxScaling::Plain);
    assert_eq!(config.col_feature_group, ColumnGroups::Same);
}

/// 12 rows of three columns, of which the second never varies, and their classes.
fn rows() -> (Vec<[f64; 3]>, Vec<f64>) {
    let row = |i: usize| [(i * 5 % 12) as f64, 4.0, (i * i % 7) as f64 - 3.0];
    let class = |i: usize| (i % 3) as f64;
    ((0..12).map(row).collect(), (0..12).map(class).collect())
}

/// The whole of it for one member: standardised columns, logits of the classes there are, softmax.
#[test]
fn one_member_is_the_network_on_standardised_columns() {
    let device = Device::flex();
    let config = sized(TabIclConfig {
        max_classes: 5,
        ..TabIclConfig::narrow()
    });
    let config = TabIclConfig {
        max_classes: 5,
        n_num_features: 2,
        ..config
    };
    let model = config.init(&device);
    let (rows, labels) = rows();
    let one = TabIclEnsembleConfig {
        members: 1,
        ..TabIclEnsembleConfig::default()
    };
    let ensemble = TabIclEnsemble::of_classes(&rows, &labels, one).unwrap();
    let found = ensemble.predict(&model, &rows[..2]).unwrap();

    let column = |j: usize| {
        let values: Vec<f64> = rows.iter().map(|row| row[j]).collect();
        let mean = values.iter().sum::<f64>() / 12.0;
        let variance = values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 12.0;
        let scale = variance.sqrt() + 1e-6;
        values.into_iter().map(move |x| (x - mean) / scale)
    };
    let x: Vec<f64> = column(0).zip(column(2)).flat_map(|(a, b)| [a, b]).collect();
    let tensor = |values: &[f64], width: usize| {
        let shape = [values.len() / width, width];
        let data = forge_nn::burn::tensor::TensorData::new(values.to_vec(), shape);
        Tensor::<2>::from_data(data.convert::<f32>(), &device)
    };
    let labelled = TabularInput::numeric(tensor(&x, 2)).rows;
    let context = Context::labelled(labelled, tensor(&labels, 1));
    let given = TabularInput::numeric(tensor(&x[..4], 2));
    let logits: Vec<f64> = model
        .forward(given.with_context(context))
        .into_data()
        .iter()
        .collect();
    for (row, logits) in found.iter().zip(logits.chunks(5)) {
        let weights: Vec<f64> = logits[..3].iter().map(|l| (l / 0.9).exp()).collect();
        let sum: f64 = weights.iter().sum();
        for (found, weight) in row.iter().zip(weights) {
            assert!(
                (found - weight / sum).abs() < 1e-5,
                "{found} {}",
                weight / sum
            );
        }
    }
}

/// Each member calls the classes otherwise; what comes back is under the names that they have.
#[test]
fn classes_come_back_under_their_names() {
    let device = Device::flex();
    let config = TabIclConfig {
        max_classes: 3,
        n_num_features: 2,
        ..TabIclConfig::narrow()
    };
    let model = config.init(&device);
    let (rows, labels) = rows();
    let ensemble = |seed| {
        let config = TabIclEnsembleConfig {
            members: 12,
            seed,
            ..TabIclEnsembleConfig::default()
        };
        TabIclEnsemble::of_classes(&rows, &labels, config).unwrap()
    };
    let found = ensemble(0).predict(&model, &rows).unwrap();
    assert_eq!(found, ensemble(0).predict(&model, &rows).unwrap());
    // Two orders, three namings, two transforms: all twelve members are in it, whatever the seed.
    let other = ensemble(1).predict(&model, &rows).unwrap();
    for (a, b) in found.iter().flatten().zip(other.iter().flatten()) {
        assert!((a - b).abs() < 1e-5, "{a} {b}");
    }
    // Classes called otherwise by the caller: the same answers under the other names.
    let renamed: Vec<f64> = labels.iter().map(|label| (label + 1.0) % 3.0).collect();
    let config = TabIclEnsembleConfig {
        members: 12,
        ..TabIclEnsembleConfig::default()
    };
    let other = TabIclEnsemble::of_classes(&rows, &renamed, config).unwrap();
    let other = other.predict(&model, &rows).unwrap();
    for (row, other) in found.iter().zip(&other) {
        for class in 0..3 {
            assert!((row[class] - other[(class + 1) % 3]).abs() < 1e-5);
        }
    }
}

#[test]
fn numbers_come_back_in_their_unit_and_in_order() {
    let device = Device::flex();
    let config = TabIclConfig {
        num_quantiles: 4,
        n_num_features: 2,
        ..TabIclConfig::narrow()
    };
    let model = config.init(&device);
    let (rows, labels) = rows();
    let predict = |scale: f64, shift: f64| {
        let labels: Vec<f64> = labels.iter().map(|y| y * scale + shift).collect();
        let config = TabIclEnsembleConfig::default();
        let ensemble = TabIclEnsemble::of_numbers(&rows, &labels, config).unwrap();
        ensemble.predict(&model, &rows).unwrap()
    };
    let (plain, moved) = (predict(1.0, 0.0), predict(1000.0, 5e4));
    for (row, moved) in plain.iter().zip(&moved) {
        assert!(row.is_sorted() && row.len() == 4);
        for (y, moved) in row.iter().zip(moved) {
            assert!((y * 1000.0 + 5e4 - moved).abs() < 1.0, "{y} {moved}");
        }
    }
}

#[test]
fn what_an_ensemble_cannot_read_is_refused() {
    let (rows, labels) = rows();
    let config = TabIclEnsembleConfig::default();
    let error = |rows: &[[f64; 3]], labels: &[f64], config| {
        let error = TabIclEnsemble::of_classes(rows, labels, config).unwrap_err();
        error.to_string()
    };
    assert!(error(&rows, &labels[1..], config).contains("labels"));
    assert!(error(&[], &[], config).contains("labels"));
    assert!(error(&rows, &[0.5; 12], config).contains("labels[0]"));
    assert!(error(&[[1.0; 3]; 12], &labels, config).contains("varies"));
    let mut broken = rows.clone();
    broken[4][2] = f64::NAN;
    assert!(error(&broken, &labels, config).contains("rows[4][2]"));
    let none = TabIclEnsembleConfig {
        members: 0,
        ..config
    };
    assert!(error(&rows, &labels, none).contains("members"));

    let device = Device::flex();
    let numbers = sized(TabIclConfig::narrow()).init(&device);
    let few = TabIclConfig {
        max_classes: 2,
        ..sized(TabIclConfig::narrow())
    }
    .init(&device);
    let ensemble = TabIclEnsemble::of_classes(&rows, &labels, config).unwrap();
    for model in [&numbers, &few] {
        let error = ensemble.predict(model, &rows).unwrap_err();
        assert!(
            error.is_unsupported() && error.to_string().contains("3 classes"),
            "{error}"
        );
    }
    let ensemble = TabIclEnsemble::of_numbers(&rows, &labels, config).unwrap();
    assert!(ensemble.predict(&few, &rows).unwrap_err().is_unsupported());
    let error = ensemble
        .predict(&numbers, &[[1.0, 2.0]])
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("rows[0]") && error.contains("[3]"),
        "{error}"
    );
}

/// Labels of classes are one-hot whatever the output's width, and numbers are numbers.
#[test]
fn labels_are_what_the_target_is() {
    let device = Device::flex();
    let of = |d_out: usize, labels| {
        let table = TabularSpec {
            n_num_features: 5,
            cat_cardinalities: vec![],
            d_out,
        };
        let config = TabIclConfig::narrow().sized_for(&table).unwrap();
        let config = config.with_labels(labels).unwrap();
        assert_eq!(config.spec(), table);
        let model = config.init(&device);
        assert_eq!(model.spec(), table);
        (config, model)
    };
    for (d_out, classes) in [(1, 2), (2, 2), (3, 3)] {
        let (config, model) = of(d_out, Labels::Classes(classes));
        assert_eq!(config.labels(), Some(Labels::Classes(classes)));
        assert_eq!(model.labels(), config.labels());
        assert_eq!(model.classes(), classes);
    }
    let (config, model) = of(3, Labels::Numbers(1));
    assert_eq!((config.labels(), model.classes()), (None, 0));
    // A class that there is not is refused where labels come from outside.
    let (_, model) = of(1, Labels::Classes(2));
    let rows = |n| TabularInput::numeric(Tensor::ones([n, 5], &device));
    let run = |label: f32| {
        let labels = Tensor::full([3, 1], label, &device);
        model.try_forward(rows(2).with_context(Context::labelled(rows(3).rows, labels)))
    };
    run(1.0).unwrap();
    let error = run(2.0).unwrap_err().to_string();
    assert!(error.contains("0..2"), "{error}");
    let twice = TabIclConfig {
        max_classes: 3,
        labels: Some(Labels::Classes(2)),
        ..sized(TabIclConfig::narrow())
    };
    assert!(twice.validate().unwrap_err().to_string().contains("labels"));
}
