//! How a table was read goes with the model.

use volatilityforge::experiment::{ExperimentConfig, ExperimentData};
use volatilityforge::prediction::PredictionConfig;
use volatilityforge::read_table;

use crate::cases::{Run, case, config};

/// The settings that come with a file.
fn with_settings(name: &str, target: &str) -> ExperimentConfig {
    let file = ExperimentConfig::from_toml_file(case(&format!("{name}.toml"))).unwrap();
    ExperimentConfig {
        read: file.read,
        ..config(&format!("{name}.csv"), target)
    }
}

/// Read with the model's settings alone, the training file has the hold-out score that the run
/// told, and so has the sample that the run wrote.
#[test]
fn the_training_file_and_the_sample_score_as_the_run_did() {
    for (name, target) in [
        ("title_line", "iv"),
        ("no_header", "c3"),
        ("decimal_comma_declared", "oi"),
        ("duplicate_names", "iv"),
        ("infinite", "iv"),
    ] {
        let config = with_settings(name, target);
        let run = Run::of(&config).unwrap();
        let split = ExperimentData::load(&config).unwrap().split;
        let data = case(&format!("{name}.csv"));
        let (table, _) = read_table(&data, &run.model.read_options()).unwrap();
        let hold_out = run.model.scores_with_report(&table, Some(&split.test));
        let (again, _) = hold_out.unwrap();
        assert_eq!(again, run.summary.models[0].scores, "{name}");

        let mut settings = PredictionConfig::of(&run.model);
        // Under the comma that is declared, its numbers with a point are labels, most of them new.
        settings.allow_unknown_labels = name == "decimal_comma_declared";
        let of_file = |data, out: &str| run.model.predict_file(data, run.file(out), &settings);
        let all = of_file(data, "all.csv").unwrap();
        assert_eq!((all.rows, all.scored), (240, 240), "{name}");
        let sample = of_file(run.file("run/sample.csv"), "sample.csv").unwrap();
        let found = sample.scores.unwrap();
        for (found, told) in found.iter().zip(again.iter()) {
            let close = (found.value - told.value).abs() < 1e-9;
            assert!(
                found.name == told.name && close,
                "{name}: {found:?} {told:?}"
            );
        }
        // What was written beside the file is read back with the same settings.
        let (written, _) = read_table(run.file("all.csv"), &config.read).unwrap();
        assert_eq!(written.n_rows(), 240, "{name}");
    }
}

/// A file without the title that the training file had.
#[test]
fn settings_can_be_others_by_file_and_by_flag() {
    let run = Run::of(&with_settings("title_line", "iv")).unwrap();
    let text = std::fs::read_to_string(case("title_line.csv")).unwrap();
    let (_, untitled) = text.split_once('\n').unwrap();
    let plain = run.file("plain.csv");
    std::fs::write(&plain, untitled).unwrap();
    let as_trained = PredictionConfig::of(&run.model);
    let error = run
        .model
        .predict_file(&plain, run.file("a.csv"), &as_trained);
    assert!(error.unwrap_err().is_data());

    let mut by_flag = as_trained.clone();
    by_flag.set("read.skip_rows=0").unwrap();
    let file = run.file("read.toml");
    std::fs::write(&file, "target = \"iv\"\n[read]\nskip_rows = 0\n").unwrap();
    let mut by_file = as_trained.clone();
    by_file.read_settings_file(&file).unwrap();
    assert_eq!(by_file, by_flag);
    let whole = |config, data, out: &str| {
        let account = run.model.predict_file(data, run.file(out), config).unwrap();
        account.scores.unwrap()
    };
    let titled = whole(&as_trained, case("title_line.csv"), "b.csv");
    assert_eq!(whole(&by_flag, plain, "c.csv"), titled);

    let mut wrong = as_trained;
    for bad in ["read.skip_row=0", "columns=all", "read.skip_rows"] {
        let error = wrong.set(bad).unwrap_err();
        assert!(
            error.is_config() && error.to_string().contains(bad),
            "{error}"
        );
    }
    std::fs::write(&file, "[read]\nskip = 1\n").unwrap();
    let error = wrong.read_settings_file(&file).unwrap_err().to_string();
    assert!(
        error.contains("read.toml") && error.contains("skip"),
        "{error}"
    );
}

/// Where no cell of a file says which mark it has, it has the one of training.
#[test]
fn a_decimal_comma_found_in_training_is_assumed_afterwards() {
    let folder = tempfile::tempdir().unwrap();
    let train = folder.path().join("train.csv");
    let rows: String = (0..120)
        .map(|i| {
            format!(
                "{},{:03};0,{:04}\n",
                1 + i % 3,
                i * 7 % 1000,
                2000 + i * 13 % 97
            )
        })
        .collect();
    std::fs::write(&train, format!("x;iv\n{rows}")).unwrap();
    let mut settings = config("title_line.csv", "iv");
    settings.data = Some(train);
    let run = Run::of(&settings).unwrap();
    let predict = folder.path().join("predict.csv");
    let read = |text: &str| {
        std::fs::write(&predict, text).unwrap();
        let (table, _) = read_table(&predict, &run.model.read_options()).unwrap();
        let found = run.model.predictions(&table).unwrap().point();
        (table.column("x").unwrap().clone(), found)
    };
    let (x, _) = read("x;other\n1,234;a\n2,500;b\n");
    assert_eq!(x, volatilityforge::Column::numeric("x", vec![1.234, 2.5]));
    // A file that shows its own mark keeps it.
    let (x, _) = read("x;other\n1.5;a\n2.25;b\n");
    assert_eq!(x, volatilityforge::Column::numeric("x", vec![1.5, 2.25]));
}
