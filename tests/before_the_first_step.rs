//! What cannot be trained with is told by field and value, and no step is made.

use serde_json::{Value, json};
use volatilityforge::data::{Categorical, ColumnValues, Split};
use volatilityforge::train::{BatchEvent, Flow, Observer};
use volatilityforge::{
    Column, DeviceName, Error, EstimatorConfig, FitOptions, Table, TabularEstimator, Task,
};

use crate::chain::{ROWS, chain, label_column, quick};

struct NoStep;

impl Observer for NoStep {
    fn on_batch(&mut self, event: &BatchEvent) -> Flow {
        panic!("step {} was made", event.step);
    }
}

/// The error of a run that ends before its first step, on the first 150 rows.
fn refused(estimator: TabularEstimator, config: EstimatorConfig, table: &Table) -> Error {
    let device = DeviceName::Flex.open().unwrap();
    let split = Split {
        train: (0..150).collect(),
        validation: (150..190).collect(),
        test: (190..ROWS).collect(),
    };
    let options = FitOptions {
        observers: vec![Box::new(NoStep)],
        ..FitOptions::default()
    };
    let fitted = estimator
        .with_config(config)
        .and_then(|estimator| estimator.fit_split(table, &split, &device, options));
    fitted.map(|_| ()).unwrap_err()
}

fn numbers() -> TabularEstimator {
    TabularEstimator::new("vol").task(Some(Task::Regression))
}

fn says(error: &Error, parts: &[&str]) {
    let text = error.to_string();
    for part in parts {
        assert!(text.contains(part), "{part}: {text}");
    }
}

/// The chain and one more column.
fn beside(column: Column) -> Table {
    let mut columns = chain().columns().to_vec();
    columns.push(column);
    Table::new(columns).unwrap()
}

fn with_training(training: Value) -> EstimatorConfig {
    let mut config = quick("tabular_mlp");
    config.training.config = Some(serde_json::from_value(training).unwrap());
    config
}

#[test]
fn weights_that_are_negative_or_no_numbers() {
    for (bad, told) in [
        (-0.5, "-0.5"),
        (f64::NAN, "missing"),
        (f64::INFINITY, "inf"),
    ] {
        // As a person counts: index 41 is row 43.
        let weights = (0..ROWS).map(|row| if row == 41 { bad } else { 1.0 });
        let table = beside(Column::numeric("w", weights.collect()));
        let error = refused(numbers().weights("w"), quick("tabular_mlp"), &table);
        says(&error, &["w", "43", told]);
    }
    let table = beside(Column::numeric("w", vec![0.0; ROWS]));
    let error = refused(numbers().weights("w"), quick("tabular_mlp"), &table);
    says(&error, &["w"]);
}

#[test]
fn labels_beyond_the_classes() {
    let labels: Vec<&str> = (0..ROWS)
        .map(|row| ["low", "mid", "high"][row % 3])
        .collect();
    let table = beside(label_column("level", &labels));
    let mut config = quick("tabular_mlp");
    config.objective = Some("binary".parse().unwrap());
    let classes = || TabularEstimator::new("level").task(Some(Task::Classification));
    let error = refused(classes(), config.clone(), &table);
    says(&error, &["binary", "3"]);
    // A class that only validation has: nothing could have learnt it.
    let labels: Vec<&str> = (0..ROWS)
        .map(|row| {
            if row == 160 {
                "new"
            } else {
                ["low", "high"][row % 2]
            }
        })
        .collect();
    let table = beside(label_column("level", &labels));
    let error = refused(classes(), quick("tabular_mlp"), &table);
    says(&error, &["level", "new"]);
}

#[test]
fn numbers_that_are_no_classes_and_no_probabilities() {
    for value in [1.5, -0.25] {
        let y = (0..ROWS).map(|row| if row == 7 { value } else { (row % 2) as f64 });
        let table = beside(Column::numeric("up", y.collect()));
        let mut config = quick("tabular_mlp");
        config.objective = Some("binary".parse().unwrap());
        let estimator = TabularEstimator::new("up");
        let error = refused(estimator, config, &table);
        says(&error, &["up", &value.to_string(), "no class label"]);
    }
}

#[test]
fn schedules_shorter_than_their_warm_up() {
    let schedule = |schedule: Value| with_training(json!({"epochs": 2, "schedule": schedule}));
    for (config, parts) in [
        (
            schedule(json!({"name": "cosine_warmup", "warmup_steps": 500})),
            ["schedule.warmup_steps", "500"],
        ),
        (
            schedule(json!({"name": "cosine_warmup", "warmup_steps": 9, "total_steps": 9})),
            ["schedule.warmup_steps", "9"],
        ),
    ] {
        says(&refused(numbers(), config, &chain()), &parts);
    }
}

/// Groups are those of the training rows, so that none is empty; what a group of them cannot be is a
/// single row, and a row cannot be without a group.
#[test]
fn samplers_over_groups_that_are_none() {
    let sampler = |sampler: Value| with_training(json!({"epochs": 2, "sampler": sampler}));
    let days = |special: usize| -> Vec<&str> {
        let day = |row: usize| {
            if row == special {
                "alone"
            } else {
                ["a", "b"][row % 2]
            }
        };
        (0..ROWS).map(day).collect()
    };
    let by_day = json!({"name": "groups", "by": {"column": "day"}});
    let table = beside(label_column("day", &days(20)));
    let error = refused(numbers(), sampler(by_day.clone()), &table);
    says(&error, &["sampler", "one row"]);
    let mut column = label_column("day", &days(ROWS));
    if let ColumnValues::Categorical(cells) = &mut column.values {
        cells.codes[20] = Categorical::MISSING;
    }
    let error = refused(numbers(), sampler(by_day), &beside(column));
    says(
        &error,
        &["sampler.by (column \"day\")", "missing in training row 20"],
    );
    let weights = Column::numeric("share", (0..ROWS).map(|row| 5.0 - row as f64).collect());
    let weighted = sampler(json!({"name": "weighted", "by": {"column": "share"}}));
    let error = refused(numbers(), weighted, &beside(weights));
    says(
        &error,
        &["sampler.by (column \"share\")", "-1 in training row 6"],
    );
}

#[test]
fn mixup_of_labels() {
    let mut config = quick("ft_transformer");
    config.training.augmentation = Some(serde_json::from_value(json!({"mixup": 0.2})).unwrap());
    says(
        &refused(numbers(), config, &chain()),
        &["augmentation.mixup = 0.2", "1 column(s) of labels"],
    );
}
