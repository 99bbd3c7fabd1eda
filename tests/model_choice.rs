//! Models in settings: by name, with fields changed, as a whole config.

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use volatilityforge::data::SeriesConfig;
use volatilityforge::forecast::{ForecasterConfig, SeriesModelChoice};
use volatilityforge::models::{
    ModelBuilder, ModelConfig, SeriesModelConfig, TabularSpec, TargetKind,
};
use volatilityforge::{EstimatorConfig, ModelChoice, Strategy};

const STRATEGIES: [Strategy; 3] = [Strategy::Fast, Strategy::Balanced, Strategy::Accurate];

fn spec() -> TabularSpec {
    TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![],
        d_out: 1,
    }
}

#[derive(Serialize, Deserialize)]
struct File<C> {
    model: C,
}

fn read<C: DeserializeOwned>(text: &str) -> Result<C, String> {
    toml::from_str::<File<C>>(text)
        .map(|file| file.model)
        .map_err(|e| e.to_string())
}

fn sized(text: &str, strategy: Strategy) -> ModelConfig {
    read::<ModelChoice>(text)
        .unwrap()
        .sized_for(strategy, &spec(), TargetKind::Numbers)
        .unwrap()
}

/// What is written is read again as the same, from TOML and from JSON.
fn comes_back<C: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(choice: C) {
    let file = File { model: choice };
    let toml = toml::to_string(&file).unwrap();
    assert_eq!(read::<C>(&toml).unwrap(), file.model, "{toml}");
    let json = serde_json::to_string(&file).unwrap();
    let again: File<C> = serde_json::from_str(&json).unwrap();
    assert_eq!(again.model, file.model, "{json}");
}

#[test]
fn a_table_changes_the_strategys_preset() {
    for strategy in STRATEGIES {
        let ModelConfig::TabM(mut preset) = sized("model = \"tabm\"", strategy) else {
            panic!("tabm is a TabM")
        };
        let changed = sized(
            "model = { model = \"tabm\", dropout = 0.25, num_embeddings = \"none\" }",
            strategy,
        );
        assert!(preset.num_embeddings.is_some() && preset.dropout != 0.25);
        preset.num_embeddings = None;
        preset.dropout = 0.25;
        assert_eq!(changed, preset.into());
    }
}

#[test]
fn without_the_preset_a_table_changes_the_models_defaults() {
    let text = "model = { model = \"tabm\", preset = false, k = 4 }";
    let defaults = ModelBuilder::new("tabm")
        .set("k", 4)
        .build(&spec())
        .unwrap();
    for strategy in STRATEGIES {
        assert_eq!(sized(text, strategy), defaults);
    }
}

#[test]
fn every_choice_comes_back_from_a_file() {
    comes_back(ModelChoice::from("tabm"));
    comes_back(
        read::<ModelChoice>("model = { model = \"tabm\", k = 4, arch_type = \"tabm\" }").unwrap(),
    );
    for name in ModelConfig::NAMES {
        for strategy in STRATEGIES {
            for target in [TargetKind::Numbers, TargetKind::Classes] {
                let preset = ModelConfig::preset_for(name, strategy, target).unwrap();
                comes_back(ModelChoice::from(preset.config));
            }
        }
    }
    for name in SeriesModelConfig::NAMES {
        comes_back(SeriesModelChoice::from(*name));
        for strategy in STRATEGIES {
            let preset = SeriesModelConfig::preset(name, strategy).unwrap();
            comes_back(SeriesModelChoice::from(preset.config));
        }
    }
    // What is absent here is there by default, and TOML has no null.
    let without = serde_json::json!({"model": "modern_nca", "num_embeddings": null});
    let without = ModelConfig::from_value(without).unwrap();
    comes_back(ModelChoice::from(without));
}

#[test]
fn none_is_a_value_where_the_field_has_it() {
    for field in ["realmlp\", num_emb_type", "tabicl\", col_ssmax"] {
        let text = format!("model = {{ model = \"{field} = \"none\" }}");
        read::<ModelChoice>(&text).unwrap();
    }
    let text = "model = { model = \"tabm\", k = \"none\" }";
    assert!(read::<ModelChoice>(text).is_err());
}

#[test]
fn a_table_that_does_not_fit_says_what_would() {
    for (text, said) in [
        ("model = { model = \"tabm\", kk = 4 }", "unknown field `kk`"),
        ("model = { model = \"tabm\", k = 4.5 }", "4.5"),
        ("model = { model = \"tabmm\" }", "tabm"),
        ("model = { k = 4 }", "absent"),
        ("model = { model = \"tabm\", preset = \"fast\" }", "preset"),
        ("model = { model = 3 }", "one of"),
    ] {
        let error = read::<ModelChoice>(text).unwrap_err();
        assert!(error.contains(said) && error.contains("line 1"), "{error}");
    }
    let changed = volatilityforge::ChangedPreset {
        model: "tabm".into(),
        fields: serde_json::Map::from_iter([("kk".into(), 4.into())]),
    };
    let config = EstimatorConfig {
        model: ModelChoice::Changed(changed.clone()),
        ..EstimatorConfig::default()
    };
    assert!(config.validate().unwrap_err().to_string().contains("kk"));
    let mut config = ForecasterConfig::new(SeriesConfig::new("t", ["y"]), 2);
    config.model = SeriesModelChoice::Changed(volatilityforge::ChangedPreset {
        model: "dlinear".into(),
        ..changed
    });
    assert!(config.validate().unwrap_err().to_string().contains("kk"));
}

#[test]
fn a_series_model_too_is_its_preset_with_fields_changed() {
    let choice: SeriesModelChoice =
        read("model = { model = \"patch_tst\", e_layers = 1 }").unwrap();
    let SeriesModelChoice::Changed(changed) = choice else {
        panic!("a table without preset = false is a change")
    };
    assert_eq!(changed.model, "patch_tst");
    assert_eq!(changed.fields.len(), 1);
}
