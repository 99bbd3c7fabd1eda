//! What the models that look at labelled training rows add to what every model does.

use forge_models::{
    Context, Labels, ModelConfig, ModernNcaConfig, PlrConfig, TabRConfig, TabularConfig,
    TabularInput, TabularModel, TabularRows, TabularSpec,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::tensor::{Device, Int, Tensor, TensorData, Tolerance};
use forge_nn::{Mode, ModuleConfig, Network, StateDict, set_mode};
use forge_testkit::battery;

fn both() -> [ModelConfig; 2] {
    [
        ModernNcaConfig::narrow().into(),
        TabRConfig {
            context_size: 5,
            ..TabRConfig::narrow()
        }
        .into(),
    ]
}

/// Both, for three numbers and these labels.
fn configs(d_out: usize, labels: Labels) -> [ModelConfig; 2] {
    let table = spec(d_out);
    both().map(|config| {
        let sized = config.sized_for(&table).unwrap();
        sized.with_labels(labels).unwrap()
    })
}

fn spec(d_out: usize) -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![],
        d_out,
    }
}

fn rows(n: usize, seed: u64) -> TabularRows {
    battery::rows_of(&spec(1), n, seed, &Device::flex())
}

fn column(values: &[f64]) -> Tensor<2> {
    let data = TensorData::new(values.to_vec(), [values.len(), 1]).convert::<f32>();
    Tensor::from_data(data, &Device::flex())
}

fn numbers(n: usize) -> Tensor<2> {
    column(&(0..n).map(|i| (i * i % 7) as f64).collect::<Vec<_>>())
}

fn values(tensor: Tensor<2>) -> Vec<f64> {
    tensor.into_data().iter().collect()
}

/// In training mode on targets of the batch, each row sees the others' and never its own.
#[test]
fn no_row_sees_its_own_target() {
    for config in configs(1, Labels::Numbers(1)) {
        let model = config.init(&Device::flex());
        for context in [None, Some(Context::labelled(rows(2, 5), numbers(2)))] {
            let run = |target: &[f64]| {
                let input = TabularInput {
                    rows: rows(4, 1),
                    context: context.clone(),
                    target: Some(column(target)),
                };
                values(model.try_forward(input).unwrap())
            };
            let (y, other) = (run(&[1.0, 2.0, 3.0, 4.0]), run(&[1.0, 9.0, 3.0, 4.0]));
            for (row, (a, b)) in y.iter().zip(&other).enumerate() {
                assert_eq!(a == b, row == 1, "{config:?} row {row}: {a} {b}");
            }
        }
    }
}

/// A batch whose targets are given sees context and batch as one set of candidates.
#[test]
fn a_batch_with_targets_is_context_to_a_row_outside() {
    for config in configs(1, Labels::Numbers(1)) {
        let model = config.init(&Device::flex());
        let (all, target) = (rows(5, 1), numbers(5));
        let input = TabularInput {
            rows: all.slice(0..3),
            context: Some(Context::labelled(
                all.slice(3..5),
                target.clone().narrow(0, 3, 2),
            )),
            target: Some(target.clone().narrow(0, 0, 3)),
        };
        let first = values(model.forward(input))[0];
        let others = Context::labelled(all.slice(1..5), target.narrow(0, 1, 4));
        let alone = TabularInput::from(all.slice(0..1)).with_context(others);
        let alone = values(model.forward(alone))[0];
        assert!((first - alone).abs() < 1e-5, "{config:?}: {first} {alone}");
    }
}

#[test]
fn keys_computed_once_are_the_keys() {
    for config in configs(3, Labels::Classes(3)) {
        let model = config.init(&Device::flex());
        let classes = column(&[0.0, 1.0, 2.0, 2.0, 1.0, 0.0]);
        let context = Context::labelled(rows(6, 5), classes);
        let run =
            |context| values(model.forward(TabularInput::from(rows(4, 1)).with_context(context)));
        let known = model.encode_context(context.clone());
        assert_eq!(known.encoded.len(), 1);
        assert_eq!(run(known), run(context), "{config:?}");
    }
}

/// On a device that records gradients everything is computed at once, elsewhere in parts.
#[test]
fn with_and_without_gradients_the_answer_is_the_same() {
    // With few candidates no two are about as near, so that rounding does not choose.
    for (config, n) in configs(2, Labels::Numbers(2)).iter().zip([5_000, 40]) {
        let device = Device::flex().autodiff();
        device.seed(4);
        let learning = set_mode(config.init(&device), Mode::Evaluate);
        let resting = learning.valid();
        let target = |device: &Device| {
            let values: Vec<f32> = (0..2 * n).map(|i| (i % 13) as f32).collect();
            Tensor::<2>::from_data(TensorData::new(values, [n, 2]), device)
        };
        let run = |model: &forge_models::Model, device: &Device| {
            let rows = |n, seed| battery::rows_of(&spec(1), n, seed, device);
            let context = Context::labelled(rows(n, 5), target(device));
            let input = TabularInput::from(rows(300, 1)).with_context(context);
            model.forward(input).into_data()
        };
        run(&resting, &Device::flex())
            .assert_approx_eq::<f32>(&run(&learning, &device), Tolerance::absolute(2e-3));
    }
}

/// Codes become one-hot columns; the unknown one, code 0, none.
#[test]
fn codes_are_one_hot_columns() {
    let coded = TabularSpec {
        n_num_features: 1,
        cat_cardinalities: vec![3, 2],
        d_out: 1,
    };
    let plr = Some(PlrConfig {
        n_frequencies: 2,
        frequency_scale: 0.3,
        d_embedding: 2,
        lite: true,
    });
    let nca = ModernNcaConfig {
        num_embeddings: plr,
        ..ModernNcaConfig::narrow()
    };
    let tabr = TabRConfig {
        num_embeddings: plr,
        ..TabRConfig::narrow()
    };
    let by_hand: [ModelConfig; 2] = [
        ModernNcaConfig {
            d_in: 4,
            d_num: 1,
            ..nca.clone()
        }
        .into(),
        TabRConfig {
            n_num_features: 1,
            n_cat_features: 3,
            ..tabr.clone()
        }
        .into(),
    ];
    let by_code = [ModelConfig::from(nca), tabr.into()].map(|c| c.sized_for(&coded).unwrap());
    let device = Device::flex();
    let x = Tensor::<2>::from_data([[0.3], [-1.0], [2.0]], &device);
    let codes = Tensor::<2, Int>::from_data([[0, 1], [2, 0], [1, 1]], &device);
    let columns = [[0.0, 0.0, 1.0], [0.0, 1.0, 0.0], [1.0, 0.0, 1.0]];
    let columns = Tensor::cat(vec![x.clone(), Tensor::from_data(columns, &device)], 1);
    let coded = TabularRows {
        x_num: Some(x),
        x_cat: Some(codes),
        ..TabularRows::default()
    };
    for (by_code, by_hand) in by_code.into_iter().zip(by_hand) {
        let model = by_code.init(&device);
        let state = StateDict::from_module(&model).unwrap();
        let other = state.load_into(by_hand.init(&device)).unwrap();
        let target = column(&[1.0, 2.0, 5.0]);
        let y = |model: &forge_models::Model, rows: TabularRows| {
            let context = Context::labelled(rows.clone(), target.clone());
            values(
                model
                    .try_forward(TabularInput::from(rows).with_context(context))
                    .unwrap(),
            )
        };
        let columns = TabularInput::numeric(columns.clone()).rows;
        assert_eq!(y(&model, coded.clone()), y(&other, columns), "{by_code:?}");
    }
}

#[test]
fn labels_that_are_none_are_refused() {
    let error = |config: &ModelConfig, target: Tensor<2>| {
        let context = Context::labelled(rows(target.dims()[0], 5), target);
        let input = TabularInput::from(rows(2, 1)).with_context(context);
        let error = config.init(&Device::flex()).try_forward(input).unwrap_err();
        assert!(error.is_shape(), "{error}");
        error.to_string()
    };
    for config in configs(3, Labels::Classes(3)) {
        for bad in [3.0, -1.0, 0.5, f64::NAN] {
            let text = error(&config, column(&[0.0, bad]));
            assert!(
                text.contains("context target[1]") && text.contains("0..3"),
                "{text}"
            );
        }
    }
    for config in configs(1, Labels::Numbers(1)) {
        let text = error(&config, column(&[0.0, 1.0, f64::INFINITY]));
        assert!(
            text.contains("context target[2]") && text.contains("finite"),
            "{text}"
        );
        let text = error(&config, Tensor::zeros([4, 2], &Device::flex()));
        assert!(text.contains("[4, 2]") && text.contains("[4, 1]"), "{text}");
    }
}

/// One output for two classes is the log odds of what two outputs say.
#[test]
fn two_classes_may_have_one_output() {
    let two = ModernNcaConfig::narrow().sized_for(&spec(2)).unwrap();
    let one = ModernNcaConfig::narrow().sized_for(&spec(1)).unwrap();
    let one = one.with_labels(Labels::Classes(2)).unwrap();
    let device = Device::flex();
    let model = two.init(&device);
    let state = StateDict::from_module(&model).unwrap();
    let single = state.load_into(one.init(&device)).unwrap();
    let context = Context::labelled(rows(3, 5), column(&[0.0, 1.0, 1.0]));
    let input = || TabularInput::from(rows(4, 1)).with_context(context.clone());
    let (logits, odds) = (
        values(model.forward(input())),
        values(single.forward(input())),
    );
    for (row, odds) in odds.iter().enumerate() {
        let expected = logits[2 * row + 1] - logits[2 * row];
        assert!((odds - expected).abs() < 1e-6, "{odds} {expected}");
    }
}

/// A mean of labels is a value or probabilities, and nothing else.
#[test]
fn outputs_that_are_no_mean_of_labels_are_refused() {
    let quantiles = ModernNcaConfig::narrow().sized_for(&spec(3)).unwrap();
    let error = quantiles.with_labels(Labels::Numbers(1)).unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    let text = error.to_string();
    assert!(text.contains("no 3 outputs for quantiles"), "{text}");
    // A predictor behind the neighbours has whatever width.
    let quantiles = TabRConfig::narrow().sized_for(&spec(3)).unwrap();
    let config = quantiles.with_labels(Labels::Numbers(1)).unwrap();
    config.validate().unwrap();
    assert_eq!(config.spec().d_out, 3);
}

#[test]
fn own_fields_are_checked() {
    let nca = |change: fn(&mut ModernNcaConfig)| {
        let mut config = ModernNcaConfig::narrow().sized_for(&spec(1)).unwrap();
        change(&mut config);
        config.validate().unwrap_err().to_string()
    };
    for text in [
        nca(|c| c.sample_rate = 0.0),
        nca(|c| c.sample_rate = f64::NAN),
        nca(|c| c.sample_rate = 1.1),
    ] {
        assert!(text.contains("sample_rate"), "{text}");
    }
    let text = nca(|c| c.d_num = 4);
    assert!(
        text.contains("d_num = 4") && text.contains("0..=3"),
        "{text}"
    );
    let text = nca(|c| c.labels = Some(Labels::Classes(1)));
    assert!(text.contains("labels.classes"), "{text}");
}

/// As in the reference, whose field takes a word or a switch.
#[test]
fn keys_are_normalised_by_rule_or_as_told() {
    let read = |value: &str| {
        let text = format!(
            r#"{{"model": "tabr", "n_num_features": 3, "encoder_n_blocks": 1,
                "mixer_normalization": {value}}}"#
        );
        ModelConfig::from_json(&text)
    };
    let count = |value| read(value).unwrap().parameter_count().unwrap();
    assert_eq!(count("\"auto\""), count("true"));
    assert_eq!(count("true"), count("false") + 2 * 265);
    assert!(read("\"on\"").is_err());
}

/// Few neighbours do not grow with the table, all of them do.
#[test]
fn memory_is_said_by_arithmetic() {
    let table = TabularSpec {
        n_num_features: 8,
        ..spec(1)
    };
    let nca = ModernNcaConfig::default().sized_for(&table).unwrap();
    let tabr = TabRConfig::default().sized_for(&table).unwrap();
    let (small, large) = (
        nca.context_bytes(256, 10_000),
        nca.context_bytes(256, 100_000),
    );
    let growth = large as f64 / small as f64;
    assert!((9.0..11.0).contains(&growth), "{growth}");
    let (small, large) = (
        tabr.context_bytes(256, 100_000),
        tabr.context_bytes(256, 1_000_000),
    );
    assert!(large - small < 2_000_000_000, "{small} {large}");
    assert_eq!(nca.context_bytes(usize::MAX, usize::MAX), u64::MAX);
}

/// Uniform in ±1 for classes and in ±1/√2 for numbers, as the authors'.
#[test]
fn label_vectors_start_as_wide_as_the_authors() {
    for (labels, bound) in [
        (Labels::Classes(3), 1.0),
        (Labels::Numbers(1), 0.5_f64.sqrt()),
    ] {
        let d_out = if bound == 1.0 { 3 } else { 1 };
        let config = configs(d_out, labels)[1].clone();
        let state = StateDict::from_module(&config.init(&Device::flex())).unwrap();
        let widest = state.tensors["retrieval.labels.weight"]
            .iter::<f64>()
            .fold(0.0, |widest: f64, x| widest.max(x.abs()));
        assert!((0.5 * bound..=bound + 1e-6).contains(&widest), "{widest}");
    }
}

/// With all other dropout off, weights of the context are dropped while it acts.
#[test]
fn the_context_has_dropout() {
    let config = TabRConfig {
        n_num_features: 3,
        dropout0: 0.0,
        dropout1: 0.0,
        context_dropout: 0.5,
        context_size: 5,
        ..TabRConfig::narrow()
    };
    let model = set_mode(config.init(&Device::flex()), Mode::Sample);
    let run = || {
        let context = Context::labelled(rows(6, 5), numbers(6));
        values(model.forward(TabularInput::from(rows(4, 1)).with_context(context)))
    };
    assert_ne!(run(), run());
}
