//! What a transformer over feature tokens says of the features.

use forge_models::{FtTransformerConfig, ModelConfig, TabularConfig, TabularSpec};
use forge_nn::burn::tensor::{Device, Tensor, Tolerance};
use forge_nn::{ModuleConfig, Network, Want};
use forge_testkit::battery;

/// By hand from the attention maps: rows of CLS, columns of features, heads and blocks averaged.
#[test]
fn importance_is_the_mean_of_the_attention_of_cls() {
    let device = Device::flex();
    let table = TabularSpec {
        n_num_features: 3,
        cat_cardinalities: vec![2, 5],
        d_out: 1,
    };
    let config = FtTransformerConfig::narrow().sized_for(&table).unwrap();
    let config = ModelConfig::from(config);
    let model = config.init(&device);
    let want = Want {
        attention: true,
        features: true,
    };
    let maps = model.run(battery::input(&config, 4, 1, &device), want).maps;
    assert_eq!((maps.attention.len(), maps.masks.len()), (2, 2));
    let mut sum = vec![0.0; 4 * 5];
    for (map, mask) in maps.attention.iter().zip(&maps.masks) {
        let [rows, heads, queries, tokens] = map.dims();
        let values: Vec<f64> = map.to_data().iter().collect();
        let of_cls = |row: usize, head: usize, token: usize| {
            values[((row * heads + head) * queries) * tokens + token]
        };
        let mask: Vec<f64> = mask.to_data().iter().collect();
        for row in 0..rows {
            for feature in 0..5 {
                let all: f64 = (0..heads).map(|head| of_cls(row, head, feature + 1)).sum();
                let mean = all / heads as f64;
                assert!((mask[row * 5 + feature] - mean).abs() < 1e-6);
                sum[row * 5 + feature] += mean / 2.0;
            }
        }
    }
    let data = forge_nn::burn::tensor::TensorData::new(sum.clone(), [4, 5]);
    let expected = Tensor::<2>::from_data(data.convert::<f32>(), &device).into_data();
    let importance = maps.importance.unwrap().into_data();
    importance.assert_approx_eq::<f32>(&expected, Tolerance::absolute(1e-6));
    // CLS looks at itself too.
    assert!(sum.chunks(5).all(|row| row.iter().sum::<f64>() < 1.0));
}

#[test]
fn nothing_is_shown_that_was_not_wanted() {
    let device = Device::flex();
    let subjects = battery::subjects().into_iter();
    for config in subjects.filter(|config| config.name() == "ft_transformer") {
        let want = Want {
            attention: false,
            features: true,
        };
        let model = config.init(&device);
        let maps = model.run(battery::input(&config, 4, 1, &device), want).maps;
        assert!(maps.attention.is_empty() && maps.importance.is_some());
    }
}
