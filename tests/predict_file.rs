//! Files of predictions.

use std::path::Path;

use volatilityforge::data::{ColumnRole, ColumnValues};
use volatilityforge::prediction::{OutputColumns, PredictionConfig};
use volatilityforge::{ReadOptions, read_table};

use crate::cases::{Run, case, config};

fn text(path: impl AsRef<Path>) -> String {
    std::fs::read_to_string(path).unwrap()
}

fn numbers(path: &Path, column: &str) -> Vec<f64> {
    let (table, _) = read_table(path, &ReadOptions::default()).unwrap();
    match &table.column(column).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        other => panic!("{other:?}"),
    }
}

/// Leading zeros, spaces, quotes, `NA`, capitals, offsets and ignored columns.
#[test]
fn the_input_passes_through_to_the_letter() {
    let mut settings = config("output_as_written.csv", "iv");
    settings.ignore = vec!["account".into(), "note".into()];
    let run = Run::of(&settings).unwrap();
    let out = run.file("out.csv");
    let config = PredictionConfig::of(&run.model);
    let account = run
        .model
        .predict_file(case("output_as_written.csv"), &out, &config)
        .unwrap();
    assert_eq!(account.rows, 60);
    let (input, output) = (text(case("output_as_written.csv")), text(&out));
    let (mut lines, mut written) = (input.lines(), output.lines());
    let header = format!("{},predicted_iv", lines.next().unwrap());
    assert_eq!(written.next().unwrap(), header);
    for (line, written) in lines.by_ref().zip(written.by_ref()) {
        let added = written.strip_prefix(line).unwrap();
        assert!(
            added.strip_prefix(',').unwrap().parse::<f64>().is_ok(),
            "{added}"
        );
    }
    assert!(lines.next().is_none() && written.next().is_none());

    // The predictions alone, and as Parquet with the input as texts.
    let bare = PredictionConfig {
        columns: OutputColumns::Predictions,
        ..config.clone()
    };
    let predict = |to: &str, config: &PredictionConfig| {
        let to = run.file(to);
        run.model
            .predict_file(case("output_as_written.csv"), &to, config)
            .map(|_| to)
    };
    let alone = predict("bare.csv", &bare).unwrap();
    assert!(text(&alone).starts_with("predicted_iv\n"));
    let predicted = numbers(&out, "predicted_iv");
    assert_eq!(numbers(&alone, "predicted_iv"), predicted);
    for name in ["bare.parquet", "all.parquet"] {
        let config = if name == "all.parquet" {
            &config
        } else {
            &bare
        };
        let file = predict(name, config).unwrap();
        assert_eq!(numbers(&file, "predicted_iv"), predicted, "{name}");
    }
    let all = run.file("all.parquet");
    let (table, _) = read_table(all, &ReadOptions::default()).unwrap();
    let ColumnValues::Categorical(accounts) = &table.column("account").unwrap().values else {
        panic!("identifiers are texts");
    };
    assert_eq!(accounts.label(1), Some("000007"));

    for name in ["out.xlsx", "out.json"] {
        let error = predict(name, &config).unwrap_err().to_string();
        assert!(
            error.contains(".parquet") && error.contains(name),
            "{error}"
        );
        assert!(!run.file(name).exists());
    }
}

#[test]
fn predictions_of_predictions_need_another_name() {
    let run = Run::of(&config("extra_train.csv", "iv")).unwrap();
    let config = PredictionConfig::of(&run.model);
    let (first, second) = (run.file("first.csv"), run.file("second.csv"));
    run.model
        .predict_file(case("extra_train.csv"), &first, &config)
        .unwrap();
    let error = run
        .model
        .predict_file(&first, &second, &config)
        .unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("predicted_iv") && text.contains("first.csv"),
        "{text}"
    );
    assert!(!second.exists());
}

#[cfg(unix)]
#[test]
fn a_link_stays_and_a_pipe_is_written_to() {
    let run = Run::of(&config("extra_train.csv", "iv")).unwrap();
    let config = PredictionConfig::of(&run.model);
    let predict = |to: &Path| {
        run.model
            .predict_file(case("extra_train.csv"), to, &config)
            .unwrap()
    };
    let (real, link, pipe) = (
        run.file("real.csv"),
        run.file("link.csv"),
        run.file("pipe.csv"),
    );
    std::fs::write(&real, "old").unwrap();
    std::os::unix::fs::symlink(&real, &link).unwrap();
    predict(&link);
    assert!(std::fs::symlink_metadata(&link).unwrap().is_symlink());
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    let reader = {
        let pipe = pipe.clone();
        std::thread::spawn(move || text(pipe))
    };
    predict(&pipe);
    assert_eq!(reader.join().unwrap(), text(&real));
}

/// Columns that the model does not have may hold anything.
#[test]
fn only_the_models_columns_need_to_be_right() {
    let run = Run::of(&config("extra_train.csv", "iv")).unwrap();
    let config = PredictionConfig::of(&run.model);
    let predict = |name: &str| {
        let out = run.file(name);
        let account = run.model.predict_file(case(name), &out, &config).unwrap();
        (account, out)
    };
    let (plain, out) = predict("extra_train.csv");
    let predicted = numbers(&out, "predicted_iv");
    for name in ["extra_text.csv", "extra_inf.csv", "extra_duplicates.csv"] {
        let (account, out) = predict(name);
        assert_eq!(account.scores, plain.scores, "{name}");
        for (line, (input, predicted)) in text(&out)
            .lines()
            .zip(
                text(case(name))
                    .lines()
                    .zip(std::iter::once(f64::NAN).chain(predicted.clone())),
            )
            .skip(1)
        {
            assert_eq!(line, format!("{input},{predicted:?}"), "{name}");
        }
    }
}

/// Nor through a link: what was read would be gone.
#[test]
fn predictions_are_not_written_over_the_data() {
    let run = Run::of(&config("target_pending_train.csv", "iv")).unwrap();
    let data = run.file("data.csv");
    std::fs::copy(case("target_pending_train.csv"), &data).unwrap();
    let before = text(&data);
    let mut config = PredictionConfig::of(&run.model);
    for columns in [OutputColumns::All, OutputColumns::Predictions] {
        config.columns = columns;
        let out = data.parent().unwrap().join(".").join("data.csv");
        let error = run.model.predict_file(&data, out, &config).unwrap_err();
        assert!(error.to_string().contains("another file"), "{error}");
        assert_eq!(text(&data), before);
    }
}

/// A second look at what came through a pipe is one at what was kept of it.
#[cfg(unix)]
#[test]
fn a_pipe_is_read_once_whatever_its_targets() {
    let run = Run::of(&config("target_pending_train.csv", "iv")).unwrap();
    let mut config = PredictionConfig::of(&run.model);
    let pipe = run.file("pipe.csv");
    let made = std::process::Command::new("mkfifo").arg(&pipe).status();
    assert!(made.unwrap().success());
    // With the file's own columns beside it is refused before anybody waits for a writer.
    let error = run.model.predict_file(&pipe, run.file("out.csv"), &config);
    let error = error.unwrap_err().to_string();
    assert!(error.contains("cannot be read again"), "{error}");
    config.columns = OutputColumns::Predictions;
    let (writing, bytes) = (pipe.clone(), text(case("target_pending.csv")));
    std::thread::spawn(move || std::fs::write(writing, bytes));
    let (done, wait) = std::sync::mpsc::channel();
    let (model, out) = (run.model.clone(), run.file("out.csv"));
    std::thread::spawn(move || {
        let account = model.predict_file(&pipe, out, &config);
        done.send(account.map(|account| (account.rows, account.not_scored)))
    });
    let found = wait.recv_timeout(std::time::Duration::from_secs(60));
    let (rows, why) = found.expect("does not wait for ever").unwrap();
    assert_eq!(rows, 240);
    assert!(why.is_some_and(|why| why.contains("'pending'")));
}

/// Targets that are not there yet: words, gaps, no column.
#[test]
fn a_pending_target_does_not_stop_a_prediction() {
    let run = Run::of(&config("target_pending_train.csv", "iv")).unwrap();
    let mut config = PredictionConfig::of(&run.model);
    let predict = |data: &Path, config: &PredictionConfig| {
        let out = run.file("out.csv");
        run.model.predict_file(data, out, config).unwrap()
    };
    let pending = predict(&case("target_pending.csv"), &config);
    assert_eq!((pending.rows, pending.scores.is_none()), (240, true));
    let why = pending.not_scored.clone().unwrap();
    assert!(why.contains("'pending'") && why.contains("iv"), "{why}");
    assert!(pending.to_string().contains("no scores"));
    let predicted = numbers(&run.file("out.csv"), "predicted_iv");
    predict(&case("target_pending_train.csv"), &config);
    assert_eq!(numbers(&run.file("out.csv"), "predicted_iv"), predicted);

    config.set("read.missing_values=[\"pending\"]").unwrap();
    let none = predict(&case("target_pending.csv"), &config);
    assert!(none.not_scored.unwrap().contains("no row has a value"));
    let some = run.file("some.csv");
    let lines = text(case("target_pending_train.csv"));
    let lines = lines.lines().enumerate().map(|(i, line)| match i % 3 {
        1 => {
            let mut cells: Vec<&str> = line.split(',').collect();
            cells[3] = "pending";
            cells.join(",")
        }
        _ => line.to_string(),
    });
    std::fs::write(&some, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let part = predict(&some, &config);
    assert_eq!((part.rows, part.scored), (240, 160));
    assert!(part.scores.is_some() && part.to_string().contains("160 rows that have a target"));
}

/// Labels written in another way: one column each of which no label is known as it is written.
#[test]
fn labels_are_matched_by_value_and_that_is_told() {
    for (train, predict, label) in [
        ("leading_zeros_train.csv", "leading_zeros_cut.csv", "'10'"),
        ("boolean_train.csv", "boolean_01.csv", "'1'"),
        ("mixed_codes_train.csv", "mixed_codes_float.csv", "'1.0'"),
    ] {
        let mut settings = config(train, "iv");
        // Most of some files' codes are numbers.
        let labels = (String::from("code"), ColumnRole::Categorical);
        settings.read.columns.extend([labels]);
        let run = Run::of(&settings).unwrap();
        let config = PredictionConfig::of(&run.model);
        let out = run.file("out.csv");
        let account = run
            .model
            .predict_file(case(predict), &out, &config)
            .unwrap();
        let matched = &account.transform.matched[0];
        assert_eq!(matched.column, "code");
        assert!(account.transform.unknown.is_empty(), "{predict}");
        let told = account.to_string();
        for part in ["column 'code'", label, "same value", "labels"] {
            assert!(told.contains(part), "{predict}: {told}");
        }
        // As if they were written alike.
        let alike = text(case(predict))
            .lines()
            .map(|line| match line.rsplit_once(',').unwrap() {
                (rest, "10") => format!("{rest},010"),
                (rest, "1" | "0") if predict.contains("boolean") => {
                    format!(
                        "{rest},{}",
                        if line.ends_with('1') { "True" } else { "False" }
                    )
                }
                (rest, code) if predict.contains("zeros") && code.len() == 1 => {
                    format!("{rest},00{code}")
                }
                (rest, code) => format!("{rest},{}", code.trim_end_matches(".0")),
            })
            .collect::<Vec<_>>()
            .join("\n");
        let same = run.file("same.csv");
        std::fs::write(&same, alike).unwrap();
        let as_trained = run
            .model
            .predict_file(&same, run.file("b.csv"), &config)
            .unwrap();
        assert!(as_trained.transform.matched.is_empty(), "{predict}");
        assert_eq!(as_trained.scores, account.scores, "{predict}");
    }
}

#[test]
fn a_column_of_mostly_unknown_labels_is_refused_with_both_sets() {
    let run = Run::of(&config("target_pending_train.csv", "iv")).unwrap();
    let mut config = PredictionConfig::of(&run.model);
    let other = run.file("other.csv");
    let lines = text(case("target_pending_train.csv"));
    let lines = lines
        .lines()
        .enumerate()
        .map(|(i, line)| match line.rsplit_once(',') {
            Some((rest, code)) if i > 0 => format!("{rest},class {code}"),
            _ => line.to_string(),
        });
    std::fs::write(&other, lines.collect::<Vec<_>>().join("\n")).unwrap();
    let out = run.file("out.csv");
    let error = run.model.predict_file(&other, &out, &config).unwrap_err();
    assert!(error.is_data());
    let error = error.to_string();
    for part in [
        "other.csv",
        "'code'",
        "240 of 240",
        "'class a'",
        "'a'",
        "row 2",
    ] {
        assert!(error.contains(part), "{part}: {error}");
    }
    assert!(!out.exists());
    config.allow_unknown_labels = true;
    let account = run.model.predict_file(&other, &out, &config).unwrap();
    assert_eq!(account.transform.unknown[0].count, 240);
    assert!(account.to_string().contains("not seen in training"));
}
