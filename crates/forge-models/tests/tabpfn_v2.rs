//! What the second TabPFN adds to what every model does.

use forge_models::{
    Context, Labels, ModelConfig, ParameterCount, ReferenceWeights, TabPfnV2Config, TabularConfig,
    TabularInput, TabularModel, TabularSpec,
};
use forge_nn::burn::tensor::{Device, Tensor, Tolerance};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::battery;

fn sized(config: TabPfnV2Config) -> TabPfnV2Config {
    let table = TabularSpec {
        n_num_features: 5,
        cat_cardinalities: vec![],
        d_out: 2,
    };
    config.sized_for(&table).unwrap()
}

fn rows(n: usize, seed: u64) -> TabularInput {
    let spec = ModelConfig::from(sized(TabPfnV2Config::narrow())).spec();
    battery::rows_of(&spec, n, seed, &Device::flex()).into()
}

fn context(n: usize) -> Context {
    let labels = (0..n).map(|i| (i % 2) as f32).collect::<Vec<_>>();
    let labels = Tensor::<1>::from_data(labels.as_slice(), &Device::flex());
    Context::labelled(rows(n, 7).rows, labels.reshape([n, 1]))
}

/// The batteries run over labels as numbers and pairs of features; this is the classifier, with
/// features alone and with all in one token.
#[test]
fn every_option_does_what_every_model_does() {
    let device = Device::flex();
    for features_per_group in [1, 7] {
        let config: ModelConfig = sized(TabPfnV2Config {
            max_num_classes: 2,
            features_per_group,
            encoder_use_bias: features_per_group == 1,
            nlayers: features_per_group.min(2),
            ..TabPfnV2Config::narrow()
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
    let model = sized(TabPfnV2Config::narrow()).init(&Device::flex());
    let run = |flip: bool| {
        let turn = |x: Tensor<2>| if flip { x.flip([0]) } else { x };
        let Context {
            rows: known,
            target,
            ..
        } = context(9);
        let known = TabularInput::numeric(turn(known.x_num.unwrap())).rows;
        let context = Context::labelled(known, turn(target.unwrap()));
        model.forward(rows(4, 1).with_context(context)).into_data()
    };
    run(true).assert_approx_eq::<f32>(&run(false), Tolerance::absolute(1e-5));
}

/// Groups have places: other numbers for them, another answer.
#[test]
fn columns_are_told_apart_by_their_places() {
    let device = Device::flex();
    let config = sized(TabPfnV2Config::narrow());
    let model = config.init(&device);
    let run = |model: &forge_models::TabPfnV2| {
        let input = rows(4, 1).with_context(context(9));
        model.forward(input).into_data()
    };
    let zeros = Tensor::zeros([3, config.emsize / 4], &device);
    assert_ne!(
        run(&model),
        run(&model.clone().with_feature_positions(zeros))
    );
}

#[test]
fn maps_show_the_labelled_rows() {
    let model = sized(TabPfnV2Config::narrow()).init(&Device::flex());
    let want = Want {
        attention: true,
        features: false,
    };
    let run = |seed| model.run(rows(4, seed).with_context(context(6)), want);
    let (one, other) = (run(1), run(2));
    let shapes: Vec<_> = one.maps.attention.iter().map(Tensor::dims).collect();
    assert_eq!(shapes, [[1, 2, 4, 6], [1, 2, 4, 6]]);
    // The labelled rows are the same: it is the other rows that look.
    for (map, other) in one.maps.attention.into_iter().zip(other.maps.attention) {
        assert_ne!(map.into_data(), other.into_data());
    }
    let plain = model.forward(rows(4, 1).with_context(context(6)));
    let tolerance = Tolerance::absolute(1e-6);
    one.y
        .into_data()
        .assert_approx_eq::<f32>(&plain.into_data(), tolerance);
}

#[test]
fn released_sizes_are_those_of_the_checkpoints() {
    let classifier = TabPfnV2Config {
        n_num_features: 1,
        ..TabPfnV2Config::default()
    };
    let regressor = TabPfnV2Config {
        max_num_classes: 0,
        ..classifier.clone()
    };
    // 7.24 million parameters each, and 5000 buckets for ten classes.
    assert_eq!(classifier.parameter_count(), 7_244_554);
    assert_eq!(regressor.parameter_count(), 7_244_554 + 4_990 * 769);
}

/// What a checkpoint's shapes say of its config is the config that it was made from.
#[test]
fn configs_are_read_from_checkpoints() {
    let device = Device::flex();
    for (max_num_classes, remove_duplicate_features) in [(0, false), (3, true)] {
        let config = TabPfnV2Config {
            n_num_features: 4,
            emsize: 12,
            nhead: 3,
            nhid_factor: 2,
            nlayers: 2,
            features_per_group: 3,
            max_num_classes,
            num_buckets: if max_num_classes > 0 { 5_000 } else { 7 },
            encoder_use_bias: remove_duplicate_features,
            remove_duplicate_features,
            ..TabPfnV2Config::default()
        };
        let model = config.init(&device);
        let mut checkpoint = config.to_reference(&model).unwrap();
        let found = TabPfnV2Config::of_checkpoint(&checkpoint).unwrap();
        assert_eq!(
            TabPfnV2Config {
                n_num_features: 4,
                ..found
            },
            config
        );
        config.load_reference(&checkpoint, &device).unwrap();
        checkpoint.tensors.remove("decoder_dict.standard.2.bias");
        let error = TabPfnV2Config::of_checkpoint(&checkpoint).unwrap_err();
        assert!(error.to_string().contains("decoder_dict"), "{error}");
    }
}

#[test]
fn labels_decide_between_classes_and_numbers() {
    let labelled = |config: TabPfnV2Config, labels| config.with_labels(labels).unwrap();
    let numbers = sized(TabPfnV2Config::narrow());
    let classes = labelled(numbers.clone(), Labels::Classes(2));
    assert_eq!((classes.max_num_classes, classes.d_out()), (2, 2));
    assert_eq!(classes.labels(), Some(Labels::Classes(2)));
    let back = labelled(classes, Labels::Numbers(1));
    assert_eq!((back.max_num_classes, back.d_out()), (0, 2));
    // One output cannot be two classes.
    let single = TabPfnV2Config {
        num_buckets: 1,
        ..numbers
    };
    assert_eq!(labelled(single, Labels::Classes(2)).max_num_classes, 0);
}

#[test]
fn more_than_it_is_made_for_is_refused_with_the_way_out() {
    let config = TabPfnV2Config {
        row_limit: 8,
        ..sized(TabPfnV2Config::narrow())
    };
    let model = config.init(&Device::flex());
    model
        .try_forward(rows(4, 1).with_context(context(8)))
        .unwrap();
    let error = model
        .try_forward(rows(4, 1).with_context(context(9)))
        .unwrap_err();
    let error = error.to_string();
    assert!(
        error.contains("9 labelled rows") && error.contains("row_limit = 8"),
        "{error}"
    );
    assert_eq!(config.labelled_rows().most, 8);

    let wide = TabPfnV2Config {
        n_num_features: 501,
        ..config
    };
    let error = wide.validate().unwrap_err().to_string();
    assert!(
        error.contains("501") && error.contains("column_limit"),
        "{error}"
    );
    TabPfnV2Config {
        column_limit: 501,
        ..wide
    }
    .validate()
    .unwrap();

    let classes = sized(TabPfnV2Config {
        max_num_classes: 2,
        ..TabPfnV2Config::narrow()
    });
    let model = classes.init(&Device::flex());
    let mut three = context(9);
    three.target = three.target.map(|y| y * 2.0);
    let error = model
        .try_forward(rows(4, 1).with_context(three))
        .unwrap_err();
    assert!(
        error.to_string().contains("class number in 0..2"),
        "{error}"
    );
}

/// Twice the rows, twice the memory of a training step; more layers, more.
#[test]
fn cost_grows_with_rows_and_layers() {
    let config = sized(TabPfnV2Config::narrow());
    let one = config.context_bytes(100, 100);
    assert_eq!(config.context_bytes(200, 200), 2 * one);
    let deeper = TabPfnV2Config {
        nlayers: 4,
        ..config
    };
    assert_eq!(deeper.context_bytes(100, 100), 2 * one);
}
