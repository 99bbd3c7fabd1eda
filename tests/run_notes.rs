//! What a run tells of its data, and what it refuses to train on.

use std::path::Path;

use volatilityforge::data::NumericTransform;
use volatilityforge::experiment::{ExperimentConfig, ExperimentData};
use volatilityforge::{
    Column, DeviceName, EstimatorConfig, Strategy, Table, TabularEstimator, chain,
};

use crate::cases::{Run, config};

fn csv(folder: &Path, header: &str, row: impl Fn(usize) -> String) -> ExperimentConfig {
    let data = folder.join("table.csv");
    let rows: Vec<String> = (0..120).map(row).collect();
    std::fs::write(&data, format!("{header}\n{}\n", rows.join("\n"))).unwrap();
    ExperimentConfig {
        data: Some(data),
        ..config("title_line.csv", "iv")
    }
}

#[test]
fn what_preprocessing_leaves_out_and_what_hold_out_rows_have_new_is_told() {
    let folder = tempfile::tempdir().unwrap();
    // The last rows, which a split by date holds out, have a label and gaps that no other has.
    let settings = csv(folder.path(), "day,k,cp,same,gap,iv", |i| {
        let (cp, gap) = if i >= 100 {
            ("X", "")
        } else {
            (["C", "P"][i % 2], "1.5")
        };
        let gap = if i < 100 {
            format!("{gap}{}", i % 7)
        } else {
            gap.into()
        };
        format!(
            "2023-{:02}-{:02},{},{cp},7,{gap},0.{}",
            1 + i / 28,
            1 + i % 28,
            i * 37 % 101,
            200 + i % 50
        )
    });
    let settings = ExperimentConfig {
        split: Some("date:day".parse().unwrap()),
        models: vec!["tabular_mlp".into(), "tabular_resnet".into()],
        ..settings
    };
    let run = Run::of(&settings).unwrap();
    assert!(
        run.told(&["'same'", "left out", "constant"]),
        "{:?}",
        run.notes
    );
    assert!(
        run.told(&["hold-out rows", "'gap'", "training had none"]),
        "{:?}",
        run.notes
    );
    assert!(
        run.told(&["hold-out rows", "'cp'", "'X'", "not seen"]),
        "{:?}",
        run.notes
    );
    assert!(run.told(&["'day'", "no feature"]), "{:?}", run.notes);
    // Of two models, each line once.
    let same: Vec<&String> = run.notes.iter().filter(|n| n.contains("'same'")).collect();
    assert_eq!(same.len(), 1, "{same:?}");
    for model in &run.summary.models {
        assert!(
            model.notes.iter().any(|n| n.contains("'same'")),
            "{}",
            model.name
        );
    }
}

/// The group of a split by group says nothing of another group.
#[test]
fn the_column_of_a_split_is_a_feature_only_where_asked_for() {
    let mut settings = config("group_label.csv", "iv");
    settings.split = Some("group:g".parse().unwrap());
    let without = Run::of(&settings).unwrap();
    let names = |run: &Run| -> Vec<String> {
        run.model
            .preprocessor()
            .source_columns()
            .map(String::from)
            .collect()
    };
    assert_eq!(names(&without), ["strike", "t", "cp"]);
    assert!(without.told(&["'g'", "no feature", "keep_split_column"]));
    settings.keep_split_column = true;
    let with = Run::of(&settings).unwrap();
    assert_eq!(names(&with), ["strike", "t", "cp", "g"]);
    // Known labels only in training.
    assert!(
        with.told(&["hold-out rows", "'g'", "not seen in training"]),
        "{:?}",
        with.notes
    );
    // A stratified split has every value on both sides.
    settings.keep_split_column = false;
    settings.split = Some("stratified:g".parse().unwrap());
    assert_eq!(
        names(&Run::of(&settings).unwrap()),
        ["strike", "t", "cp", "g"]
    );
}

#[test]
fn groups_that_leave_no_training_rows_are_refused_with_the_numbers() {
    let mut settings = config("lopsided_groups.csv", "iv");
    settings.split = Some("group:g".parse().unwrap());
    let mut refused = 0;
    for seed in 0..6 {
        settings.split = settings.split.map(|split| split.with_seed(seed));
        match ExperimentData::load(&settings) {
            Ok(data) => {
                let parts = data.split.train.len() + data.split.validation.len();
                let told = data
                    .notes
                    .iter()
                    .any(|n| n.contains("warning") && n.contains("asked for"));
                assert!(
                    told,
                    "{seed}: {parts} of {}: {:?}",
                    data.table.n_rows(),
                    data.notes
                );
            }
            Err(error) => {
                let text = error.to_string();
                assert!(
                    text.contains("lopsided_groups.csv") && text.contains("'g'"),
                    "{text}"
                );
                // One part has the large group, another all the others.
                let numbers = [
                    ["1 training", "398"],
                    ["of 401 rows", "are left"],
                    ["of 400 rows", "are left"],
                ];
                let told = |parts: &[&str; 2]| parts.iter().all(|part| text.contains(part));
                assert!(numbers.iter().any(told), "{seed}: {text}");
                refused += 1;
            }
        }
    }
    assert!(refused > 0);
}

#[test]
fn batches_of_one_row_are_refused_where_they_teach_nothing() {
    let with = |model: &str, batch: usize, parts: Option<usize>| {
        let mut config = EstimatorConfig::named(model, Strategy::Fast).unwrap();
        config.training.batch_size = Some(batch);
        config.training.micro_batches = parts;
        config.validate()
    };
    for model in ["tabular_resnet", "tabnet"] {
        let error = with(model, 1, None).unwrap_err();
        assert!(error.is_config());
        let text = error.to_string();
        for part in ["batch_size = 1", model, "2 or more", "deviation"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        let text = with(model, 8, Some(8)).unwrap_err().to_string();
        assert!(text.contains("micro_batches = 8"), "{text}");
        with(model, 8, Some(4)).unwrap();
        with(model, 2, None).unwrap();
    }
    with("tabular_mlp", 1, None).unwrap();
}

#[test]
fn a_constant_target_is_predicted_as_itself_and_told() {
    let run = Run::of(&config("target_constant.csv", "iv")).unwrap();
    assert_eq!(run.score(), 0.0);
    assert!(
        run.told(&["warning", "'iv'", "0.200000", "every training row"]),
        "{:?}",
        run.notes
    );
    let r2 = run.summary.models[0].scores.find("r2").unwrap();
    assert_eq!(r2.shown(), "undefined");
    let html = std::fs::read_to_string(run.file("run/report.html")).unwrap();
    assert!(html.contains("<td>undefined</td>"));
    // A summary with an undefined score is read back.
    let json = std::fs::read_to_string(run.file("run/metrics.json")).unwrap();
    let again: volatilityforge::experiment::Summary = serde_json::from_str(&json).unwrap();
    assert_eq!(again.models[0].scores.get("r2"), None);

    // Of several targets, the one alone, under every objective.
    let n = 80;
    let table = Table::new(vec![
        Column::numeric("x", (0..n).map(f64::from).collect()),
        Column::numeric("y", (0..n).map(|i| f64::from(i % 9)).collect()),
        Column::numeric("z", vec![-3.25; n as usize]),
    ])
    .unwrap();
    let device = DeviceName::Flex.open().unwrap();
    for objective in [
        "regression",
        "quantiles:0.1,0.5,0.9",
        "distribution:gaussian",
    ] {
        let estimator = EstimatorConfig {
            objective: Some(objective.parse().unwrap()),
            ..crate::chain::quick("tabular_mlp")
        };
        let fitted = TabularEstimator::targets(["y", "z"])
            .with_config(estimator)
            .unwrap()
            .fit(&table, &device)
            .unwrap();
        let predictions = fitted.predictions(&table).unwrap();
        assert!(
            predictions.point_of(1).iter().all(|z| *z == -3.25),
            "{objective}"
        );
        let y = predictions.point_of(0);
        assert!(y.iter().any(|v| *v != y[0]), "{objective}");
    }
}

#[test]
fn a_value_far_out_and_a_class_of_a_single_row_are_told() {
    let folder = tempfile::tempdir().unwrap();
    let settings = csv(folder.path(), "far,b,kind", |i| {
        let far = if i % 40 == 7 {
            "1e12".into()
        } else {
            format!("0.{}", i * 37 % 101)
        };
        let kind = match i {
            9 => "rare",
            _ if i % 2 == 0 => "even",
            _ => "odd",
        };
        format!("{far},{},{kind}", i * 53 % 89)
    });
    let settings = ExperimentConfig {
        target: vec!["kind".into()],
        ..settings
    };
    let run = Run::of(&settings).unwrap();
    assert!(
        run.told(&["warning", "'far'", "1e12 in row", "quantile"]),
        "{:?}",
        run.notes
    );
    assert!(
        run.told(&[
            "warning",
            "'kind'",
            "fewer than 5 training rows",
            "'rare' 1"
        ]),
        "{:?}",
        run.notes
    );
    let html = std::fs::read_to_string(run.file("run/report.html")).unwrap();
    assert!(html.contains("1e12 in row"));
    // A target is never scaled otherwise.
    let of_numbers = ExperimentConfig {
        target: vec!["far".into()],
        ..settings.clone()
    };
    let run = Run::of(&of_numbers).unwrap();
    assert!(
        run.told(&["warning", "target 'far'", "1e12 in row", "all the same"]),
        "{:?}",
        run.notes
    );
    // Scaled by quantiles, the others can be told apart.
    let mut settings = settings;
    settings.estimator.preprocess.numeric = NumericTransform::Quantile;
    let run = Run::of(&settings).unwrap();
    assert!(!run.told(&["'far'", "so far out"]), "{:?}", run.notes);
}

#[test]
fn small_numbers_keep_their_digits() {
    let run = Run::of(&config("target_small.csv", "iv")).unwrap();
    let rmse = run.summary.models[0].scores.find("rmse").unwrap();
    assert!(rmse.value < 1e-4 && rmse.shown().contains("e-"), "{rmse}");
    let html = std::fs::read_to_string(run.file("run/report.html")).unwrap();
    assert!(html.contains(&format!("<td>{}</td>", rmse.shown())));
}

#[test]
fn rows_without_a_target_are_passed_over_where_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let settings = csv(folder.path(), "k,iv", |i| match i % 10 {
        3 => format!("{i},"),
        _ => format!("{i},0.{}", 200 + i * 37 % 101),
    });
    let error = Run::of(&settings).err().unwrap().to_string();
    assert!(error.contains("row 5") && error.contains("iv"), "{error}");
    assert!(error.contains("12 of 120 rows"), "{error}");
    assert!(error.contains("--skip-missing-target"), "{error}");
    let settings = ExperimentConfig {
        skip_missing_target: true,
        ..settings
    };
    let run = Run::of(&settings).unwrap();
    assert!(run.told(&["12 rows without a target"]), "{:?}", run.notes);
    let summary = &run.summary;
    let used = summary.train_rows + summary.validation_rows + summary.test_rows;
    assert_eq!((summary.rows, used), (120, 108));
}

/// What is ignored is not read, whatever it holds, unless it is looked at beside the model.
#[test]
fn ignored_columns_do_not_stop_training_and_a_chains_bids_are_looked_at() {
    let folder = tempfile::tempdir().unwrap();
    let settings = csv(folder.path(), "bid,odd,k,iv", |i| {
        let bid = match i {
            7 => "0.00".into(),
            8 => "n/q".into(),
            _ => format!("{}.5", i % 9),
        };
        let odd = if i % 3 == 0 {
            "see note".into()
        } else {
            i.to_string()
        };
        let iv = if i == 11 {
            "0.00001".into()
        } else {
            format!("0.{}", 200 + i * 37 % 101)
        };
        format!("{bid},{odd},{i},{iv}")
    });
    assert!(Run::of(&settings).is_err(), "words among numbers");
    let settings = ExperimentConfig {
        ignore: vec!["bid".into(), "odd".into()],
        ..settings
    };
    let data = ExperimentData::load(&settings).unwrap();
    assert!(data.table.column("bid").is_err() && data.table.column("odd").is_err());
    assert!(
        data.notes
            .iter()
            .any(|n| n.contains("not features: bid, odd")),
        "{:?}",
        data.notes
    );
    let watching = ExperimentConfig {
        watch: vec!["bid".into(), "absent".into()],
        ..settings.clone()
    };
    let run = Run::of(&watching).unwrap();
    let names: Vec<&str> = run.model.preprocessor().source_columns().collect();
    assert_eq!(names, ["k"]);
    let data = ExperimentData::load(&watching).unwrap();
    let found = chain::doubtful_quotes(&data.table);
    let rows: Vec<&[usize]> = found.iter().map(|f| &f.rows[..]).collect();
    assert_eq!(rows, [&[7][..], &[11]]);
    let html = std::fs::read_to_string(run.file("run/report.html")).unwrap();
    assert!(html.contains("Quotes to doubt") && html.contains("no bid"));

    let mut absent = settings;
    absent.ignore.push("nothing".into());
    let error = ExperimentData::load(&absent).unwrap_err().to_string();
    assert!(
        error.contains("nothing") && error.contains("odd"),
        "{error}"
    );
}
