//! Runs of every task, and what goes wrong in them.

use std::path::Path;

use volatilityforge::data::SplitConfig;
use volatilityforge::experiment::{ExperimentConfig, Summary, TaskChoice};
use volatilityforge::{Column, DeviceName, Error, FittedModel, Table, Task, read_table};

use crate::experiment::{quick, run_with_notes};

const ROWS: usize = 150;

/// Two features, targets of every kind, row weights and a group.
fn table() -> Table {
    let x = |i: usize| (i * 37 % ROWS) as f64 / ROWS as f64 - 0.5;
    let all = |f: &dyn Fn(usize) -> f64| (0..ROWS).map(f).collect::<Vec<f64>>();
    let text =
        |f: &dyn Fn(usize) -> &'static str| (0..ROWS).map(|i| Some(f(i))).collect::<Vec<_>>();
    Table::new(vec![
        Column::numeric("x", all(&x)),
        Column::numeric("other", all(&|i| (i % 7) as f64)),
        Column::numeric("y", all(&|i| 2.0 * x(i) + 0.125)),
        Column::numeric("z", all(&|i| 1.5 - x(i))),
        Column::categorical("left", text(&|i| if x(i) > 0.1 { "yes" } else { "no" })),
        Column::numeric("grade", all(&|i| (3.0 * (x(i) + 0.5)).floor() + 4.0)),
        Column::categorical("one", text(&|_| "same")),
        Column::numeric("weight", all(&|i| 0.5 + (i % 3) as f64)),
        Column::numeric(
            "group",
            all(&|i| if i < 120 { (i % 6) as f64 } else { 6.0 }),
        ),
        Column::categorical(
            "late",
            text(&|i| {
                if i >= 120 {
                    "odd"
                } else if i % 2 == 0 {
                    "early"
                } else {
                    "middle"
                }
            }),
        ),
    ])
    .unwrap()
}

fn config(folder: &Path, target: &[&str]) -> ExperimentConfig {
    let data = folder.join("table.csv");
    table().write_csv(&data).unwrap();
    let targets = ["y", "z", "left", "grade", "one", "weight", "group", "late"];
    let others = targets.into_iter().filter(|name| !target.contains(name));
    ExperimentConfig {
        data: Some(data),
        target: target.iter().map(ToString::to_string).collect(),
        ignore: others.map(String::from).collect(),
        models: vec!["tabular_mlp".into()],
        estimator: quick(),
        ..ExperimentConfig::default()
    }
}

struct Outcome {
    summary: Summary,
    notes: Vec<String>,
    html: String,
    model: FittedModel,
    sample: Table,
}

fn outcome(target: &[&str], change: impl Fn(&mut ExperimentConfig)) -> Result<Outcome, Error> {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), target);
    change(&mut config);
    let out = folder.path().join("run");
    let (summary, notes) = run_with_notes(&config, &out)?;
    let device = DeviceName::Flex.open().unwrap();
    let model = FittedModel::load(out.join("model.safetensors"), &device)?;
    let (sample, _) = read_table(out.join("sample.csv"), &model.read_options())?;
    Ok(Outcome {
        summary,
        notes,
        html: std::fs::read_to_string(out.join("report.html")).unwrap(),
        model,
        sample,
    })
}

impl Outcome {
    fn baselines(&self) -> Vec<&str> {
        let mut names: Vec<&str> = self
            .summary
            .baselines
            .iter()
            .map(|b| b.name.as_str())
            .collect();
        names.sort_unstable();
        names
    }

    fn shows(&self, what: &[&str]) {
        for what in what {
            assert!(self.html.contains(what), "the report lacks: {what}");
        }
    }

    /// The sample is the hold-out rows: the model read from its file scores them as the run did.
    fn sample_scores_as_the_run(&self) {
        let again = self.model.scores(&self.sample, None).unwrap();
        let told = &self.summary.models[0].scores;
        for (again, told) in again.iter().zip(told.iter()) {
            assert_eq!(again.name, told.name);
            assert!(
                (again.value - told.value).abs() < 1e-9,
                "{again:?} {told:?}"
            );
        }
    }
}

#[test]
fn text_is_two_classes() {
    let run = outcome(&["left"], |_| {}).unwrap();
    let summary = &run.summary;
    assert_eq!(summary.task, Task::Classification);
    assert_eq!(summary.classes.as_deref().unwrap(), ["no", "yes"]);
    assert_eq!(
        (summary.objective.as_str(), summary.split.as_str()),
        ("binary", "stratified:left")
    );
    assert!(
        run.notes
            .iter()
            .any(|n| n.contains("two classes") && n.contains("--task"))
    );
    assert_eq!(run.baselines(), ["boosting", "logistic", "majority"]);
    for name in ["log_loss", "accuracy", "balanced_accuracy", "auroc"] {
        assert!(summary.models[0].scores.get(name).is_some(), "{name}");
        assert!(summary.baselines[0].scores.get(name).is_some(), "{name}");
    }
    run.shows(&[
        "true \\ predicted",
        "receiver operating",
        "reliability",
        "log loss",
    ]);
    run.sample_scores_as_the_run();
}

#[test]
fn few_integers_are_classes_and_numbers_where_asked_for() {
    let run = outcome(&["grade"], |_| {}).unwrap();
    assert_eq!(run.summary.classes.as_deref().unwrap(), ["4", "5", "6"]);
    assert_eq!(run.summary.objective, "multiclass");
    assert_eq!(run.baselines(), ["boosting", "logistic", "majority"]);
    run.sample_scores_as_the_run();

    let run = outcome(&["grade"], |c| c.task = TaskChoice::Regression).unwrap();
    assert_eq!(
        (run.summary.task, run.summary.classes.as_ref()),
        (Task::Regression, None)
    );
    assert_eq!(
        (run.baselines(), run.summary.split.as_str()),
        (vec!["boosting", "mean", "ridge"], "random")
    );
}

#[test]
fn quantiles_and_distributions_are_compared_by_their_own_scores() {
    for (objective, deciding, shown) in [
        ("quantiles:0.1,0.5,0.9", "pinball", "coverage 80"),
        ("distribution:gaussian", "nll", "crps"),
    ] {
        let run = outcome(&["y"], |c| {
            c.estimator.objective = Some(objective.parse().unwrap());
        })
        .unwrap();
        let rows = run.summary.leaderboard();
        assert_eq!(rows.len(), 4);
        for row in &rows {
            assert_eq!(
                row.scores.deciding().unwrap().name,
                deciding,
                "{}",
                row.name
            );
        }
        let values: Vec<f64> = rows
            .iter()
            .map(|r| r.scores.deciding().unwrap().value)
            .collect();
        assert!(values.is_sorted(), "{values:?}");
        run.shows(&["Intervals of y", "were asked for", shown]);
        run.sample_scores_as_the_run();
    }
}

#[test]
fn several_targets_share_one_model() {
    let run = outcome(&["y", "z"], |c| c.weights = Some("weight".into())).unwrap();
    assert_eq!(run.summary.target, ["y", "z"]);
    assert!(run.summary.models[0].scores.get("rmse.1").is_some());
    run.shows(&["Predictions of y", "Predictions of z"]);
    assert!(
        !run.html.contains("rmse.1"),
        "single targets do not fill the leaderboard"
    );
    assert!(run.notes.iter().any(|n| n.contains("weight")));
    assert!(
        !run.model.read_options().hints.contains_key("weight"),
        "weights are no feature"
    );
    run.sample_scores_as_the_run();
}

fn refused(target: &str, change: impl Fn(&mut ExperimentConfig)) -> String {
    let error = outcome(&[target], change).err().unwrap();
    error.to_string()
}

#[test]
fn one_class_only_is_refused_with_file_and_column() {
    let text = refused("one", |_| {});
    for what in ["table.csv", "one", "same", "two classes"] {
        assert!(text.contains(what), "{what}: {text}");
    }
}

/// Only the last group has the label `odd`; a seed is looked for that keeps it from training.
#[test]
fn a_class_absent_from_training_is_named_with_file_row_and_column() {
    let group = |seed| SplitConfig::Group {
        column: "group".into(),
        fraction: 0.15,
        seed,
    };
    let without = |seed: &u64| {
        let split = group(*seed).split(&table(), 0.15).unwrap();
        !split.train.contains(&149)
    };
    let seed = (0..20).find(without).unwrap();
    let text = refused("late", |c| c.split = Some(group(seed)));
    for what in ["table.csv", "late", "row ", "'odd'", "'early', 'middle'"] {
        assert!(text.contains(what), "{what}: {text}");
    }
}

#[test]
fn a_missing_target_is_named_with_file_row_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path(), &["y"]);
    let data = folder.path().join("holes.csv");
    std::fs::write(
        &data,
        "x,y\n1,0.5\n2,\n3,1.5\n4,2.25\n5,3.5\n6,1.125\n7,2.5\n",
    )
    .unwrap();
    config.data = Some(data);
    config.ignore.clear();
    let error = run_with_notes(&config, &folder.path().join("run")).unwrap_err();
    let text = error.to_string();
    assert!(error.is_data(), "{text}");
    for what in ["holes.csv", "row 3", "y"] {
        assert!(text.contains(what), "{what}: {text}");
    }
}

#[test]
fn an_unknown_target_is_named_with_file_and_columns() {
    let text = refused("yy", |_| {});
    for what in ["table.csv", "yy", "grade"] {
        assert!(text.contains(what), "{what}: {text}");
    }
}

#[test]
fn labels_written_otherwise_at_prediction_are_named() {
    let run = outcome(&["left"], |_| {}).unwrap();
    let columns = run
        .sample
        .columns()
        .iter()
        .map(|column| match column.name.as_str() {
            "left" => Column::categorical("left", (0..run.sample.n_rows()).map(|_| Some("Yes"))),
            _ => column.clone(),
        });
    let odd = Table::new(columns.collect()).unwrap();
    let text = run.model.scores(&odd, None).unwrap_err().to_string();
    assert!(text.contains("'Yes'") && text.contains("'yes'"), "{text}");
}
