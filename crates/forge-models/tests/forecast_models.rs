//! What is particular to single forecasting models.

use forge_models::{
    FitsConfig, ForecastConfig, MambaForecasterConfig, ModernTcnForecasterConfig, ParameterCount,
    PatchHead, PatchTstConfig, SeriesModelConfig, SeriesSpec, SparseTsfConfig, TimeMixerConfig,
};
use forge_nn::burn::module::Module;
use forge_nn::burn::tensor::{Device, Tensor};
use forge_nn::{ModuleConfig, Network, StateDict, Want};
use forge_testkit::Noise;

fn windows(lookback: usize) -> SeriesSpec {
    SeriesSpec {
        lookback,
        horizon: 3,
        n_targets: 2,
        ..SeriesSpec::default()
    }
}

fn past(batch: usize, lookback: usize, device: &Device) -> Tensor<3> {
    let values = Noise::new(3).tensor(&[batch, lookback, 2]).convert::<f32>();
    Tensor::from_data(values, device)
}

#[test]
fn windows_shorter_than_a_patch_are_refused_by_name() {
    for name in ["patch_tst", "mamba", "modern_tcn"] {
        let config = SeriesModelConfig::named(name).unwrap();
        let error = config.sized_for(&windows(3)).err().unwrap();
        let text = error.to_string();
        assert!(
            error.is_config() && text.contains("stride"),
            "{name}: {text}"
        );
    }
    let config = PatchTstConfig {
        patch_len: 21,
        ..PatchTstConfig::default()
    };
    let error = config.sized_for(&windows(12)).err().unwrap().to_string();
    let all = ["patch_len", "21", "20", "lookback = 12"];
    assert!(all.iter().all(|part| error.contains(part)), "{error}");
}

#[test]
fn short_windows_have_fewer_scales() {
    let config = TimeMixerConfig::default().sized_for(&windows(5)).unwrap();
    assert_eq!(config.down_sampling_layers, 2);
    assert!(config.validate().is_ok());
    let error = TimeMixerConfig {
        down_sampling_layers: 3,
        ..config
    };
    let error = error.validate().err().unwrap().to_string();
    let all = ["down_sampling_layers", "at most 2"];
    assert!(all.iter().all(|part| error.contains(part)), "{error}");
    let error = TimeMixerConfig::default()
        .sized_for(&windows(1))
        .err()
        .unwrap();
    assert!(error.to_string().contains("lookback"), "{error}");
}

#[test]
fn merged_kernels_forecast_the_same() {
    let device = Device::flex();
    let config = ModernTcnForecasterConfig::narrow();
    let model = config.sized_for(&windows(20)).unwrap();
    let train = model.init(&device.clone().autodiff());
    // So that the running statistics are no longer those of the start.
    train.forward(past(9, 20, &device.clone().autodiff()).into());
    let model = train.valid();
    let apart = model.forward(past(4, 20, &device).into());
    let merged = model.merged().forward(past(4, 20, &device).into());
    let difference = (apart - merged).abs().max().into_scalar::<f32>();
    assert!(difference < 1e-5, "{difference}");
}

#[test]
fn a_causal_backbone_is_read_at_its_last_patch_or_whole() {
    let device = Device::flex();
    let last = MambaForecasterConfig::narrow()
        .sized_for(&windows(20))
        .unwrap();
    let whole = MambaForecasterConfig {
        head: Some(PatchHead::Flatten),
        ..last.clone()
    };
    for config in [last, whole] {
        let y = config.init(&device).forward(past(4, 20, &device).into());
        assert_eq!(y.dims(), [4, 6]);
    }
}

#[test]
fn attention_is_between_variables_in_one_and_between_patches_in_the_other() {
    let device = Device::flex();
    let want = Want {
        attention: true,
        features: false,
    };
    // Patches of 5 every 3 steps, one more behind the window: 7 of 20 steps.
    for (name, shape) in [("itransformer", [4, 2, 2, 2]), ("patch_tst", [8, 2, 7, 7])] {
        let config = SeriesModelConfig::narrow(name).unwrap();
        let model = config.sized_for(&windows(20)).unwrap().init(&device);
        let maps = model.run(past(4, 20, &device).into(), want).maps;
        assert_eq!(maps.attention.len(), 2, "{name}");
        assert_eq!(maps.attention[0].dims(), shape, "{name}");
    }
}

/// The season of the data is the period; one that a window does not have twice is not, nor is a window of
/// fewer than two steps one of frequencies.
#[test]
fn a_season_that_fits_is_the_period() {
    let sized = |lookback, season| {
        let windows = SeriesSpec {
            season,
            ..windows(lookback)
        };
        SparseTsfConfig::default().sized_for(&windows).unwrap()
    };
    let device = Device::flex();
    // Kernel of 1 + 2 (period / 2), and a weight for each past period and period ahead.
    for (lookback, season, numbers) in [
        (48, Some(5), 5 + 9),
        (48, None, 25 + 2),
        (48, Some(30), 5 + 12),
        (3, Some(7), 3 + 1),
    ] {
        let config = sized(lookback, season);
        assert_eq!(config.parameter_count(), numbers, "{lookback} {season:?}");
        let y = config
            .init(&device)
            .forward(past(2, lookback, &device).into());
        assert_eq!(y.dims(), [2, 6]);
    }
    let config = SparseTsfConfig {
        period_len: Some(49),
        ..sized(48, None)
    };
    let error = config.validate().err().unwrap().to_string();
    let all = ["period_len", "49", "48"];
    assert!(all.iter().all(|part| error.contains(part)), "{error}");

    let kept = |lookback, season| {
        let windows = SeriesSpec {
            season,
            ..windows(lookback)
        };
        FitsConfig::default().sized_for(&windows).unwrap()
    };
    // Ten and six for each season and one more, as they stand in the authors' script; at most half.
    let numbers = |kept: usize, all: usize| 2 * (kept + 1) * all;
    for (lookback, season, frequencies) in
        [(360, None, 106), (360, Some(7), 180), (360, Some(52), 52)]
    {
        let all = frequencies * (lookback + 3) / lookback;
        let found = kept(lookback, season).parameter_count();
        assert_eq!(found, numbers(frequencies, all), "{season:?}");
    }
    let error = kept(1, None).validate().err().unwrap().to_string();
    assert!(error.contains("lookback"), "{error}");
    let config = FitsConfig {
        cut_freq: Some(25),
        ..kept(48, None)
    };
    let error = config.validate().err().unwrap().to_string();
    let all = ["cut_freq", "25", "24"];
    assert!(all.iter().all(|part| error.contains(part)), "{error}");
}

/// A horizon that is no multiple of the period is cut from one that is, and what a window has beyond
/// whole periods is its beginning.
#[test]
fn periods_are_counted_from_the_last_step() {
    let device = Device::flex();
    let sized = |lookback, horizon| SparseTsfConfig {
        period_len: Some(4),
        windows: SeriesSpec {
            horizon,
            ..windows(lookback)
        },
        ..SparseTsfConfig::default()
    };
    let (whole, odd) = (sized(12, 8).init(&device), sized(14, 6).init(&device));
    let odd = StateDict::from_module(&whole)
        .unwrap()
        .load_into(odd)
        .unwrap();
    // Two steps more before the window, such that its mean and the zeros before it stay what they were.
    let later = past(2, 12, &device);
    let later = later.clone() - later.mean_dim(1);
    let earlier = Tensor::zeros([2, 2, 2], &device);
    let longer = Tensor::cat(vec![earlier, later.clone()], 1);
    let expected = whole.forward(later.into()).narrow(1, 0, 12);
    let found = odd.forward(longer.into());
    let off = (found - expected).abs().max().into_scalar::<f32>();
    assert!(off < 1e-6, "{off}");
}
