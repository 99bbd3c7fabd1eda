//! Periodic embeddings of numbers, by hand. The models that have them compare values and gradients
//! with the authors' code.

use std::f64::consts::TAU;

use forge_nn::burn::module::Param;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ModuleConfig, PlrEmbeddingsConfig};

/// One map for all numbers or one for each: waves of the own frequencies, the cosines first.
#[test]
fn waves_are_mixed_and_cut_at_zero() {
    let device = Device::flex();
    for lite in [true, false] {
        let config = PlrEmbeddingsConfig::new(2, 3, 0.5, 5).with_lite(lite);
        let mut layer = config.init(&device);
        let frequencies = [[0.1, 0.2, 0.3], [-0.4, 0.5, 0.6]];
        layer.frequencies = Param::from_data(frequencies, &device);
        let (weight, bias) = match &layer.linear {
            forge_nn::PlrMap::Shared(map) => (
                map.weight.val().unsqueeze::<3>().repeat_dim(0, 2),
                map.bias
                    .as_ref()
                    .unwrap()
                    .val()
                    .unsqueeze::<2>()
                    .repeat_dim(0, 2),
            ),
            forge_nn::PlrMap::Own(maps) => (maps.weight.val(), maps.bias.val()),
        };
        let weight: Vec<f64> = weight.into_data().iter().collect();
        let bias: Vec<f64> = bias.into_data().iter().collect();
        let x = [[0.7, -1.3], [0.0, 2.0], [-3.0, 0.4]];
        let y = layer.forward(Tensor::<2>::from_data(x, &device));
        assert_eq!(y.dims(), [3, 2, 5]);
        let y: Vec<f64> = y.into_data().iter().collect();
        for (row, x) in x.iter().enumerate() {
            for (feature, x) in x.iter().enumerate() {
                let angles = frequencies[feature].map(|w: f64| TAU * w * x);
                let waves = angles.map(f64::cos).into_iter().chain(angles.map(f64::sin));
                let waves: Vec<f64> = waves.collect();
                for out in 0..5 {
                    let of_wave = |wave: usize| weight[(feature * 6 + wave) * 5 + out];
                    let sum: f64 = (0..6).map(|wave| waves[wave] * of_wave(wave)).sum();
                    let expected = (sum + bias[feature * 5 + out]).max(0.0);
                    let found = y[(row * 2 + feature) * 5 + out];
                    assert!(
                        (found - expected).abs() < 1e-5,
                        "lite {lite}: {found} {expected}"
                    );
                }
            }
        }
    }
}

#[test]
fn sizes_and_counts_are_checked() {
    for (config, field) in [
        (PlrEmbeddingsConfig::new(0, 3, 0.5, 5), "n_features"),
        (PlrEmbeddingsConfig::new(2, 0, 0.5, 5), "n_frequencies"),
        (
            PlrEmbeddingsConfig::new(2, 3, f64::NAN, 5),
            "frequency_scale",
        ),
        (PlrEmbeddingsConfig::new(2, 3, 0.5, 0), "d_embedding"),
    ] {
        let error = config.validate().unwrap_err().to_string();
        assert!(error.contains(field), "{error}");
    }
    let counts = [true, false].map(|lite| {
        let config = PlrEmbeddingsConfig::new(2, 3, 0.5, 5);
        config.with_lite(lite).parameter_count()
    });
    assert_eq!(counts, [6 + 35, 6 + 70]);
}
