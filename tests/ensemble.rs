//! Fits of several networks whose predictions are averaged.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use volatilityforge::data::{Split, SplitConfig};
use volatilityforge::train::StopReason;
use volatilityforge::train::objective::{Objective, Predictions};
use volatilityforge::{
    DeviceName, Error, EstimatorConfig, FitOptions, FitReport, FittedModel, ModelChoice, Strategy,
    TabularEstimator,
};

use crate::chain::{chain, quick};
use crate::refit::StopAfter;

fn split() -> Split {
    SplitConfig::default().split(&chain(), 0.2).unwrap()
}

fn fit(
    config: EstimatorConfig,
    options: FitOptions<'_>,
) -> Result<(FittedModel, FitReport), Error> {
    let device = DeviceName::Flex.open()?;
    let estimator = TabularEstimator::new("vol").with_config(config)?;
    estimator.fit_split(&chain(), &split(), &device, options)
}

fn settings(model: &str, ensemble: usize) -> EstimatorConfig {
    let mut config = quick(model);
    config.training.epochs = Some(3);
    config.training.seed = 5;
    config.ensemble = ensemble;
    config
}

fn predicted(fitted: &FittedModel) -> Predictions {
    fitted.predictions(&chain()).unwrap()
}

/// What is drawn by a seed is weights, batches, rows looked at, and what augmentation does.
#[test]
fn the_networks_are_fits_of_their_own_seeds() {
    for (model, refit) in [
        ("tabular_mlp", false),
        ("tabular_mlp", true),
        ("modern_nca", false),
    ] {
        let make = |ensemble: usize, network: u64| {
            let mut config = settings(model, ensemble);
            config.training.seed += 1_000 * network;
            config.refit = refit;
            if model == "tabular_mlp" {
                let noise = serde_json::json!({"noise": 0.1});
                config.training.augmentation = Some(serde_json::from_value(noise).unwrap());
            }
            fit(config, FitOptions::default()).unwrap()
        };
        let (ensemble, report) = make(3, 0);
        assert_eq!(ensemble.members().len(), 3, "{model}");
        let mut each = [0, 1, 2].map(|network| make(1, network));
        let singles: Vec<Predictions> = each.iter().map(|(fitted, _)| predicted(fitted)).collect();
        assert!(singles[0] != singles[1] && singles[1] != singles[2]);
        assert_eq!(report.refit.is_some(), refit);
        let epochs: usize = each.iter().map(|(_, report)| report.history.len()).sum();
        assert_eq!(report.history.len(), epochs);
        assert_eq!(report.parameters, each[0].1.parameters);
        let [(first, _), (second, _), (third, _)] = &mut each;
        let by_hand = first.clone().ensemble([second.clone(), third.clone()]);
        let by_hand = by_hand.unwrap();
        assert_eq!(predicted(&ensemble), predicted(&by_hand), "{model}");
        if !refit {
            let scores = by_hand.scores(&chain(), Some(&split().validation)).unwrap();
            assert_eq!(report.scores, Some(scores), "{model}");
        }
    }
}

#[test]
fn each_network_goes_on_after_a_stop_bit_by_bit() {
    let make = |options: FitOptions<'_>| {
        let mut config = settings("tabular_mlp", 2);
        config.refit = true;
        fit(config, options).unwrap()
    };
    let (whole, report) = make(FitOptions::default());
    // The two networks, and both of them a second time; then at the very end of the first.
    for (run, step) in [
        (0, 2),
        (1, 2),
        (2, 1),
        (3, 1),
        (0, report.history.len() as u64),
    ] {
        let folder = tempfile::tempdir().unwrap();
        let flag = Arc::new(AtomicBool::new(false));
        let options = FitOptions {
            observers: vec![Box::new(StopAfter::new(run, step, &flag))],
            checkpoints: Some(folder.path().into()),
            stop: Some(flag),
            ..FitOptions::default()
        };
        let (_, cut) = make(options);
        assert_eq!(cut.stopped, StopReason::Interrupted, "{run} {step}");
        let options = FitOptions {
            checkpoints: Some(folder.path().into()),
            resume: true,
            ..FitOptions::default()
        };
        let (resumed, again) = make(options);
        assert_eq!(predicted(&resumed), predicted(&whole), "{run} {step}");
        assert_eq!(
            (again.refit, again.scores),
            (report.refit, report.scores.clone())
        );
        for of_second in ["", "refit"] {
            let second = folder.path().join(of_second).join("member_1");
            assert!(second.is_dir(), "{}", second.display());
        }
    }
}

#[test]
fn a_threshold_is_chosen_for_all_networks_together() {
    let mut config = settings("tabular_mlp", 3);
    config.objective =
        Some(serde_json::from_str(r#"{"name": "binary", "threshold": "f1"}"#).unwrap());
    let estimator = TabularEstimator::new("option_type");
    let estimator = estimator.with_config(config).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let fit = estimator.fit_split(&chain(), &split(), &device, FitOptions::default());
    let (fitted, _) = fit.unwrap();
    let rows = &split().validation;
    let targets = fitted.targets_of(&chain(), Some(rows)).unwrap();
    let mut alone = fitted.objective().clone();
    let says = fitted.predictions_rows(&chain(), Some(rows)).unwrap();
    alone.tune(&says, &targets).unwrap();
    assert_eq!(&alone, fitted.objective());
}

#[test]
fn what_cannot_be_several_networks_is_refused() {
    for networks in [0, 101] {
        let error = settings("tabular_mlp", networks).validate().unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("ensemble") && error.contains("1 to 100"),
            "{error}"
        );
    }
    let weights = EstimatorConfig {
        model: ModelChoice::pretrained("tabpfn_v1", "weights.safetensors"),
        ensemble: 2,
        ..EstimatorConfig::default()
    };
    let error = weights.validate().unwrap_err().to_string();
    assert!(
        error.contains("ensemble") && error.contains("training.epochs"),
        "{error}"
    );
    let replay = serde_json::from_str(r#"{"name": "replay", "memory": 50}"#).unwrap();
    let error = TabularEstimator::new("vol")
        .with_config(settings("tabular_mlp", 2))
        .unwrap()
        .continual(replay, "option_type")
        .fit(&chain(), &DeviceName::Flex.open().unwrap())
        .unwrap_err();
    assert!(error.to_string().contains("ensemble"), "{error}");
}

/// Settings that were written before there were ensembles are whole.
#[test]
fn one_network_is_not_written_down() {
    let config = EstimatorConfig::named("tabm", Strategy::Fast).unwrap();
    let text = toml::to_string(&config).unwrap();
    assert!(
        !text.contains("ensemble") && !text.contains("refit"),
        "{text}"
    );
    let several = EstimatorConfig {
        ensemble: 4,
        refit: true,
        ..config
    };
    let text = toml::to_string(&several).unwrap();
    assert_eq!(toml::from_str::<EstimatorConfig>(&text).unwrap(), several);
}
