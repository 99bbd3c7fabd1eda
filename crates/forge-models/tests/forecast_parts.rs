//! What forecasting models show of themselves, and windows that they cannot have.

use forge_models::{
    ForecastConfig, ForecastModel, NHitsConfig, SeriesInput, SeriesSpec, StockFormerConfig,
    StockFormerStudentConfig, TftConfig,
};
use forge_nn::burn::tensor::{Device, Distribution, Tensor};
use forge_nn::{ModuleConfig, Want};

fn windows() -> SeriesSpec {
    SeriesSpec {
        lookback: 12,
        horizon: 5,
        n_past: 2,
        n_outputs: 2,
        ..SeriesSpec::default()
    }
}

fn input(device: &Device) -> SeriesInput {
    let noise = |shape: [usize; 3]| Tensor::random(shape, Distribution::Default, device);
    SeriesInput {
        past_covariates: Some(noise([3, 12, 2])),
        ..noise([3, 12, 1]).into()
    }
}

#[test]
fn blocks_add_up_to_the_forecast() {
    let device = Device::flex();
    device.seed(1);
    let config = NHitsConfig::narrow().sized_for(&windows()).unwrap();
    let model = config.init(&device);
    let given = input(&device);
    let parts = model.decomposition(given.clone());
    assert_eq!(parts.dims(), [3, 4, 5, 2]);
    let last = given.past.clone().narrow(1, 11, 1).expand([3, 5, 2]);
    let level = parts.clone().narrow(1, 0, 1).squeeze_dim::<3>(1);
    assert_eq!(level.into_data(), last.into_data());
    let sum = parts.sum_dim(1).squeeze_dim::<3>(1);
    let y = model.try_forecast(given).unwrap().squeeze_dim::<3>(2);
    let off = (sum - y).abs().max().into_scalar::<f32>();
    assert!(off < 1e-5, "off by {off}");
}

#[test]
fn weights_of_variables_are_named_and_time_stands_in_for_what_is_known() {
    let device = Device::flex();
    let config = TftConfig::narrow().sized_for(&windows()).unwrap();
    let model = config.init(&device);
    let want = Want {
        features: true,
        ..Want::PREDICTIONS
    };
    let shown = model.try_run(input(&device), want).unwrap().maps.variables;
    let shapes: Vec<_> = shown
        .iter()
        .map(|map| (map.name, map.weights.dims()))
        .collect();
    // Two covariates, time, the target; time alone ahead.
    assert_eq!(shapes, [("past", [3, 12, 4]), ("future", [3, 5, 1])]);
    let ahead = shown[1].weights.clone().into_data();
    assert!(ahead.iter::<f32>().all(|weight| weight == 1.0));
}

#[test]
fn the_order_of_what_is_observed_is_that_of_the_weights() {
    let device = Device::flex();
    let sized = |targets_first| {
        let narrow = TftConfig {
            targets_first,
            ..TftConfig::narrow()
        };
        narrow.sized_for(&windows()).unwrap().init(&device)
    };
    device.seed(2);
    let last = sized(false);
    device.seed(2);
    let first = sized(true);
    let given = input(&device);
    let y = |model: &forge_models::Tft| model.try_forecast(given.clone()).unwrap().into_data();
    assert_ne!(y(&last), y(&first));
}

#[test]
fn a_look_back_shorter_than_a_patch_is_refused_by_name() {
    let short = SeriesSpec {
        lookback: 3,
        ..windows()
    };
    let errors = [
        StockFormerConfig::narrow().sized_for(&short).err(),
        StockFormerStudentConfig::narrow().sized_for(&short).err(),
    ];
    for error in errors {
        let error = error.unwrap();
        assert!(
            error.is_config() && error.to_string().contains("patch_len"),
            "{error}"
        );
    }
    // Steps before the first whole patch are left out.
    let device = Device::flex();
    let odd = SeriesSpec {
        lookback: 13,
        n_past: 0,
        ..windows()
    };
    let config = StockFormerStudentConfig::narrow().sized_for(&odd).unwrap();
    let model = config.init(&device);
    let past = Tensor::<3>::random([2, 13, 1], Distribution::Default, &device);
    let changed = past
        .clone()
        .slice_assign([0..2, 0..1, 0..1], Tensor::zeros([2, 1, 1], &device));
    let y = |past: Tensor<3>| model.try_forecast(past.into()).unwrap().into_data();
    assert_eq!(y(past), y(changed));
}
