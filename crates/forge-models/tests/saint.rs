//! What SAINT adds to what every model does.

use forge_models::{
    Capabilities, Context, ModelConfig, RowContext, SaintAttentionType, SaintConfig, TabularConfig,
    TabularInput, TabularModel, TabularRows, TabularSpec,
};
use forge_nn::burn::tensor::{Device, Tolerance};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::battery;

fn mixed(attentiontype: SaintAttentionType) -> SaintConfig {
    let table = TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![2, 7],
        d_out: 2,
    };
    SaintConfig {
        attentiontype,
        depth: 2,
        ..SaintConfig::narrow().sized_for(&table).unwrap()
    }
}

fn rows(config: &SaintConfig, n: usize, seed: u64) -> TabularInput {
    battery::rows_of(&config.spec(), n, seed, &Device::flex()).into()
}

/// The batteries run over the default attention type; these are the others.
#[test]
fn every_attention_type_does_what_every_model_does() {
    let device = Device::flex();
    for attentiontype in [SaintAttentionType::Col, SaintAttentionType::Row] {
        let config: ModelConfig = mixed(attentiontype).into();
        battery::documented_shape(&config, &device);
        battery::order_only_permutes(&config, &device);
        battery::rows_stand_alone(&config, &device);
        battery::every_parameter_learns(&config, &device);
        battery::state_round_trip_is_bit_identical(&config, &device);
        battery::undeclared_inputs_are_refused(&config, &device);
        battery::declared_inputs_matter(&config, &device);
        battery::declared_maps_are_returned(&config, &device);
        battery::parameter_count_is_right(&config, &device);
        battery::config_survives_files(&config);
    }
}

#[test]
fn the_attention_type_decides_whether_rows_see_each_other() {
    let rows = |attentiontype| {
        let config = mixed(attentiontype);
        let declared = ModelConfig::from(config.clone()).capabilities();
        let model = config.init(&Device::flex());
        assert_eq!(model.capabilities(), declared);
        let expected = Capabilities {
            rows: declared.rows,
            ..SaintConfig::CAPABILITIES
        };
        assert_eq!(declared, expected);
        declared.rows
    };
    assert_eq!(rows(SaintAttentionType::Col), RowContext::Alone);
    assert_eq!(rows(SaintAttentionType::Row), RowContext::Neighbours);
    assert_eq!(rows(SaintAttentionType::ColRow), RowContext::Neighbours);
}

/// Feature maps and row maps, layer by layer; with a context the rows to predict have no weight on
/// each other.
#[test]
fn maps_have_their_documented_shapes() {
    let config = mixed(SaintAttentionType::ColRow);
    let model = config.init(&Device::flex());
    let want = Want {
        attention: true,
        features: false,
    };
    let shapes = |input| -> Vec<[usize; 4]> {
        let maps = model.run(input, want).maps.attention;
        maps.iter().map(|map| map.dims()).collect()
    };
    let (over_features, alone) = ([4, 2, 6, 6], [1, 2, 4, 4]);
    assert_eq!(
        shapes(rows(&config, 4, 1)),
        [over_features, alone, over_features, alone]
    );
    let context = Context::unlabelled(rows(&config, 9, 2).rows);
    let input = rows(&config, 4, 1).with_context(context);
    let over_rows = [1, 2, 4, 13];
    assert_eq!(
        shapes(input.clone()),
        [over_features, over_rows, over_features, over_rows]
    );
    let map = model.run(input, want).maps.attention.remove(3);
    let weights = map.narrow(3, 9, 4).into_data();
    for (i, weight) in weights.iter::<f64>().enumerate() {
        let own = (i / 4) % 4 == i % 4;
        assert_eq!(weight > 0.0, own, "weight {i} is {weight}");
    }
}

/// The context is computed without the rows to predict: what one of them sees of it does not change
/// with their number. A batch in which rows see each other is something else.
#[test]
fn the_context_does_not_see_the_rows_to_predict() {
    let config = mixed(SaintAttentionType::ColRow);
    let model = config.init(&Device::flex());
    let want = Want {
        attention: true,
        features: false,
    };
    let context = Context::unlabelled(rows(&config, 9, 2).rows);
    let all = rows(&config, 6, 5).rows;
    // Of the second layer: its keys have gone through the first one's attention over rows.
    let weights = |n| {
        let rows = TabularRows {
            x_num: all.x_num.clone().map(|x| x.narrow(0, 0, n)),
            x_cat: all.x_cat.clone().map(|x| x.narrow(0, 0, n)),
            ..TabularRows::default()
        };
        let input = TabularInput::from(rows).with_context(context.clone());
        let map = model.run(input, want).maps.attention.remove(3);
        map.narrow(2, 0, 1).narrow(3, 0, 9).into_data()
    };
    weights(1).assert_approx_eq::<f32>(&weights(6), Tolerance::absolute(1e-6));
    let together = model.forward(rows(&config, 9, 2));
    let apart = model.forward(rows(&config, 9, 2).with_context(context));
    assert_ne!(apart.into_data(), together.into_data());
}

#[test]
fn sizes_that_multiply_beyond_reason_are_refused() {
    let wide = SaintConfig {
        n_num_features: 40_000,
        dim: 2,
        ..SaintConfig::default()
    };
    let error = wide.validate().unwrap_err().to_string();
    assert!(error.contains("dim times tokens = 80002"), "{error}");
    let alone = SaintConfig {
        attentiontype: SaintAttentionType::Col,
        ..wide.clone()
    };
    alone.validate().unwrap();
    let heads = SaintConfig {
        n_num_features: 1,
        heads: 2_000,
        ..wide
    };
    let error = heads.validate().unwrap_err().to_string();
    assert!(error.contains("heads times width of a head"), "{error}");
}
