//! Forecasters that learn from forecasters.

use std::path::Path;

use volatilityforge::DeviceName;
use volatilityforge::data::BarMarketConfig;
use volatilityforge::forecast::run::{
    ForecastRun, ForecastRunConfig, ForecastRunOptions, RunTeacher,
};
use volatilityforge::forecast::{FittedForecaster, ForecastTeacher, Forecaster, ForecasterConfig};
use volatilityforge::train::loss::Distillation;

use super::{quick, waves};

fn fit(config: ForecasterConfig, n: usize) -> FittedForecaster {
    let device = DeviceName::Flex.open().unwrap();
    Forecaster::with_config(config)
        .unwrap()
        .fit(&waves(n), &device)
        .unwrap()
}

fn student() -> ForecasterConfig {
    let mut config = quick();
    config.model = "dlinear".into();
    config.lookback = Some(21);
    config.conformal = false;
    config
}

#[test]
fn a_student_comes_nearer_to_its_teacher_than_one_without() {
    let device = DeviceName::Flex.open().unwrap();
    let table = waves(200);
    let mut config = quick();
    config.conformal = false;
    // A teacher that says something else than the targets: the week upside down is not in them.
    config.training.epochs = Some(1);
    let teacher = fit(config, 200);
    let how = Distillation {
        weight: 1.0,
        ..Distillation::default()
    };
    let lesson = ForecastTeacher {
        model: &teacher,
        how,
    };
    let forecaster = Forecaster::with_config(student()).unwrap();
    let taught = forecaster.distill(lesson, &table, &device).unwrap();
    let alone = forecaster.fit(&table, &device).unwrap();
    let said = |of: &FittedForecaster| of.predict(&table).unwrap().windows;
    let wanted = said(&teacher);
    let far = |of: &FittedForecaster| -> f64 {
        let pairs = said(of).into_iter().zip(&wanted);
        pairs
            .flat_map(|(a, b)| {
                let scale = b.last[0];
                let each: Vec<f64> = a
                    .quantiles
                    .iter()
                    .zip(&b.quantiles)
                    .map(|(a, b)| (a - b).abs() / scale)
                    .collect();
                each
            })
            .sum()
    };
    let (taught, alone) = (far(&taught), far(&alone));
    assert!(
        taught < 0.5 * alone,
        "{taught} with the teacher, {alone} without"
    );
}

#[test]
fn a_teacher_of_something_else_is_refused_by_what_differs() {
    let device = DeviceName::Flex.open().unwrap();
    let refused = |change: &dyn Fn(&mut ForecasterConfig)| {
        let mut config = quick();
        config.training.epochs = Some(1);
        change(&mut config);
        let teacher = fit(config, 80);
        let forecaster = Forecaster::with_config(student()).unwrap();
        let error = forecaster
            .distill(&teacher, &waves(80), &device)
            .unwrap_err();
        assert!(error.is_config(), "{error}");
        error.to_string()
    };
    let horizon = refused(&|config| config.horizon = 2.into());
    assert!(
        horizon.contains("teacher.horizon") && horizon.contains("[1, 2, 3]"),
        "{horizon}"
    );
    let longer = refused(&|config| config.lookback = Some(28));
    assert!(
        longer.contains("teacher.lookback") && longer.contains("21"),
        "{longer}"
    );
    let series = refused(&|config| config.series.past.clear());
    assert!(series.contains("teacher.series"), "{series}");
    let scaler = refused(&|config| {
        config.validation = volatilityforge::data::SplitPart::Steps(20);
    });
    assert!(scaler.contains("teacher.scaler"), "{scaler}");
}

/// What the models of a run say after learning from `teacher`, on the last windows.
fn of_run(teacher: Option<RunTeacher>, out: &Path, model: &str, epochs: usize) -> Vec<f64> {
    let mut config = ForecastRunConfig::demo();
    config.synthetic = BarMarketConfig {
        stocks: 2,
        days: 200,
        ..BarMarketConfig::default()
    };
    config.forecaster.lookback = Some(16);
    config.forecaster.training.epochs = Some(epochs);
    config.forecaster.conformal = false;
    config.models = vec![model.into()];
    config.baselines = false;
    config.teacher = teacher;
    let device = DeviceName::Flex.open().unwrap();
    let run = ForecastRun::new(config).unwrap();
    let summary = run.run(&device, ForecastRunOptions::new(out)).unwrap();
    let windows = summary.unwrap().forecasts.windows.into_iter();
    windows.flat_map(|window| window.quantiles).collect()
}

#[test]
fn models_of_a_run_learn_from_a_file() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    // A teacher that has hardly learned says something else than the targets.
    let wanted = of_run(None, &at("teacher"), "nlinear", 1);
    let teacher = RunTeacher {
        file: at("teacher").join("model.safetensors"),
        how: Distillation {
            weight: 1.0,
            ..Distillation::default()
        },
    };
    let taught = of_run(Some(teacher.clone()), &at("taught"), "dlinear", 20);
    let alone = of_run(None, &at("alone"), "dlinear", 20);
    let far = |said: &[f64]| -> f64 {
        let pairs = said.iter().zip(&wanted);
        pairs.map(|(a, b)| (a / b).ln().abs()).sum()
    };
    assert!(
        far(&taught) < 0.7 * far(&alone),
        "{} {}",
        far(&taught),
        far(&alone)
    );
    let stored = ForecastRunConfig::of_run(at("taught")).unwrap();
    assert_eq!(stored.teacher, Some(teacher.clone()));
    // A file that is none, and a teacher of other steps: before anything is written.
    let mut config = stored;
    config.forecaster.horizon = [1, 3].as_slice().into();
    let device = DeviceName::Flex.open().unwrap();
    let refused = |config: ForecastRunConfig| {
        let run = ForecastRun::new(config).unwrap();
        let error = run.run(&device, ForecastRunOptions::new(at("refused")));
        assert!(!at("refused").exists());
        error.unwrap_err().to_string()
    };
    let error = refused(config.clone());
    assert!(error.contains("teacher.horizon"), "{error}");
    config.teacher = Some(RunTeacher {
        file: at("nothing.safetensors"),
        ..teacher
    });
    let error = refused(config);
    assert!(error.contains("nothing.safetensors"), "{error}");
}
