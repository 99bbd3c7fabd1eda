//! Embeddings of numbers under every model that has them.

use forge_models::{ModelConfig, TabularSpec, TrainingRows};
use forge_nn::ModuleConfig;
use forge_nn::burn::tensor::Device;
use forge_testkit::{Noise, battery};
use serde_json::{Value, json};

const MODELS: [&str; 5] = [
    "tabular_mlp",
    "tabular_resnet",
    "ft_transformer",
    "tabm",
    "act_mlp",
];
const ROWS: usize = 60;

fn kinds() -> Vec<Value> {
    let tree = json!({"kind": "tree", "min_samples_leaf": 5});
    vec![
        json!({"kind": "linear_relu"}),
        json!({"kind": "periodic", "n_frequencies": 3, "frequency_init_scale": 0.5}),
        json!({"kind": "periodic", "n_frequencies": 3, "lite": true}),
        json!({"kind": "piecewise_linear_encoding", "binning": {"kind": "quantile", "n_bins": 5}}),
        json!({"kind": "piecewise_linear", "binning": tree}),
    ]
}

fn spec(model: &str) -> TabularSpec {
    let categorical = ModelConfig::capabilities_of(model).unwrap().categorical;
    TabularSpec {
        n_num_features: 5,
        cat_cardinalities: if categorical { vec![2, 3] } else { vec![] },
        d_out: 2,
    }
}

/// The narrow model with these embeddings, sized and not yet fitted; none where they do not go
/// together.
fn sized(model: &str, embeddings: &Value) -> Option<ModelConfig> {
    if model == "ft_transformer" && embeddings["kind"] == "piecewise_linear_encoding" {
        return None;
    }
    let mut fields = serde_json::to_value(ModelConfig::narrow(model).unwrap()).unwrap();
    fields["num_embeddings"] = embeddings.clone();
    let config = ModelConfig::from_value(fields).unwrap();
    Some(config.sized_for(&spec(model)).unwrap())
}

fn fitted(config: ModelConfig) -> ModelConfig {
    let columns = config.spec().n_num_features;
    let mut noise = Noise::new(9);
    let mut numbers =
        |count: usize| -> Vec<f32> { (0..count).map(|_| noise.uniform() as f32).collect() };
    // One column never varies.
    let mut numeric = numbers(ROWS * columns);
    numeric
        .iter_mut()
        .skip(1)
        .step_by(columns)
        .for_each(|x| *x = 0.25);
    let targets = numbers(2 * ROWS);
    let rows = TrainingRows::new(&numeric, columns, &targets, 2, None).unwrap();
    config.fitted_to(&rows).unwrap()
}

fn each(check: impl Fn(&ModelConfig)) {
    for model in MODELS {
        for embeddings in kinds() {
            sized(model, &embeddings)
                .map(fitted)
                .iter()
                .for_each(&check);
        }
    }
}

#[test]
fn models_with_embeddings_do_what_models_do() {
    let device = Device::flex();
    each(|config| {
        battery::documented_shape(config, &device);
        battery::parameter_count_is_right(config, &device);
        battery::config_survives_files(config);
        battery::rows_stand_alone(config, &device);
        battery::declared_inputs_matter(config, &device);
        battery::storage_of_parameters_does_not_matter(config, &device);
        battery::state_round_trip_is_bit_identical(config, &device);
    });
}

/// ReLUs may sleep and places between bins learn nothing: what counts is that something of every
/// tensor does.
#[test]
fn embeddings_learn() {
    use forge_nn::{Network, Want};
    let device = Device::flex().autodiff();
    each(|config| {
        device.seed(1);
        let model = config.init(&device);
        let rows = battery::input(config, 64, 1, &device);
        let y = model.run(rows, Want::PREDICTIONS).y;
        let gradients = y.square().sum().backward();
        let named = forge_testkit::gradients_by_name(&model, &gradients);
        let embedding = named
            .iter()
            .filter(|(name, _)| name.contains("num_embeddings"));
        let mut found = 0;
        for (name, gradient) in embedding {
            let sum: f64 = gradient.iter::<f64>().map(f64::abs).sum();
            assert!(sum.is_finite() && sum > 0.0, "{config:?}: {name}");
            found += 1;
        }
        let json = serde_json::to_value(config).unwrap();
        let encoding = json["num_embeddings"]["kind"] == "piecewise_linear_encoding";
        assert_eq!(found == 0, encoding, "{config:?}");
    });
}

#[test]
fn bins_come_from_the_training_rows_and_stay_in_the_config() {
    for model in MODELS {
        for embeddings in kinds() {
            let Some(config) = sized(model, &embeddings) else {
                continue;
            };
            let piecewise = embeddings["kind"]
                .as_str()
                .unwrap()
                .starts_with("piecewise");
            let refused = config.validate().err().map(|error| error.to_string());
            let named = refused.is_some_and(|e| e.contains("bins") && e.contains("fitted_to"));
            assert_eq!(named, piecewise, "{config:?}");
            let config = fitted(config);
            config.validate().unwrap();
            let json = serde_json::to_value(&config).unwrap();
            let bins = json["num_embeddings"]["bins"].as_array();
            assert_eq!(bins.map(Vec::len), piecewise.then_some(5));
            // The column that never varies.
            if let Some(bins) = bins {
                assert_eq!(bins[1], json!([0.25, 1.25]));
            }
            // Found anew for other rows.
            assert_eq!(fitted(config.clone()), config);
        }
    }
}

#[test]
fn rows_of_another_table_are_refused() {
    for model in MODELS {
        let config = sized(model, &kinds()[0]).unwrap();
        let rows = TrainingRows::new(&[0.0; 6], 3, &[0.0; 2], 1, None).unwrap();
        let error = config.fitted_to(&rows).unwrap_err();
        assert!(
            error.is_shape() && error.to_string().contains('5'),
            "{error}"
        );
    }
}

#[test]
fn without_them_configs_are_what_they_were() {
    for model in MODELS {
        let config = ModelConfig::named(model).unwrap();
        let json = serde_json::to_string(&config).unwrap();
        assert!(!json.contains("num_embeddings"), "{json}");
        let config = config.sized_for(&spec(model)).unwrap();
        assert!(
            !config
                .key_map()
                .reference_names()
                .any(|name| name.contains("periodic"))
        );
    }
}

#[test]
fn tokens_have_the_width_of_a_token() {
    let wide = json!({"kind": "linear", "d_embedding": 7});
    let error = sized("ft_transformer", &wide).unwrap().validate();
    let error = error.unwrap_err().to_string();
    assert!(
        error.contains("d_embedding = 7") && error.contains("16"),
        "{error}"
    );
    let encoding = json!({"kind": "piecewise_linear_encoding"});
    let mut fields = serde_json::to_value(ModelConfig::narrow("ft_transformer").unwrap()).unwrap();
    fields["num_embeddings"] = encoding;
    let config = ModelConfig::from_value(fields).unwrap();
    let error = config
        .sized_for(&spec("ft_transformer"))
        .unwrap()
        .validate();
    assert!(
        error
            .unwrap_err()
            .to_string()
            .contains("num_embeddings.kind")
    );
}

/// The authors' names under ours, and back.
#[test]
fn weights_travel_by_the_authors_names() {
    use forge_nn::StateDict;
    let device = Device::flex();
    each(|config| {
        let model = config.init(&device);
        let state = StateDict::from_module(&model).unwrap();
        let theirs = config.key_map().to_reference(&state.tensors).unwrap();
        let checkpoint = StateDict { tensors: theirs };
        let again = config.load_reference(&checkpoint, &device).unwrap();
        assert_eq!(
            StateDict::from_module(&again).unwrap().tensors,
            state.tensors
        );
    });
}
