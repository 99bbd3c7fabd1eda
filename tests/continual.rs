//! Tables whose rows are of several tasks.

use serde_json::{Value, json};
use volatilityforge::burn::tensor::Device;
use volatilityforge::meta::continual::{DriftConfig, StrategyConfig, TaskScores};
use volatilityforge::{
    Column, EstimatorConfig, FittedModel, Strategy, Table, TabularEstimator, TasksBy,
};

const TASKS: usize = 3;
const ROWS: usize = 150;

fn number(i: usize) -> f64 {
    2.0 * ((i as f64 + 1.0) * 0.754_877_666 + 0.3 * (i as f64).sin()).fract() - 1.0
}

/// The answer is a column, another one for each task; as a number and as a label.
fn table() -> Table {
    let n = TASKS * ROWS;
    let x = |i: usize, column: usize| number(3 * i + column);
    let answer = |i: usize| x(i, i / ROWS);
    let columns = (0..3).map(|column| {
        let values = (0..n).map(|i| x(i, column)).collect();
        Column::numeric(format!("x{column}"), values)
    });
    let label = |i: usize| Some(if answer(i) > 0.0 { "up" } else { "down" });
    let task = |i: usize| Some(["a", "b", "c"][i / ROWS]);
    let mut columns: Vec<Column> = columns.collect();
    columns.push(Column::numeric("y", (0..n).map(answer).collect()));
    columns.push(Column::categorical("way", (0..n).map(label)));
    columns.push(Column::categorical("task", (0..n).map(task)));
    Table::new(columns).unwrap()
}

type Fitted = Result<(FittedModel, TaskScores), String>;

fn learn(target: &str, strategy: Value) -> Fitted {
    learn_by(target, strategy, "task".into(), &[table()])
}

/// One table by its column or by drift, several as they are.
fn learn_by(target: &str, strategy: Value, tasks: TasksBy, tables: &[Table]) -> Fitted {
    learn_with("tabular_mlp", target, strategy, tasks, tables)
}

fn learn_with(
    model: &str,
    target: &str,
    strategy: Value,
    tasks: TasksBy,
    tables: &[Table],
) -> Fitted {
    let mut config = EstimatorConfig::named(model, Strategy::Fast).unwrap();
    config.training.epochs = Some(15);
    config.training.learning_rate = Some(0.005);
    config.training.batch_size = Some(32);
    let other = if target == "y" { "way" } else { "y" };
    let strategy: StrategyConfig = serde_json::from_value(strategy).unwrap();
    let estimator = TabularEstimator::new(target).ignore([other]);
    let estimator = estimator.with_config(config).unwrap();
    let continual = estimator.continual(strategy, tasks);
    let found = match tables {
        [table] => continual.fit(table, &Device::flex()),
        tables => continual.fit_tables(tables, &Device::flex()),
    };
    found.map_err(|error| error.to_string())
}

#[test]
fn a_table_is_learned_task_by_task_and_replay_remembers() {
    for target in ["y", "way"] {
        let forgotten = |strategy| {
            let (model, scores) = learn(target, strategy).unwrap();
            assert_eq!(scores.rows().len(), TASKS);
            (model, scores.forgetting().unwrap())
        };
        let (_, plain) = forgotten(json!({"name": "fine_tuning"}));
        let (model, replay) = forgotten(json!({"name": "replay", "memory": 120}));
        assert!(replay < 0.7 * plain, "{target}: {replay} against {plain}");
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("model.safetensors");
        model.save(&path).unwrap();
        let loaded = FittedModel::load(&path, &Device::flex()).unwrap();
        let scores = |model: &FittedModel| model.scores(&table(), None).unwrap();
        assert_eq!(scores(&loaded), scores(&model));
    }
}

/// A strategy that weighs nothing leaves no trace: a batch norm that saw rows one by one, for their gradients,
/// had forgotten what it knew of the table.
#[test]
fn looking_at_gradients_of_rows_changes_no_batch_norm() {
    for model in ["tabular_resnet", "tabnet"] {
        let learn = |strategy| {
            learn_with(model, "y", strategy, "task".into(), &[table()])
                .map(|(model, scores)| (model.predictions(&table()).unwrap(), scores))
        };
        let plain = learn(json!({"name": "fine_tuning"})).unwrap();
        let elastic = learn(json!({"name": "ewc", "lambda": 0.0})).unwrap();
        assert_eq!(elastic.1, plain.1, "{model}");
        assert_eq!(elastic.0, plain.0, "{model}");
    }
}

/// They would be scored on tasks whose labels they see.
#[test]
fn models_that_look_at_labelled_rows_are_refused() {
    for model in ["modern_nca", "tabr"] {
        let strategy = json!({"name": "fine_tuning"});
        let error = learn_with(model, "y", strategy, "task".into(), &[table()]).unwrap_err();
        assert!(
            error.contains(model) && error.contains("all tasks"),
            "{error}"
        );
    }
}

fn without_task(table: Table) -> Table {
    table.drop_columns(&["task"]).unwrap()
}

/// The same rows are the same run, whichever way their tasks are told.
#[test]
fn a_table_for_each_task_is_one_table_with_a_column() {
    let replay = || json!({"name": "replay", "memory": 60});
    let (_, by_column) = learn("y", replay()).unwrap();
    let part = |task: usize| {
        let rows: Vec<usize> = (task * ROWS..(task + 1) * ROWS).collect();
        without_task(table().select_rows(&rows).unwrap())
    };
    let tables = [part(0), part(1), part(2)];
    let (model, by_table) = learn_by("y", replay(), TasksBy::Table, &tables).unwrap();
    assert_eq!(by_table, by_column);
    assert_eq!(model.predictions(&tables[1]).unwrap().rows(), ROWS);

    let error = learn_by("y", replay(), "task".into(), &tables).unwrap_err();
    assert!(error.contains("fit` takes one"), "{error}");
    let error = learn_by("y", replay(), TasksBy::Table, &tables[..1]).unwrap_err();
    assert!(error.contains("fit_tables"), "{error}");
    let other = tables[2].clone().drop_columns(&["x1"]).unwrap();
    let tables = [part(0), part(1), other];
    let error = learn_by("y", replay(), TasksBy::Table, &tables).unwrap_err();
    assert!(error.contains("table 2") && error.contains("x1"), "{error}");
    let empty = part(1).select_rows(&[]).unwrap();
    let tables = [part(0), empty];
    let error = learn_by("y", replay(), TasksBy::Table, &tables).unwrap_err();
    assert!(error.contains("none of task 1"), "{error}");
}

/// Nobody says which task a row is of: a column that steps up does.
#[test]
fn tasks_are_found_by_drift() {
    let level = |i: usize| number(i) + 3.0 * (i / ROWS) as f64;
    let values = (0..TASKS * ROWS).map(level).collect();
    let table = without_task(table());
    let table = table.with_column(Column::numeric("level", values)).unwrap();
    let by = |column: &str| TasksBy::Drift {
        column: column.into(),
        config: DriftConfig {
            window: 40,
            false_alarm: 1e-4,
        },
    };
    let plain = || json!({"name": "fine_tuning"});
    let (model, scores) =
        learn_by("y", plain(), by("level"), std::slice::from_ref(&table)).unwrap();
    assert_eq!(scores.rows().len(), TASKS);
    // It stays a feature.
    let without = table.clone().drop_columns(&["level"]).unwrap();
    assert!(model.predictions(&without).is_err());
    // What does not drift is one task.
    let (_, scores) = learn_by("y", plain(), by("x0"), std::slice::from_ref(&table)).unwrap();
    assert_eq!(scores.rows().len(), 1);

    let error = learn_by("y", plain(), by("way"), std::slice::from_ref(&table)).unwrap_err();
    assert!(
        error.contains("way") && error.contains("numbers"),
        "{error}"
    );
    let mut holes: Vec<f64> = (0..TASKS * ROWS).map(level).collect();
    holes[7] = f64::NAN;
    let table = table.with_column(Column::numeric("holes", holes)).unwrap();
    let error = learn_by("y", plain(), by("holes"), &[table]).unwrap_err();
    assert!(error.contains("NaN in row 7"), "{error}");
}

#[test]
fn a_teacher_of_two_classes_or_of_numbers_holds_back() {
    for target in ["y", "way"] {
        let weights = |weight: f64| {
            let (model, _) = learn(target, json!({"name": "lwf", "weight": weight})).unwrap();
            format!("{:?}", model.predictions(&table()).unwrap())
        };
        // Were the distance none, its weight would not matter.
        assert_ne!(weights(0.0), weights(5.0));
    }
}

#[test]
fn what_does_not_fit_is_refused() {
    for (strategy, expected) in [
        (json!({"name": "gem", "memory": 2}), "memory = 2"),
        (
            json!({"name": "pack_net", "prune_fraction": 0.5}),
            "strategy = pack_net",
        ),
        (json!({"name": "progressive"}), "network_of"),
    ] {
        let error = learn("y", strategy).unwrap_err();
        assert!(error.contains(expected), "{error}");
    }
    let estimator = TabularEstimator::new("y");
    let fit = |column: &str, table: &Table| {
        let continual = estimator.continual(StrategyConfig::FineTuning, column);
        continual
            .fit(table, &Device::flex())
            .unwrap_err()
            .to_string()
    };
    let found = fit("when", &table());
    assert!(found.contains("when"), "{found}");
    let lonely = (0..TASKS * ROWS).map(|i| (i > 0).then_some("a"));
    let holes = table()
        .with_column(Column::categorical("holes", lonely))
        .unwrap();
    let found = fit("holes", &holes);
    assert!(found.contains("missing in row 0"), "{found}");
    let alone = (0..TASKS * ROWS).map(|i| Some(if i > 0 { "a" } else { "b" }));
    let alone = table()
        .with_column(Column::categorical("alone", alone))
        .unwrap();
    let found = fit("alone", &alone);
    assert!(found.contains("none of task 0"), "{found}");
}
