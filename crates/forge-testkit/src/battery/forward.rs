//! What comes out.

use burn::module::Module;
use burn::tensor::Device;
use forge_models::{ModelConfig, RowContext};
use forge_nn::{Forward, ModuleConfig, Network, Want};

use super::table::{context, input};
use super::values::{assert_close, values};
use super::{Given, Subject};

const ROWS: usize = 7;
const WANT: Want = Want::PREDICTIONS;

/// Output `[B, D_out]`, finite, in training and in eval mode, and for one sample; the mean of its
/// members, where the model has several.
///
/// # Panics
/// If it is not.
pub fn documented_shape<S: Subject>(config: &S, device: &Device) {
    let d_out = config.d_out();
    let train = config.init(&device.clone().autodiff());
    let eval = train.valid();
    for (model, device, rows) in [
        (&train, device.clone().autodiff(), ROWS),
        (&eval, device.clone(), ROWS),
        (&eval, device.clone(), 1),
    ] {
        let Forward { y, members, .. } = model.run(config.given(rows, 1, &device), WANT);
        assert_eq!(y.dims(), [rows, d_out], "{config:?}");
        if let Some(members) = members {
            let [of_rows, k, width] = members.dims();
            assert_eq!([of_rows, width], [rows, d_out], "{config:?}: members");
            let mean = values(members.sum_dim(1) / k as f32);
            assert_close(
                &format!("{config:?}: members"),
                &mean,
                &values(y.clone()),
                1e-5,
                0.0,
            );
        }
        assert!(
            values(y).iter().all(|y| y.is_finite()),
            "{config:?}: output is not finite"
        );
    }
}

/// In eval mode the same input gives the same bits; in training mode a model whose config has a
/// dropout gives others each time, so that the first half means something.
///
/// # Panics
/// If they do not.
pub fn eval_is_deterministic<S: Subject>(config: &S, device: &Device) {
    let train = config.init(&device.clone().autodiff());
    let eval = train.valid();
    let run = || eval.forward(config.given(ROWS, 1, device)).into_data();
    assert_eq!(run(), run(), "{config:?}: eval mode is not deterministic");
    let run = || {
        train
            .forward(config.given(ROWS, 1, &device.clone().autodiff()))
            .into_data()
    };
    if !serde_json::to_string(config).is_ok_and(|json| json.contains("dropout")) {
        return;
    }
    assert_ne!(
        run(),
        run(),
        "{config:?}: the narrow config has no dropout to switch off"
    );
}

/// Permuting the samples permutes the outputs, and nothing else, for models that see rows apart and
/// for those that see them together.
///
/// # Panics
/// If it does more.
pub fn order_only_permutes<S: Subject>(config: &S, device: &Device) {
    let model = config.init(device);
    let input = config.with_gaps(config.given(ROWS, 1, device));
    let order = [3, 0, 6, 1, 5, 2, 4];
    let permuted = values(model.forward(S::take(&input, &order)));
    let y = values(model.forward(input));
    let width = config.d_out();
    let expected: Vec<f64> = order
        .iter()
        .flat_map(|row| y[row * width..][..width].to_vec())
        .collect();
    assert_close(&format!("{config:?}"), &permuted, &expected, 1e-5, 0.0);
}

/// A row's output does not depend on its neighbours, or does where the model declares it; then it
/// does not once there are fixed rows to look at.
///
/// # Panics
/// If it is the other way round.
pub fn rows_stand_alone(config: &ModelConfig, device: &Device) {
    let model = config.init(device);
    let capabilities = config.capabilities();
    let given = input(config, ROWS, 1, device);
    let alone = apart::<ModelConfig>(&model, &given);
    let together = values(model.forward(given.clone()));
    if capabilities.rows == RowContext::Neighbours {
        let differ = alone
            .iter()
            .zip(&together)
            .any(|(a, b)| (a - b).abs() > 1e-4);
        assert!(
            differ,
            "{config:?} declares neighbours, but rows stand alone"
        );
        let given = given.with_context(context(&config.spec(), capabilities, device));
        let fixed = values(model.forward(given.clone()));
        let alone = apart::<ModelConfig>(&model, &given);
        assert_close(&format!("{config:?}"), &alone, &fixed, 1e-5, 0.0);
        let differ = fixed
            .iter()
            .zip(&together)
            .any(|(a, b)| (a - b).abs() > 1e-4);
        assert!(differ, "{config:?}: the context does not matter");
    } else {
        assert_close(&format!("{config:?}"), &alone, &together, 1e-5, 0.0);
    }
}

/// A window's forecast does not depend on the others in its batch, in eval mode.
///
/// # Panics
/// If it does.
pub fn samples_stand_alone<S: Subject>(config: &S, device: &Device) {
    let model = config.init(device);
    let given = config.with_gaps(config.given(ROWS, 1, device));
    let alone = apart::<S>(&model, &given);
    let together = values(model.forward(given));
    assert_close(&format!("{config:?}"), &alone, &together, 1e-5, 0.0);
}

/// The outputs for each sample alone, one after the other.
fn apart<S: Subject>(model: &S::Module, given: &Given<S>) -> Vec<f64> {
    let alone = |row| values(model.forward(S::take(given, &[row])));
    (0..ROWS).flat_map(alone).collect()
}
