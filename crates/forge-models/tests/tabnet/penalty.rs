//! The sparsity penalty.

use forge_models::{TabNetConfig, TabularConfig, TabularInput, TabularSpec};
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{Forward, ModuleConfig, Network, StateDict, Want};
use forge_testkit::Noise;

const TABLE: TabularSpec = TabularSpec {
    n_num_features: 5,
    cat_cardinalities: vec![],
    d_out: 1,
};

fn config(lambda_sparse: f64) -> TabNetConfig {
    TabNetConfig {
        lambda_sparse,
        ..TabNetConfig::default()
    }
    .sized_for(&TABLE)
    .unwrap()
}

/// The same weights with another factor.
fn run(lambda_sparse: f64) -> Forward {
    let device = Device::flex();
    device.seed(3);
    let state = StateDict::from_module(&config(1.0).init(&device)).unwrap();
    let model = state
        .load_into(config(lambda_sparse).init(&device))
        .unwrap();
    let x = Tensor::from_data(Noise::new(1).tensor(&[11, 5]).convert::<f32>(), &device);
    let want = Want {
        features: true,
        ..Want::PREDICTIONS
    };
    model.run(TabularInput::numeric(x), want)
}

#[test]
fn the_penalty_is_the_masks_entropy_times_its_factor() {
    let forward = run(0.5);
    let masks: Vec<f64> = forward
        .maps
        .masks
        .iter()
        .flat_map(|mask| mask.to_data().iter::<f64>().collect::<Vec<_>>())
        .collect();
    let rows = (forward.maps.masks.len() * 11) as f64;
    let entropy: f64 = masks.iter().map(|m| -m * (m + 1e-15).ln()).sum::<f64>() / rows;
    // Not negative, and least where the masks are sparsest: added to a loss it makes them so.
    assert!(entropy > 0.1, "{entropy}");
    let penalty = forward.penalty.unwrap().into_scalar::<f32>();
    assert!(
        (f64::from(penalty) - 0.5 * entropy).abs() < 1e-6,
        "{penalty}"
    );
}

#[test]
fn without_a_factor_there_is_no_penalty_and_the_same_prediction() {
    let (with, without) = (run(0.5), run(0.0));
    assert!(without.penalty.is_none());
    assert_eq!(with.y.into_data(), without.y.into_data());
}

#[test]
fn a_default_factor_is_not_written_and_another_is() {
    let json = |lambda| serde_json::to_string(&config(lambda)).unwrap();
    assert!(!json(1e-3).contains("lambda_sparse"));
    assert!(json(2e-3).contains("\"lambda_sparse\":0.002"));
}
