//! Students, and predictions made several times.

use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use volatilityforge::data::ColumnValues;
use volatilityforge::models::ModelConfig;
use volatilityforge::prediction::{OutputColumns, PredictionConfig};
use volatilityforge::train::loss::Distillation;
use volatilityforge::train::objective::{Objective, ObjectiveConfig, Predictions};
use volatilityforge::train::{BatchEvent, Flow, Observer, StopReason};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FitOptions, FittedModel, Inference, Table,
    TabularEstimator, Task, Teacher, read_table,
};

use crate::chain::{ROWS, chain, label_column, quick, trained};

fn with_objective(model: &str, objective: &str) -> EstimatorConfig {
    EstimatorConfig {
        objective: Some(objective.parse().unwrap()),
        ..quick(model)
    }
}

/// The chain with a class that follows from it.
fn classes(names: &[&str]) -> Table {
    let mut columns = chain().columns().to_vec();
    let vol = match &columns[3].values {
        ColumnValues::Numeric(vol) => vol.clone(),
        other => panic!("{other:?}"),
    };
    // As many of one as of another.
    let below = |v: &f64| vol.iter().filter(|other| *other < v).count();
    let class = |v: &f64| below(v) * names.len() / ROWS;
    let labels: Vec<&str> = vol.iter().map(|v| names[class(v)]).collect();
    columns[3] = label_column("level", &labels);
    Table::new(columns).unwrap()
}

/// The same table with the target's cells in the opposite order, so that they follow from nothing.
fn reversed(table: &Table) -> Table {
    let mut columns = table.columns().to_vec();
    let target = &mut columns[3].values;
    if let ColumnValues::Numeric(values) = target {
        values.reverse();
    } else if let ColumnValues::Categorical(labels) = target {
        labels.codes.reverse();
    }
    Table::new(columns).unwrap()
}

/// With all of the loss being the teacher's, a student comes to say what the teacher says, whatever
/// the objective and whatever the targets beside it.
#[test]
fn every_kind_of_objective_is_learnt_from_a_teacher() {
    let device = DeviceName::Flex.open().unwrap();
    for (objective, target, table) in [
        ("regression:mse", "vol", chain()),
        ("quantiles:0.1,0.5,0.9", "vol", chain()),
        ("distribution:gaussian", "vol", chain()),
        ("distribution:student_t", "vol", chain()),
        ("distribution:evidential", "vol", chain()),
        ("bars:12", "vol", chain()),
        ("returns_direction", "vol", chain()),
        ("binary", "level", classes(&["low", "high"])),
        ("multiclass", "level", classes(&["a", "b", "c"])),
    ] {
        let mut config = with_objective("tabular_mlp", objective);
        config.training.epochs = Some(20);
        let estimator = |config: EstimatorConfig| {
            let estimator = TabularEstimator::new(target).with_config(config).unwrap();
            let classes = target == "level";
            estimator.task(Some(if classes {
                Task::Classification
            } else {
                Task::Regression
            }))
        };
        let teacher = estimator(config.clone()).fit(&table, &device).unwrap();
        let how = Distillation {
            weight: 1.0,
            ..Distillation::default()
        };
        let lesson = Teacher {
            model: &teacher,
            how,
        };
        config.training.seed = 9;
        // The best epoch would be chosen by the targets.
        config.validation_fraction = 0.0;
        let wrong = reversed(&table);
        let student = estimator(config.clone());
        let away = |model: &FittedModel| -> f64 {
            let said = teacher.predictions(&table).unwrap();
            let other = model.predictions(&table).unwrap();
            let numbers =
                |p: &Predictions| p.probabilities().map_or_else(|| p.point(), <[f64]>::to_vec);
            let pairs = numbers(&said).into_iter().zip(numbers(&other));
            pairs.map(|(a, b)| (a - b).abs()).sum::<f64>()
        };
        let alone = away(&student.fit(&wrong, &device).unwrap());
        let taught = away(&student.distill(lesson, &wrong, &device).unwrap());
        assert!(
            taught < 0.9 * alone,
            "{objective}: {taught} against {alone}"
        );
    }
}

#[test]
fn a_student_is_smaller_and_a_teacher_of_something_else_is_refused() {
    let device = DeviceName::Flex.open().unwrap();
    let teacher = trained(quick("ft_transformer"));
    let mut config = teacher.student(0.5).unwrap();
    config.training.epochs = Some(2);
    let estimator = |target: &str, config: &EstimatorConfig| {
        let estimator = TabularEstimator::new(target);
        estimator.with_config(config.clone()).unwrap()
    };
    let table = chain();
    let student = estimator("vol", &config)
        .distill(&teacher, &table, &device)
        .unwrap();
    let size = |model: &FittedModel| model.model().parameter_count().unwrap();
    assert!(size(&student) < size(&teacher));
    assert_eq!(student.objective().name(), "regression");
    // It is a model like others.
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("student.safetensors");
    student.save(&path).unwrap();
    let again = FittedModel::load(&path, &device).unwrap();
    assert_eq!(
        again.predictions(&table).unwrap(),
        student.predictions(&table).unwrap()
    );
    // Teachers of other targets, of numbers for classes, of another objective; bad settings.
    let mlp = quick("tabular_mlp");
    let said =
        |result: Result<FittedModel, volatilityforge::Error>| result.unwrap_err().to_string();
    let error = said(estimator("log_moneyness", &mlp).distill(&teacher, &table, &device));
    assert!(error.contains("teacher.targets = vol"), "{error}");
    let mut table = chain().columns().to_vec();
    table[3] = label_column(
        "vol",
        &(0..ROWS).map(|i| ["a", "b"][i % 2]).collect::<Vec<_>>(),
    );
    let table = Table::new(table).unwrap();
    let error = said(estimator("vol", &mlp).distill(&teacher, &table, &device));
    assert!(error.contains("teacher = numbers"), "{error}");
    let quantiles = with_objective("tabular_mlp", "quantiles");
    let error = said(estimator("vol", &quantiles).distill(&teacher, &chain(), &device));
    assert!(error.contains("quantiles of values"), "{error}");
    let how = Distillation {
        weight: -0.1,
        ..Distillation::default()
    };
    let lesson = Teacher {
        model: &teacher,
        how,
    };
    let error = said(estimator("vol", &mlp).distill(lesson, &chain(), &device));
    assert!(error.contains("distillation.weight = -0.1"), "{error}");
}

/// Numbers of the loss that move are in the checkpoint: a run that was cut goes on as if it was not,
/// and not from another teacher.
#[test]
fn runs_with_teachers_and_moving_numbers_go_on_bit_by_bit() {
    let device = DeviceName::Flex.open().unwrap();
    let teacher = trained(with_objective("tabular_mlp", "returns_direction"));
    let table = chain();
    let split = volatilityforge::data::SplitConfig::default()
        .split(&table, 0.2)
        .unwrap();
    let fit = |steps: u64, folder: Option<&Path>, teacher: &FittedModel| {
        let mut config = quick("tabular_mlp");
        let json = r#"{"name": "returns_direction", "weights": {"rate": 0.1}}"#;
        config.objective = Some(serde_json::from_str::<ObjectiveConfig>(json).unwrap());
        config.training.epochs = Some(6);
        let stop = Arc::new(AtomicBool::new(false));
        let options = FitOptions {
            checkpoints: folder.map(Into::into),
            resume: folder.is_some(),
            teacher: Some(teacher.into()),
            observers: vec![Box::new(StopAfter(steps, Arc::clone(&stop)))],
            stop: Some(stop),
            ..FitOptions::default()
        };
        let estimator = TabularEstimator::new("vol").with_config(config).unwrap();
        estimator.fit_split(&table, &split, &device, options)
    };
    let whole = fit(u64::MAX, None, &teacher).unwrap().0;
    let folder = tempfile::tempdir().unwrap();
    let (_, report) = fit(7, Some(folder.path()), &teacher).unwrap();
    assert_eq!(report.stopped, StopReason::Interrupted);
    let other = trained(with_objective("tabular_resnet", "returns_direction"));
    assert!(fit(u64::MAX, Some(folder.path()), &other).is_err());
    let resumed = fit(u64::MAX, Some(folder.path()), &teacher).unwrap().0;
    let said = |model: &FittedModel| model.predictions(&table).unwrap();
    assert_eq!(said(&whole), said(&resumed));
}

struct StopAfter(u64, Arc<AtomicBool>);

impl Observer for StopAfter {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        if event.step == self.0 {
            self.1.store(true, Ordering::Relaxed);
        }
        Flow::Continue
    }
}

#[test]
fn every_new_objective_trains_through_its_text() {
    for (objective, scores) in [
        ("distribution:evidential", ["nll", "crps"]),
        ("distribution:beta_nll", ["nll", "crps"]),
        ("distribution:crps", ["nll", "crps"]),
        ("returns_direction", ["rmse", "direction_accuracy"]),
    ] {
        let model = trained(with_objective("tabular_mlp", objective));
        let found = model.scores(&chain(), None).unwrap();
        for name in scores {
            assert!(
                found.get(name).is_some_and(f64::is_finite),
                "{objective} {name}"
            );
        }
        let columns = model.prediction_columns(&chain()).unwrap();
        let names: Vec<&str> = columns.iter().map(|c| c.name.as_str()).collect();
        let expected: &[&str] = match objective {
            "distribution:evidential" => {
                &["predicted_vol", "std_vol", "aleatoric_vol", "epistemic_vol"]
            }
            "returns_direction" => &["predicted_vol", "probability_up_vol"],
            _ => &["predicted_vol", "std_vol"],
        };
        assert_eq!(names, expected, "{objective}");
    }
    let mut config = quick("tabular_mlp");
    let json = r#"{"name": "regression", "cvar": 0.9}"#;
    config.objective = Some(serde_json::from_str::<ObjectiveConfig>(json).unwrap());
    let model = trained(config.clone());
    assert!(model.objective().rows_interact());
    config.training.micro_batches = Some(2);
    let device = DeviceName::Flex.open().unwrap();
    let estimator = TabularEstimator::new("vol").with_config(config).unwrap();
    let error = estimator.fit(&chain(), &device).unwrap_err().to_string();
    assert!(error.contains("micro_batches = 2"), "{error}");
}

fn dropping() -> FittedModel {
    let mut config = quick("tabular_mlp");
    let json = r#"{"model": "tabular_mlp", "n_blocks": 2, "d_block": 16, "dropout": 0.3}"#;
    config.model = ModelConfig::from_json(json).unwrap().into();
    trained(config).into_model()
}

#[test]
fn dropout_noise_and_members_give_mean_and_spread() {
    let (model, table) = (dropping(), chain());
    let once = model.predictions(&table).unwrap().point();
    for how in ["dropout:40", "noise:0.05,40"] {
        let how: Inference = how.parse().unwrap();
        let said = model.predictions_spread(&table, None, &how).unwrap();
        assert_eq!((said.passes, said.spread.len()), (40, ROWS), "{how}");
        assert!(said.spread.iter().all(|s| *s > 0.0), "{how}");
        // The same seed says the same, and the model is as it was.
        assert_eq!(said, model.predictions_spread(&table, None, &how).unwrap());
        assert_eq!(model.predictions(&table).unwrap().point(), once);
        // The mean is near to what is said once: within a few standard errors for most rows.
        let mean = said.mean.point();
        let near = |i: &usize| (mean[*i] - once[*i]).abs() < 2.0 * said.spread[*i];
        assert!((0..ROWS).filter(near).count() > ROWS * 9 / 10, "{how}");
    }
    let refused = |model: &FittedModel, how: &str, says: &str| {
        let how: Inference = how.parse().unwrap();
        let error = model.predictions_spread(&table, None, &how).unwrap_err();
        assert!(error.to_string().contains(says), "{how}: {error}");
    };
    refused(&model, "members", "one member");
    let still = {
        let mut config = quick("tabular_mlp");
        let json = r#"{"model": "tabular_mlp", "n_blocks": 2, "d_block": 16, "dropout": 0.0}"#;
        config.model = ModelConfig::from_json(json).unwrap().into();
        config.training.seed = 5;
        trained(config).into_model()
    };
    refused(&still, "dropout", "which drops nothing");
    // An ensemble: population standard deviation of what its members say.
    let members: Vec<FittedModel> = [0, 1, 2]
        .map(|seed| {
            let mut config = quick("tabular_mlp");
            config.training.seed = seed;
            config.validation_fraction = 0.0;
            trained(config).into_model()
        })
        .into();
    let each: Vec<f64> = members
        .iter()
        .map(|m| m.predictions(&table).unwrap().point()[0])
        .collect();
    let (first, others) = members.split_first().unwrap();
    let all = first.clone().ensemble(others.to_vec()).unwrap();
    let said = all
        .predictions_spread(&table, Some(&[0]), &Inference::Members)
        .unwrap();
    let mean = each.iter().sum::<f64>() / 3.0;
    let spread = (each.iter().map(|y| (y - mean).powi(2)).sum::<f64>() / 3.0).sqrt();
    assert!((said.mean.point()[0] - mean).abs() < 1e-9);
    assert!(
        (said.spread[0] - spread).abs() < 1e-9 + 1e-6 * spread,
        "{said:?} {spread}"
    );
}

#[test]
fn spreads_are_columns_of_a_predicted_file() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    chain().write(path("in.csv")).unwrap();
    let model = dropping();
    let mut config = PredictionConfig::of(&model);
    config.columns = OutputColumns::Predictions;
    config.inference = Some("dropout:5".parse().unwrap());
    let account = model
        .predict_file(path("in.csv"), path("out.csv"), &config)
        .unwrap();
    assert!(account.scores.is_some());
    let (table, _) = read_table(path("out.csv"), &Default::default()).unwrap();
    let names: Vec<&str> = table.columns().iter().map(|c| c.name.as_str()).collect();
    assert_eq!(names, ["predicted_vol", "epistemic_vol"]);
    // A table of labels alone has nothing to move.
    let labels: Vec<&str> = (0..40).map(|i| ["x", "y", "z"][i % 3]).collect();
    let y = (0..40).map(|i| f64::from(i % 3)).collect();
    let table = Table::new(vec![label_column("kind", &labels), Column::numeric("y", y)]).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let config = quick("tabular_mlp");
    let estimator = TabularEstimator::new("y").task(Some(Task::Regression));
    let model = estimator
        .with_config(config)
        .unwrap()
        .fit(&table, &device)
        .unwrap();
    let how = "noise".parse().unwrap();
    let error = model
        .predictions_spread(&table, None, &how)
        .unwrap_err()
        .to_string();
    assert!(error.contains("without numeric columns"), "{error}");
}
