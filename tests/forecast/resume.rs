//! Runs that were stopped.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::DeviceName;
use volatilityforge::data::BarMarketConfig;
use volatilityforge::forecast::run::{ForecastRun, ForecastRunConfig, ForecastRunOptions};

fn config() -> ForecastRunConfig {
    let mut config = ForecastRunConfig::demo();
    config.synthetic = BarMarketConfig {
        stocks: 2,
        days: 200,
        ..BarMarketConfig::default()
    };
    config.forecaster.lookback = Some(16);
    config.forecaster.training.epochs = Some(3);
    config.forecaster.adaptive = Some(Default::default());
    config.forecaster.features = Some("technical_25".parse().unwrap());
    config.baselines = false;
    config
}

/// Runs; stops once a line begins with `until`, or goes on with what is there. Whether it came to its end.
fn run(config: &ForecastRunConfig, out: &Path, resume: bool, until: Option<&str>) -> bool {
    let device = DeviceName::Flex.open().unwrap();
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    let options = ForecastRunOptions {
        resume,
        stop,
        hear: Box::new(move |line| {
            if until.is_some_and(|until| line.starts_with(until)) {
                flag.store(true, Ordering::Relaxed);
            }
        }),
        ..ForecastRunOptions::new(out)
    };
    let run = ForecastRun::new(config.clone()).unwrap();
    run.run(&device, options).unwrap().is_some()
}

#[test]
fn a_stopped_run_ends_with_the_same_bits() {
    let folder = tempfile::tempdir().unwrap();
    let (whole, parts) = (folder.path().join("whole"), folder.path().join("parts"));
    let config = config();
    assert!(run(&config, &whole, false, None));
    // In the first model, then in the second, then to the end.
    assert!(!run(&config, &parts, false, Some("synthetic")));
    assert!(!parts.join("metrics.json").exists());
    assert!(!run(&config, &parts, true, Some("nlinear:")));
    let stored = ForecastRunConfig::of_run(&parts).unwrap();
    assert_eq!(stored, config);
    assert!(run(&stored, &parts, true, None));
    for file in ["model.safetensors", "forecasts.csv", "config.toml"] {
        let bytes = |folder: &Path| fs::read(folder.join(file)).unwrap();
        assert!(bytes(&whole) == bytes(&parts), "{file}");
    }
}

#[test]
fn a_model_that_diverges_does_not_take_the_others_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let mut config = config();
    let diverges = r#"{"model": "ttt_linear", "backbone": {"ttt_base_lr": 1e38}}"#;
    config.models = vec![serde_json::from_str(diverges).unwrap(), "nlinear".into()];
    let attempt = |config: &ForecastRunConfig, name: &str| {
        let options = ForecastRunOptions::new(folder.path().join(name));
        ForecastRun::new(config.clone())
            .unwrap()
            .run(&device, options)
    };
    let summary = attempt(&config, "both").unwrap().unwrap();
    assert_eq!(summary.best, "nlinear");
    assert_eq!(summary.leaderboard.len(), 1);
    let told = |note: &&String| note.contains("ttt_linear is not among the models");
    assert_eq!(
        summary.notes.iter().filter(told).count(),
        1,
        "{:?}",
        summary.notes
    );

    // Alone it is the run's error.
    config.models.pop();
    let error = attempt(&config, "alone").unwrap_err();
    assert!(error.is_training(), "{error}");
}

#[test]
fn what_cannot_be_resumed_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("run");
    let device = DeviceName::Flex.open().unwrap();
    let config = config();
    let attempt = |config: &ForecastRunConfig, resume: bool| {
        let options = ForecastRunOptions {
            resume,
            ..ForecastRunOptions::new(&out)
        };
        let run = ForecastRun::new(config.clone())?;
        run.run(&device, options).map(|_| ())
    };
    let error = attempt(&config, true).unwrap_err().to_string();
    assert!(
        error.contains("resume") && error.contains("no such folder"),
        "{error}"
    );
    // Refused before the first step: nothing is left.
    let mut bad = config.clone();
    bad.forecaster.lookback = Some(1_000);
    assert!(attempt(&bad, false).is_err() && !out.exists());
    assert!(!run(&config, &out, false, Some("synthetic")));
    let error = attempt(&config, false).unwrap_err().to_string();
    assert!(error.contains("holds a run"), "{error}");
    let mut other = config.clone();
    other.forecaster.lookback = Some(20);
    let error = attempt(&other, true).unwrap_err().to_string();
    assert!(error.contains("lookback"), "{error}");
}
