//! Forecasters that learn from forecasters.

use volatilityforge::DeviceName;
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
