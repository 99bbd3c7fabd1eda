//! Classes from tables.

use volatilityforge::data::{ColumnValues, Split, SplitConfig};
use volatilityforge::models::ModelConfig;
use volatilityforge::train::objective::{Binary, ClassWeights, ObjectiveConfig, Threshold};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, FitOptions, FittedClassifier, FittedModel, Table,
    TabularClassifier, TabularEstimator, TabularRegressor, Task,
};

use crate::chain::{label_column, learns, quick};

const ROWS: usize = 211;

/// Two numbers, a label, and classes `low`, `mid`, `top` that depend on them; `yes` is binary.
fn table() -> Table {
    let x = |i: usize| (i * 37 % ROWS) as f64 / ROWS as f64 - 0.5;
    let z = |i: usize| (i * 53 % ROWS) as f64 / ROWS as f64 - 0.5;
    let score = |i: usize| x(i) + 0.5 * z(i) + if i.is_multiple_of(4) { 0.2 } else { 0.0 };
    let all = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).collect::<Vec<f64>>();
    let class = |i: usize| match score(i) {
        s if s < -0.15 => "low",
        s if s < 0.2 => "mid",
        _ => "top",
    };
    let kinds: Vec<&str> = (0..ROWS)
        .map(|i| if i.is_multiple_of(4) { "a" } else { "b" })
        .collect();
    let classes: Vec<&str> = (0..ROWS).map(class).collect();
    Table::new(vec![
        Column::numeric("x", all(&x)),
        Column::numeric("z", all(&z)),
        label_column("kind", &kinds),
        label_column("class", &classes),
        Column::numeric("yes", all(&|i| f64::from(u8::from(score(i) > 0.0)))),
    ])
    .unwrap()
}

fn trained(target: &str, model: &str, epochs: usize) -> FittedClassifier {
    let mut config = quick(model);
    config.training.epochs = Some(epochs);
    fitted(target, config)
}

fn fitted(target: &str, config: EstimatorConfig) -> FittedClassifier {
    let other = if target == "class" { "yes" } else { "class" };
    let classifier = TabularClassifier::new(target).with_config(config);
    let classifier = classifier.unwrap().ignore([other]);
    let device = DeviceName::Flex.open().unwrap();
    classifier.fit(&table(), &device).unwrap()
}

/// A model only knows how many outputs it has: two classes for every other one, three for the rest.
#[test]
fn every_model_learns_two_classes_or_three() {
    let models = ModelConfig::NAMES.iter();
    for (model, target) in models.zip(["yes", "class"].into_iter().cycle()) {
        learns(model, |config| {
            let scores = fitted(target, config).scores(&table(), None).unwrap();
            let accuracy = scores.get("accuracy");
            accuracy
                .is_some_and(|a| a > 0.75)
                .then_some(())
                .ok_or(scores)
        });
    }
}

#[test]
fn labels_and_probabilities_belong_together() {
    let fitted = trained("class", "tabular_mlp", 30);
    assert_eq!(fitted.class_names(), ["low", "mid", "top"]);
    let probabilities = fitted.predict_proba(&table()).unwrap();
    let labels = fitted.predict(&table()).unwrap();
    for (p, label) in probabilities.iter().zip(&labels) {
        assert!((p.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        let best = (0..3).max_by(|a, b| p[*a].total_cmp(&p[*b])).unwrap();
        assert_eq!(fitted.class_names()[best], *label);
    }
}

#[test]
fn numbers_as_labels_come_back_as_they_were_written() {
    let fitted = trained("yes", "tabular_mlp", 5);
    assert_eq!(fitted.class_names(), ["0", "1"]);
    assert!(
        fitted
            .predict(&table())
            .unwrap()
            .iter()
            .all(|l| l == "0" || l == "1")
    );
}

#[test]
fn the_threshold_decides_and_is_checked() {
    let fitted = trained("yes", "tabular_mlp", 20);
    let positives = |fitted: &FittedClassifier| {
        let labels = fitted.predict(&table()).unwrap();
        labels.iter().filter(|label| *label == "1").count()
    };
    let (few, many) = (
        positives(&fitted.clone().with_threshold(0.9).unwrap()),
        positives(&fitted.clone().with_threshold(0.1).unwrap()),
    );
    assert!(few < many, "{few} {many}");
    for bad in [0.0, 1.0, -0.5, f64::NAN] {
        let error = fitted.clone().with_threshold(bad).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains("threshold"),
            "{error}"
        );
    }
    let error = trained("class", "tabular_mlp", 1)
        .with_threshold(0.4)
        .unwrap_err();
    assert!(error.is_unsupported(), "{error}");
}

/// Rows of one class cannot say where the threshold lies; what is trained by then is worth keeping.
#[test]
fn a_threshold_that_cannot_be_chosen_is_a_note() {
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(1);
    config.objective =
        Some(serde_json::from_str(r#"{"name": "binary", "threshold": "f1"}"#).unwrap());
    let table = table();
    let ColumnValues::Numeric(yes) = &table.column("yes").unwrap().values else {
        panic!("numbers");
    };
    let rows = 0..table.n_rows();
    let (validation, train) = rows.partition(|row| yes[*row] == 0.0 && row % 3 == 0);
    let split = Split {
        train,
        validation,
        test: vec![],
    };
    let device = DeviceName::Flex.open().unwrap();
    let estimator = TabularClassifier::new("yes").with_config(config).unwrap();
    let (fitted, report) = estimator
        .ignore(["class"])
        .fit_split(&table, &split, &device, FitOptions::default())
        .unwrap();
    let [note] = &report.notes[..] else {
        panic!("{:?}", report.notes);
    };
    assert!(
        note.contains("the threshold stays 0.5") && note.contains("one class"),
        "{note}"
    );
    assert!(fitted.predict(&table).is_ok());
}

#[test]
fn a_threshold_chosen_on_validation_rows_is_kept_in_the_file() {
    let mut config = quick("tabular_mlp");
    config.training.epochs = Some(20);
    config.objective = Some(ObjectiveConfig::Binary(Binary {
        class_weights: ClassWeights::Balanced,
        threshold: serde_json::from_str::<Threshold>("\"f1\"").unwrap(),
        ..Binary::default()
    }));
    let device = DeviceName::Flex.open().unwrap();
    let fitted = TabularClassifier::new("yes")
        .with_config(config)
        .unwrap()
        .ignore(["class"])
        .fit(&table(), &device)
        .unwrap();
    let ObjectiveConfig::Binary(objective) = fitted.objective() else {
        panic!("{:?}", fitted.objective());
    };
    assert!(
        matches!(objective.threshold, Threshold::Tuned(_)),
        "{objective:?}"
    );
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    fitted.save(&path).unwrap();
    let again = FittedClassifier::load(&path, &device).unwrap();
    assert_eq!(again.objective(), fitted.objective());
    assert_eq!(
        again.predict(&table()).unwrap(),
        fitted.predict(&table()).unwrap()
    );
    assert_eq!(again.class_names(), fitted.class_names());
}

#[test]
fn the_wrong_task_is_refused_with_the_way_out() {
    let device = DeviceName::Flex.open().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("model.safetensors");
    trained("yes", "tabular_mlp", 1).save(&path).unwrap();
    let error = volatilityforge::FittedRegressor::load(&path, &device).unwrap_err();
    assert!(
        error.is_unsupported() && error.to_string().contains("classifier"),
        "{error}"
    );
    let model = FittedModel::load(&path, &device).unwrap();
    assert_eq!(model.task(), Task::Classification);

    let mut config = quick("tabular_mlp");
    config.objective = Some("binary".parse().unwrap());
    let regressor = TabularRegressor::new("x")
        .with_config(config.clone())
        .unwrap();
    let error = regressor.fit(&table(), &device).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("objective"),
        "{error}"
    );
    config.objective = Some("regression".parse().unwrap());
    let classifier = TabularClassifier::new("class").with_config(config).unwrap();
    let error = classifier.fit(&table(), &device).unwrap_err();
    assert!(
        error.is_config() && error.to_string().contains("multiclass"),
        "{error}"
    );
}

#[test]
fn two_classes_of_three_are_refused() {
    let device = DeviceName::Flex.open().unwrap();
    let mut config = quick("tabular_mlp");
    config.objective = Some("binary".parse().unwrap());
    let classifier = TabularClassifier::new("class").with_config(config).unwrap();
    let error = classifier.fit(&table(), &device).unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_config() && text.contains("multiclass") && text.contains("3 classes"),
        "{text}"
    );
}

#[test]
fn the_task_is_taken_from_the_target_and_said() {
    let device = DeviceName::Flex.open().unwrap();
    let split = SplitConfig::default().split(&table(), 0.2).unwrap();
    let fit = |target: &str, task| {
        TabularEstimator::new(target)
            .with_config(quick("tabular_mlp"))
            .unwrap()
            .task(task)
            .fit_split(&table(), &split, &device, FitOptions::default())
            .unwrap()
    };
    for (target, task) in [
        ("class", Task::Classification),
        ("yes", Task::Classification),
        ("x", Task::Regression),
    ] {
        let (fitted, report) = fit(target, None);
        assert_eq!(fitted.task(), task, "{target}");
        assert!(
            report
                .task
                .is_some_and(|inferred| !inferred.reason.is_empty())
        );
    }
    let (fitted, report) = fit("yes", Some(Task::Regression));
    assert_eq!(fitted.task(), Task::Regression);
    assert!(report.task.is_none());
}

fn with_labels(f: impl Fn(usize, &'static str) -> &'static str) -> Table {
    let labels: Vec<&str> = (0..ROWS).map(|i| f(i, ["no", "si"][i % 2])).collect();
    let mut columns = table().columns().to_vec();
    columns.retain(|column| !["class", "yes"].contains(&column.name.as_str()));
    columns.push(label_column("answer", &labels));
    Table::new(columns).unwrap()
}

fn answer(table: &Table) -> Result<FittedClassifier, volatilityforge::Error> {
    let device = DeviceName::Flex.open()?;
    TabularClassifier::new("answer")
        .with_config(quick("tabular_mlp"))?
        .fit(table, &device)
}

#[test]
fn one_class_only_is_refused() {
    let error = answer(&with_labels(|_, _| "no")).unwrap_err();
    assert!(
        error.is_data() && error.to_string().contains("answer"),
        "{error}"
    );
}

#[test]
fn labels_that_training_did_not_have_are_named_when_scored() {
    let fitted = answer(&with_labels(|_, label| label)).unwrap();
    for (odd, names) in [("maybe", "maybe"), ("No", "no"), (" si", "si")] {
        let table = with_labels(|i, label| if i == 17 { odd } else { label });
        // Predictions do not look at the target.
        assert_eq!(fitted.predict(&table).unwrap().len(), ROWS);
        let error = fitted.scores(&table, None).unwrap_err();
        let text = error.to_string();
        assert!(
            error.is_data() && text.contains("answer") && text.contains(names),
            "{text}"
        );
    }
}

#[test]
fn a_class_that_is_not_in_training_is_named() {
    let device = DeviceName::Flex.open().unwrap();
    let table = with_labels(|i, label| if i == 3 { "rare" } else { label });
    let split = volatilityforge::data::Split {
        train: (4..ROWS).collect(),
        validation: (0..4).collect(),
        test: vec![],
    };
    let error = TabularClassifier::new("answer")
        .with_config(quick("tabular_mlp"))
        .unwrap()
        .fit_split(&table, &split, &device, FitOptions::default())
        .unwrap_err();
    assert!(
        error.is_data() && error.to_string().contains("rare"),
        "{error}"
    );
}
