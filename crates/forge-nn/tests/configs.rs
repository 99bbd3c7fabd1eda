//! What every config does with a file.

use std::collections::BTreeSet;
use std::path::Path;

use forge_nn::activation::*;
use forge_nn::adaptive_computation::*;
use forge_nn::attention::*;
use forge_nn::convolution::*;
use forge_nn::gating::*;
use forge_nn::norm::*;
use forge_nn::num_embeddings::*;
use forge_nn::pooling::*;
use forge_nn::position::*;
use forge_nn::recurrent::*;
use forge_nn::regularisation::*;
use forge_nn::*;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Writes and reads `config`, with a key too many, with one too few, and with a null.
fn check<C: Serialize + DeserializeOwned + PartialEq + std::fmt::Debug>(config: C) {
    let file = serde_json::to_value(&config).unwrap();
    let read = |file: &Value| serde_json::from_value::<C>(file.clone());
    assert_eq!(read(&file).unwrap(), config);

    let mut unknown = file.clone();
    unknown["d_modle"] = 3.into();
    let error = read(&unknown).unwrap_err().to_string();
    assert!(error.contains("unknown field `d_modle`"), "{error}");
    let keys: Vec<String> = file.as_object().unwrap().keys().cloned().collect();
    for key in &keys {
        assert!(error.contains(&format!("`{key}`")), "{key}: {error}");
    }

    for key in keys {
        let mut lacking = file.clone();
        lacking.as_object_mut().unwrap().remove(&key);
        match read(&lacking) {
            // Left at its default, which is what `new` gives.
            Ok(read) => assert_eq!(read, config, "without {key}"),
            Err(error) => assert!(error.to_string().contains(&key), "{key}: {error}"),
        }
        let mut null = file.clone();
        null[&key] = Value::Null;
        assert_eq!(read(&null).is_ok(), file[&key].is_null(), "null {key}");
    }
}

macro_rules! configs {
    ($($name:ident($($value:expr),*)),* $(,)?) => {
        #[test]
        fn every_config_refuses_unknown_keys_and_knows_its_defaults() {
            $(check($name::new($($value),*));)*
        }

        /// What this file checks.
        const HERE: &[&str] = &[$(stringify!($name)),*];
    };
}

configs!(
    AconAConfig(5),
    AconBConfig(5),
    AconCConfig(5),
    AdaptiveComputationTimeConfig(5, 3, 2),
    AdaptiveLayerNormConfig(5, 3),
    AttentionPoolingConfig(5),
    BatchNormConfig(5),
    CalendarEncodingConfig(),
    CausalConv1dConfig(5, 3),
    ClassConditionalLayerNormConfig(5, 3),
    ConditionalLayerNormConfig(5, 3),
    CrossAttentionConfig(6, 5, 2),
    DropPathConfig(0.25),
    DropoutConfig(0.25),
    FRelu1dConfig(5),
    FRelu2dConfig(5),
    GatedFeedForwardConfig(5, 7),
    GatedInstanceNormConfig(5),
    GatedLinearConfig(5, 3),
    GatedResidualNetworkConfig(5, 7),
    GroupNorm1dConfig(6, 3),
    GroupedLinearConfig(3, 5, 2),
    GroupedQueryAttentionConfig(8, 4, 2),
    LayerNormConfig(5),
    LayerScaleConfig(5),
    LearnedPositionsConfig(7, 5),
    LinearAttentionConfig(6, 2),
    LinearConfig(5, 3),
    LinearEmbeddingsConfig(),
    LiteGateUnitConfig(5),
    LstmConfig(5, 3),
    MetaAconConfig(5),
    MultiHeadAttentionConfig(6, 2),
    NumEmbedderConfig(3, NumEmbeddings::Linear(LinearEmbeddingsConfig::new())),
    PeriodicEmbeddingsConfig(),
    PiecewiseLinearEmbeddingsConfig(),
    PiecewiseLinearEncodingConfig(),
    PoolingConfig(5),
    QkNormConfig(QkNormKind::L2, 2, 5),
    QuantumInspiredLinearConfig(5, 3),
    RevInConfig(5),
    RmsNormConfig(5),
    RotaryEmbeddingConfig(6),
    SinusoidalPositionsConfig(6),
    SlidingWindowAttentionConfig(6, 2, 3),
    SqueezeExcitationConfig(5, 3),
    StarReluConfig(),
    Time2VecConfig(5),
);

#[test]
fn configs_of_tokenizers_refuse_unknown_keys() {
    let (d_token, bias, missing) = (5, true, false);
    check(NumericTokenizerConfig {
        n_features: 3,
        d_token,
        bias,
        missing,
    });
    check(CategoricalTokenizerConfig {
        cardinalities: vec![3, 2],
        d_token,
        bias,
        missing,
    });
    check(FeatureTokenizerConfig {
        n_num_features: 3,
        cat_cardinalities: vec![3, 2],
        d_token,
        cls: true,
        bias,
        missing,
        num_embeddings: None,
    });
}

/// A key deep in a file is refused as well.
#[test]
fn nested_configs_refuse_unknown_keys() {
    let config =
        GroupedQueryAttentionConfig::new(8, 4, 2).with_rotary(Some(RotaryEmbeddingConfig::new(2)));
    let mut file = serde_json::to_value(&config).unwrap();
    file["rotary"]["thetta"] = 1.0.into();
    let error = serde_json::from_value::<GroupedQueryAttentionConfig>(file);
    assert!(error.unwrap_err().to_string().contains("`thetta`"));
}

#[test]
fn no_config_is_forgotten() {
    let mut found = BTreeSet::new();
    collect(
        Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/src")),
        &mut found,
    );
    let tokenizers =
        ["Numeric", "Categorical", "Feature"].map(|kind| format!("{kind}TokenizerConfig"));
    let here = HERE.iter().map(|name| name.to_string()).chain(tokenizers);
    assert_eq!(found, here.collect());
}

/// The names of the structs in `folder` that end in `Config`.
fn collect(folder: &Path, found: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else {
            let text = std::fs::read_to_string(&path).unwrap();
            let names = text.lines().filter_map(|line| {
                let name = line.trim().strip_prefix("pub struct ")?;
                let name = name.split([' ', '{', '<', '(']).next()?;
                name.ends_with("Config").then(|| name.to_string())
            });
            found.extend(names);
        }
    }
}
