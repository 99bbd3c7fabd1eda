//! What a model shows of its inside.

use burn::tensor::{Device, Tensor};
use forge_models::ModelConfig;
use forge_nn::{ModuleConfig, Network, Want};

use super::table::input;
use super::values::{assert_close, values};

const ROWS: usize = 5;

/// Maps that are declared and wanted are there: finite, not negative, of their documented shapes,
/// attention summing to 1; they change no prediction, and nothing comes unasked. A declared penalty
/// is a finite number on the graph.
///
/// # Panics
/// If not.
pub fn declared_maps_are_returned(config: &ModelConfig, device: &Device) {
    let (model, spec) = (config.init(device), config.spec());
    let capabilities = config.capabilities();
    let run = |want| model.run(input(config, ROWS, 1, device), want);
    let plain = run(Want::PREDICTIONS);
    let none = plain.maps.attention.is_empty()
        && plain.maps.masks.is_empty()
        && plain.maps.importance.is_none();
    assert!(none, "{config:?}: maps that nobody asked for");
    let wanted = run(Want {
        attention: capabilities.attention_maps,
        features: capabilities.feature_masks,
    });
    let title = format!("{config:?}: predictions with maps");
    assert_close(&title, &values(wanted.y), &values(plain.y), 1e-5, 0.0);
    assert_eq!(
        wanted.maps.attention.is_empty(),
        !capabilities.attention_maps,
        "{config:?}: attention maps"
    );
    attention_is_weights(&format!("{config:?}"), wanted.maps.attention);
    let features = spec.n_num_features + spec.cat_cardinalities.len();
    assert_eq!(
        (
            !wanted.maps.masks.is_empty(),
            wanted.maps.importance.is_some()
        ),
        (capabilities.feature_masks, capabilities.feature_masks),
        "{config:?}: feature masks"
    );
    for mask in wanted.maps.masks.into_iter().chain(wanted.maps.importance) {
        assert_eq!(mask.dims(), [ROWS, features], "{config:?}: feature mask");
        let mask = values(mask);
        assert!(
            mask.iter().all(|x| x.is_finite() && *x >= 0.0),
            "{config:?}"
        );
    }

    let device = device.clone().autodiff();
    let forward = config
        .init(&device)
        .run(input(config, ROWS, 1, &device), Want::PREDICTIONS);
    assert_eq!(
        forward.penalty.is_some(),
        capabilities.penalty,
        "{config:?}: penalty"
    );
    if let Some(penalty) = forward.penalty {
        assert_eq!(penalty.dims(), [1], "{config:?}: penalty");
        assert!(
            penalty.is_tracked(),
            "{config:?}: the penalty is not on the graph"
        );
        assert!(values(penalty)[0].is_finite(), "{config:?}: penalty");
    }
}

/// Each map is not negative and sums to 1 over the keys.
pub(super) fn attention_is_weights(title: &str, maps: Vec<Tensor<4>>) {
    for map in maps {
        let [_, heads, queries, keys] = map.dims();
        assert!(heads > 0 && queries > 0 && keys > 0, "{title}");
        assert!(values(map.clone()).iter().all(|x| *x >= 0.0), "{title}");
        let sums = values(map.sum_dim(3));
        let ones = vec![1.0; sums.len()];
        assert_close(&format!("{title}: attention"), &sums, &ones, 1e-5, 0.0);
    }
}
