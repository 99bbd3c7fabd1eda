//! What a model shows of its inside.

use burn::tensor::Device;
use forge_models::SeriesModelConfig;
use forge_nn::{ModuleConfig, Network, Want};

use crate::battery::Subject;
use crate::battery::maps::attention_is_weights;
use crate::battery::values::{assert_close, values};

const WINDOWS: usize = 5;

/// Maps that are declared and wanted are there: finite, not negative, attention summing to 1; they
/// change no forecast, and nothing comes unasked. Weights of variables over time sum to 1 over the
/// variables.
///
/// # Panics
/// If not.
pub fn maps_of_windows_are_returned(config: &SeriesModelConfig, device: &Device) {
    let (model, declared) = (config.init(device), config.capabilities());
    let run = |want| model.run(config.given(WINDOWS, 1, device), want);
    let plain = run(Want::PREDICTIONS);
    let none = plain.maps.attention.is_empty()
        && plain.maps.masks.is_empty()
        && plain.maps.variables.is_empty()
        && plain.maps.importance.is_none();
    assert!(none, "{config:?}: maps that nobody asked for");
    let wanted = run(Want {
        attention: declared.attention_maps,
        features: declared.feature_masks,
    });
    let title = format!("{config:?}: forecasts with maps");
    assert_close(&title, &values(wanted.y), &values(plain.y), 1e-5, 0.0);
    let there = !wanted.maps.attention.is_empty();
    assert_eq!(there, declared.attention_maps, "{config:?}: attention maps");
    attention_is_weights(&format!("{config:?}"), wanted.maps.attention);
    let masks = wanted.maps.masks.into_iter().chain(wanted.maps.importance);
    let masks: Vec<_> = masks.collect();
    let there = !masks.is_empty() || !wanted.maps.variables.is_empty();
    assert_eq!(
        there, declared.feature_masks,
        "{config:?}: weights of variables"
    );
    for mask in masks {
        assert_eq!(mask.dims()[0], WINDOWS, "{config:?}: weights of variables");
        let good = values(mask).iter().all(|x| x.is_finite() && *x >= 0.0);
        assert!(good, "{config:?}: weights of variables");
    }
    for map in wanted.maps.variables {
        assert_eq!(map.weights.dims()[0], WINDOWS, "{config:?}: {}", map.name);
        let title = format!("{config:?}: {}", map.name);
        attention_is_weights(&title, vec![map.weights.unsqueeze_dim(1)]);
    }
}
