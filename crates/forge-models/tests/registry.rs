//! Names, factory, builder.

use forge_models::{
    Capabilities, FtTransformerConfig, ModelBuilder, ModelConfig, Strategy, TabularConfig,
    TabularMlpConfig, TabularSpec, TrainingRows,
};
use forge_nn::ModuleConfig;
use forge_nn::burn::tensor::Device;

fn mixed() -> TabularSpec {
    TabularSpec {
        n_num_features: 5,
        cat_cardinalities: vec![3, 7],
        d_out: 2,
    }
}

fn numeric() -> TabularSpec {
    TabularSpec {
        cat_cardinalities: vec![],
        ..mixed()
    }
}

#[test]
fn factory_and_builder_lead_to_the_same_config() {
    let typed = FtTransformerConfig {
        n_blocks: 2,
        ..FtTransformerConfig::default().sized_for(&mixed()).unwrap()
    };
    let built = ModelBuilder::new("ft_transformer")
        .set("n_blocks", 2)
        .build(&mixed())
        .unwrap();
    // The builder leaves the hidden width to its default; the type states it.
    let stated = ModelBuilder::new("ft_transformer")
        .set("n_blocks", 2)
        .set("ffn_d_hidden_multiplier", 4.0 / 3.0)
        .build(&mixed())
        .unwrap();
    assert_eq!(stated, ModelConfig::from(typed));
    assert_eq!(
        built.parameter_count().unwrap(),
        stated.parameter_count().unwrap()
    );
}

#[test]
fn factory_sizes_the_default_for_the_table() {
    let config = ModelConfig::named("tabular_mlp")
        .and_then(|config| config.sized_for(&numeric()))
        .unwrap();
    let expected = TabularMlpConfig {
        d_in: 5,
        d_out: 2,
        ..TabularMlpConfig::default()
    };
    assert_eq!(config, expected.into());
    assert_eq!(config.spec(), numeric());
    config.try_init(&Device::flex()).unwrap();
}

#[test]
fn default_ft_transformer_is_the_papers() {
    let config = FtTransformerConfig::default().sized_for(&mixed()).unwrap();
    assert_eq!(
        (config.n_blocks, config.d_block, config.attention_n_heads),
        (3, 192, 8)
    );
    assert_eq!(config.ffn_hidden_width(), 256);
    // Tokens 192 · (1 + 5 · 2 + 10 + 2); three blocks of 4 · 193 · 192 + 193 · 512 + 257 · 192 + 384;
    // two attention norms of 384; head 384 + 193 · 2.
    assert_eq!(
        ModelConfig::from(config).parameter_count().unwrap(),
        896_258
    );
}

#[test]
fn unknown_names_are_refused_with_those_there_are() {
    for error in [
        ModelConfig::named("ft_transfomer").unwrap_err(),
        ModelConfig::preset("ft_transfomer", Strategy::Fast).unwrap_err(),
        ModelConfig::capabilities_of("ft_transfomer").unwrap_err(),
        ModelBuilder::new("ft_transfomer")
            .build(&numeric())
            .unwrap_err(),
        ModelConfig::from_json(r#"{"model": "ft_transfomer"}"#).unwrap_err(),
        ModelConfig::from_json("{}").unwrap_err(),
    ] {
        assert!(error.is_config(), "{error}");
        assert!(
            error
                .to_string()
                .contains("ft_transformer, tabular_resnet, tabular_mlp"),
            "{error}"
        );
    }
}

#[test]
fn builder_refuses_bad_fields_by_name() {
    for (field, value) in [("n_blocks", "two"), ("n_block", "2")] {
        let error = ModelBuilder::new("tabular_mlp")
            .set(field, value)
            .build(&numeric())
            .unwrap_err();
        assert!(error.is_config(), "{error}");
    }
    let error = ModelBuilder::new("tabular_mlp")
        .set("dropout", 1.5)
        .build(&numeric())
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "config: dropout = 1.5, must be in 0.0..1.0"
    );
    let unsized_ = ModelConfig::named("tabular_mlp").unwrap();
    let error = unsized_.validate().unwrap_err();
    assert!(error.to_string().contains("d_in = 0"), "{error}");
}

#[test]
fn hidden_width_is_given_once() {
    let config = FtTransformerConfig {
        d_block: 8,
        n_num_features: 1,
        ..FtTransformerConfig::default()
    };
    let both = FtTransformerConfig {
        ffn_d_hidden: Some(5),
        ..config.clone()
    };
    let error = both.validate().unwrap_err().to_string();
    assert!(error.contains("ffn_d_hidden_multiplier"), "{error}");
    let none = FtTransformerConfig {
        ffn_d_hidden_multiplier: None,
        ..config.clone()
    };
    none.validate().unwrap();
    assert_eq!(none.ffn_hidden_width(), config.ffn_hidden_width());
    // Truncated, not rounded: 8 · 4/3 = 10.67.
    assert_eq!(config.ffn_hidden_width(), 10);
    let nothing = FtTransformerConfig {
        ffn_d_hidden_multiplier: Some(0.1),
        ..config
    };
    assert!(
        nothing
            .validate()
            .unwrap_err()
            .to_string()
            .contains("ffn_d_hidden = 0")
    );
}

#[test]
fn capabilities_are_declared() {
    let categorical = Capabilities {
        categorical: true,
        attention_maps: true,
        feature_masks: true,
        ..Capabilities::NONE
    };
    assert_eq!(
        ModelConfig::capabilities_of("ft_transformer").unwrap(),
        categorical
    );
    assert_eq!(
        ModelConfig::capabilities_of("tabular_resnet").unwrap(),
        Capabilities {
            batch_statistics: true,
            ..Capabilities::NONE
        }
    );
    let error = ModelConfig::named("tabular_resnet")
        .and_then(|config| config.sized_for(&mixed()))
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
    assert!(error.to_string().contains("one-hot"), "{error}");
}

/// A student of any model, whatever its size, is the same model for the same table, smaller.
#[test]
fn students_are_smaller_and_can_be_made() {
    let device = Device::flex();
    for config in forge_testkit::battery::subjects() {
        let whole = config.parameter_count().unwrap();
        for factor in [0.25, 0.5, 0.9] {
            let student = config.student(factor).unwrap();
            assert_eq!(student.name(), config.name());
            assert_eq!(student.spec(), config.spec());
            let count = student.parameter_count().unwrap();
            assert!(count < whole, "{student:?}: {count} of {whole}");
            student.try_init(&device).unwrap();
        }
        for factor in [0.0, 1.0, f64::NAN] {
            let error = config.student(factor).unwrap_err();
            assert!(error.to_string().contains("factor"), "{error}");
        }
    }
    for name in ModelConfig::NAMES {
        // Before it is known what the table is, and down to the smallest there is.
        let mut config = ModelConfig::named(name).unwrap();
        while let Ok(student) = config.student(0.5) {
            config = student;
        }
        let smallest = config.sized_for(&numeric()).unwrap();
        smallest.try_init(&device).unwrap();
    }
}

/// Embeddings of numbers are widths of the model as others are, and tokens stay as wide as the rest.
#[test]
fn students_have_smaller_embeddings_of_numbers() {
    let kinds = ["linear", "linear_relu", "periodic", "piecewise_linear"];
    let mut with_embeddings = vec![];
    for name in ModelConfig::NAMES {
        // Tokens are as wide as the model's.
        let width = match *name {
            "ft_transformer" => 192,
            _ => 32,
        };
        for kind in kinds {
            let mut embeddings = serde_json::json!({"kind": kind, "d_embedding": width});
            if kind == "piecewise_linear" {
                embeddings["bins"] = serde_json::json!(vec![[0.0, 1.0, 2.0]; 5]);
            }
            let built = ModelBuilder::new(name)
                .set("num_embeddings", embeddings)
                .build(&numeric());
            let Ok(teacher) = built else {
                continue;
            };
            with_embeddings.push(*name);
            let student = teacher.student(0.5).unwrap();
            student.try_init(&Device::flex()).unwrap();
            let fields = |config: &ModelConfig| serde_json::to_value(config).unwrap();
            let (whole, half) = (fields(&teacher), fields(&student));
            let width = |of: &serde_json::Value| of["num_embeddings"]["d_embedding"].as_u64();
            assert_eq!(width(&half).map(|w| 2 * w), width(&whole), "{kind} {half}");
            let waves = |of: &serde_json::Value| of["num_embeddings"]["n_frequencies"].as_u64();
            assert_eq!(waves(&half).map(|n| 2 * n), waves(&whole), "{kind} {half}");
        }
    }
    assert_eq!(
        with_embeddings.len(),
        5 * kinds.len(),
        "{with_embeddings:?}"
    );
    with_embeddings.dedup();
    let expected = [
        "ft_transformer",
        "tabular_resnet",
        "tabular_mlp",
        "tabm",
        "act_mlp",
    ];
    assert_eq!(with_embeddings, expected);
}

/// Presets are whole and differ by strategy in size.
#[test]
fn presets_grow_with_the_strategy() {
    for name in ModelConfig::NAMES {
        let counts = [Strategy::Fast, Strategy::Balanced, Strategy::Accurate].map(|strategy| {
            let preset = ModelConfig::preset(name, strategy).unwrap();
            let training = preset.training;
            assert!(training.learning_rate > 0.0 && training.weight_decay >= 0.0);
            assert!(training.steps > 0.0 && training.batch_size != Some(0));
            assert!(!training.source.is_empty());
            let config = preset.config.sized_for(&numeric()).unwrap();
            // What is taken from training rows.
            let numbers: Vec<f32> = (0..5 * 200).map(|i| (i as f32).sin()).collect();
            let rows = TrainingRows::new(&numbers, 5, &numbers[..200], 1, None).unwrap();
            let config = config.fitted_to(&rows).unwrap();
            assert_eq!(config.name(), *name);
            config.parameter_count().unwrap()
        });
        assert!(
            counts[0] < counts[1] && counts[1] < counts[2],
            "{name}: {counts:?}"
        );
    }
}
