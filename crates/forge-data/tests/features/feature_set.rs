//! Sets as manifests: read back, compared, refused.

use forge_data::Table;
use forge_data::features::{
    BarFeature, BarStream, ChainFeature, FeatureSet, GreekProxiesConfig, MicrostructureConfig,
    TechnicalConfig, VolatilityConfig,
};

#[test]
fn named_sets_have_their_names_in_order() {
    let counts = FeatureSet::NAMES.map(|name| FeatureSet::named(name).unwrap().count());
    assert_eq!(counts, [25, 6, 7, 4, 4, 9]);
    let technical = FeatureSet::named("technical_25").unwrap();
    let names: Vec<&str> = technical.names().collect();
    assert_eq!(
        names.join(" "),
        "open high low close log_volume returns rsi macd macd_signal volatility atr bollinger_upper \
         bollinger_middle bollinger_lower ema_short ema_long volume_ratio relative_volume dollar_volume \
         vwap vwap_distance order_flow_imbalance trade_intensity tick_rule spread_proxy"
    );
    let error = FeatureSet::named("technical").unwrap_err();
    assert_eq!(
        error.to_string(),
        "there is no feature set 'technical': allowed are technical_25, volatility, microstructure, \
         greek_proxies, greeks, chain_interactions"
    );
}

#[test]
fn manifests_are_read_back() {
    for name in FeatureSet::NAMES {
        let set = FeatureSet::named(name).unwrap();
        let text = serde_json::to_string(&set).unwrap();
        assert!(
            text.contains(&format!("\"count\":{}", set.count())),
            "{text}"
        );
        assert_eq!(serde_json::from_str::<FeatureSet>(&text).unwrap(), set);
    }
    let old = r#"{"name": "mine", "count": 2, "features": [
        {"name": "vol", "feature": {"bar": {"close_to_close": {"period": 22}}}},
        {"name": "k", "feature": {"chain": "log_moneyness"}}]}"#;
    let set: FeatureSet = serde_json::from_str(old).unwrap();
    assert_eq!(set.warm_up(), 23);
}

#[test]
fn a_damaged_manifest_is_refused() {
    for (text, message) in [
        (
            r#"{"name": "x", "count": 2, "features": [{"name": "o", "feature": {"bar": "open"}}]}"#,
            "has 1 features, but says that it has 2",
        ),
        (
            r#"{"name": "x", "count": 0, "features": []}"#,
            "the feature set 'x' is empty",
        ),
        (
            r#"{"name": "x", "count": 1, "features": [{"name": "", "feature": {"bar": "open"}}]}"#,
            "has no name",
        ),
        (
            r#"{"name": "x", "count": 2, "features": [{"name": "o", "feature": {"bar": "open"}},
                {"name": "o", "feature": {"bar": "low"}}]}"#,
            "has 'o' twice",
        ),
        (
            r#"{"name": "x", "count": 1, "features":
                [{"name": "rsi", "feature": {"bar": {"rsi": {"period": 4000000000}}}}]}"#,
            "feature 'rsi': period = 4000000000 is out of range: allowed 1 to 100000",
        ),
        (
            r#"{"name": "x", "count": 1, "features": [{"name": "o", "feature": {"bar": "opne"}}]}"#,
            "unknown variant `opne`",
        ),
    ] {
        let error = serde_json::from_str::<FeatureSet>(text).unwrap_err();
        assert!(error.to_string().contains(message), "{error}");
    }
}

#[test]
fn a_set_of_25_given_to_a_model_of_24_names_the_surplus() {
    let given = FeatureSet::named("technical_25").unwrap();
    let fewer: Vec<_> = given
        .features()
        .iter()
        .filter(|f| f.name != "vwap")
        .cloned()
        .collect();
    let model = FeatureSet::new("model", fewer).unwrap();
    let error = model.expect(&given).unwrap_err();
    assert!(error.is_schema());
    assert_eq!(
        error.to_string(),
        "a set of 25 features ('technical_25') given to a model of 24 ('model'): surplus vwap; missing \
         none; make the features from the model's own set"
    );
    let error = given.expect(&model).unwrap_err();
    assert!(
        error.to_string().contains("surplus none; missing vwap"),
        "{error}"
    );
    given.expect(&given.clone()).unwrap();
}

#[test]
fn other_lengths_and_another_order_are_told_too() {
    let model = FeatureSet::named("technical_25").unwrap();
    let other = TechnicalConfig {
        rsi: 21,
        ..Default::default()
    };
    let error = model.expect(&other.feature_set().unwrap()).unwrap_err();
    assert!(
        error.to_string().contains(
            r#"'rsi' is {"bar":{"rsi":{"period":21}}} but the model's is {"bar":{"rsi":{"period":14}}}"#
        ),
        "{error}"
    );
    let mut features = model.features().to_vec();
    features.swap(1, 2);
    let error = model
        .expect(&FeatureSet::new("swapped", features).unwrap())
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("feature 2 is 'low' but the model's is 'high'"),
        "{error}"
    );
}

#[test]
fn columns_come_in_the_sets_order_and_all_missing_ones_are_named() {
    let set = FeatureSet::of_bars(
        "two",
        [("close", BarFeature::Close), ("open", BarFeature::Open)],
    )
    .unwrap();
    let table = Table::from_numeric(["open", "x", "close"], &[1.0, 2.0, 3.0]).unwrap();
    let names: Vec<&str> = set
        .columns(&table)
        .unwrap()
        .iter()
        .map(|c| c.name.as_str())
        .collect();
    assert_eq!(names, ["close", "open"]);
    let error = FeatureSet::named("microstructure")
        .unwrap()
        .columns(&table)
        .unwrap_err();
    assert!(
        error.to_string().starts_with(
            "the table has 0 of the 7 features of 'microstructure': missing mid, quoted_spread, microprice,"
        ),
        "{error}"
    );
}

#[test]
fn settings_out_of_range_name_feature_field_value_and_range() {
    let technical = |change: fn(&mut TechnicalConfig)| {
        let mut config = TechnicalConfig::default();
        change(&mut config);
        config.feature_set()
    };
    let volatility = |windows: &[u32], periods_per_year| {
        VolatilityConfig {
            windows: windows.into(),
            periods_per_year,
        }
        .feature_set()
    };
    for (result, message) in [
        (
            technical(|c| c.macd_fast = 26),
            "feature 'macd': fast = 26 must be below slow = 26",
        ),
        (
            technical(|c| c.volatility = 1),
            "feature 'volatility': period = 1 is out of range: allowed 2 to 100000",
        ),
        (
            technical(|c| c.bollinger_width = f64::NAN),
            "feature 'bollinger_upper': width = NaN is out of range",
        ),
        (
            technical(|c| c.intensity_short = 0),
            "feature 'trade_intensity': short = 0 is out of range",
        ),
        (
            technical(|c| c.periods_per_year = Some(0.0)),
            "feature 'volatility': periods_per_year = 0 is out",
        ),
        (volatility(&[], None), "windows is empty"),
        (volatility(&[5, 5], None), "has 'close_to_close_5' twice"),
        (
            volatility(&[1], None),
            "feature 'close_to_close_1': period = 1 is out of range",
        ),
        (
            MicrostructureConfig { quote_flow: 0 }.feature_set(),
            "feature 'quote_flow_imbalance': period = 0",
        ),
        (
            GreekProxiesConfig { vol: 0.0 }.feature_set(),
            "feature 'delta_proxy': vol = 0 is out of range",
        ),
    ] {
        let error = result.unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(message),
            "{error}"
        );
    }
    let chain = FeatureSet::of_chain("c", [("k", ChainFeature::LogMoneyness)]).unwrap();
    let error = BarStream::new(&chain).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("one of option chains"),
        "{error}"
    );
}
