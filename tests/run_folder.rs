//! What a run's folder keeps through failed starts, cut files, changed data and two owners.

use std::fs;
use std::path::{Path, PathBuf};

use volatilityforge::data::ColumnValues;
use volatilityforge::experiment::{Experiment, ExperimentConfig, RunEvent, RunOptions, Summary};
use volatilityforge::files::FolderLock;
use volatilityforge::{Column, Error, Table};

use crate::chain::{ROWS, chain};
use crate::experiment::{Nobody, config, run};

const MODELS: [&str; 2] = ["tabular_mlp", "tabular_resnet"];

/// Resumes to the end; what was found damaged is named.
fn resume(config: &ExperimentConfig, out: &Path) -> Result<(Summary, Vec<String>), Error> {
    let mut damaged = Vec::new();
    let summary = Experiment::new(config.clone())?.run(RunOptions {
        out: out.into(),
        resume: true,
        stop: Default::default(),
        on_event: Box::new(|event| {
            if let RunEvent::Damaged(model, error) = event {
                assert!(error.is_damaged(), "{error}");
                damaged.push((*model).to_string());
            }
        }),
        observer: Box::new(|_| Box::new(Nobody)),
        sections: Vec::new(),
    })?;
    Ok((summary.unwrap(), damaged))
}

/// A finished run, its config and its folder.
fn finished(folder: &Path) -> (ExperimentConfig, PathBuf, Summary) {
    let config = config(folder);
    let out = folder.join("run");
    let summary = run(&config, &out, false, None).unwrap().unwrap();
    (config, out, summary)
}

fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap();
    let mut names: Vec<String> = entries
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn resuming_without_a_run_says_what_is_missing_and_trains_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let typo = folder.path().join("typo");
    let error = run(&config, &typo, true, None).unwrap_err();
    assert!(error.is_config(), "{error}");
    assert!(error.to_string().contains("no such folder"), "{error}");
    assert!(!typo.exists());

    let out = folder.path().join("run");
    assert!(run(&config, &out, false, Some(3)).unwrap().is_none());
    fs::remove_file(out.join("config.toml")).unwrap();
    for error in [
        run(&config, &out, true, None).unwrap_err(),
        ExperimentConfig::of_run(&out).unwrap_err(),
    ] {
        assert!(error.is_config(), "{error}");
        assert!(
            error.to_string().contains("config.toml is missing"),
            "{error}"
        );
    }
    // Nor is it taken for a new folder: its checkpoints are of a run.
    let error = run(&config, &out, false, None).unwrap_err();
    assert!(
        error.to_string().contains("checkpoints is there"),
        "{error}"
    );
}

/// A full disk, or an editor, may leave the settings cut off anywhere; what is missing would take
/// its default.
#[test]
fn settings_that_are_cut_off_are_not_taken_for_settings() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path());
    let out = folder.path().join("run");
    assert!(run(&config, &out, false, Some(3)).unwrap().is_none());
    let file = out.join("config.toml");
    let whole = fs::read_to_string(&file).unwrap();
    let lines: Vec<&str> = whole.split_inclusive('\n').collect();
    for n in 0..lines.len() {
        fs::write(&file, lines[..n].concat()).unwrap();
        let error = run(&config, &out, true, None).unwrap_err();
        assert!(error.is_artifact(), "{n} lines: {error}");
        assert!(error.to_string().contains("config.toml"), "{error}");
    }
    // In the middle, by a line that has a default.
    let without = |line: &str| whole.replacen(line, "", 1);
    fs::write(&file, without("validation_fraction = 0.15\n")).unwrap();
    let error = ExperimentConfig::of_run(&out).unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("estimator.validation_fraction is missing"),
        "{text}"
    );

    fs::write(&file, &whole).unwrap();
    assert_eq!(ExperimentConfig::of_run(&out).unwrap(), config);
    resume(&config, &out).unwrap();
}

#[test]
fn a_start_that_failed_leaves_nothing_and_blocks_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let good = config(folder.path());
    let out = folder.path().join("runs/of/today");
    let mut hole = chain().columns().to_vec();
    if let ColumnValues::Numeric(values) = &mut hole[3].values {
        values[ROWS - 1] = f64::NAN;
    }
    let hole_in = folder.path().join("hole.csv");
    Table::new(hole).unwrap().write_csv(&hole_in).unwrap();
    type Change<'a> = &'a dyn Fn(&mut ExperimentConfig);
    let bad: [(&str, Change<'_>); 7] = [
        ("vul", &|c| c.target = vec!["vul".into()]),
        ("logmoneyness", &|c| c.ignore = vec!["logmoneyness".into()]),
        ("weight", &|c| c.weights = Some("weight".into())),
        ("option_type", &|c| c.weights = Some("option_type".into())),
        // Wherever the split puts the row.
        ("vol", &|c| c.data = Some(hole_in.clone())),
        // The second model would find out after the first is trained.
        ("d_block", &|c| {
            let wide = r#"{"model": "tabular_resnet", "d_block": 0}"#;
            if let Ok(model) = serde_json::from_str(wide) {
                c.models[1] = model;
            } else {
                c.models[1] = "d_block".into();
            }
        }),
        // Found out by the trainer, when the folder is made already.
        ("micro_batches", &|c| {
            c.models = vec!["tabpfn_v1".into()];
            c.estimator.training.micro_batches = Some(2);
        }),
    ];
    for (what, change) in bad {
        let mut config = good.clone();
        change(&mut config);
        let error = run(&config, &out, false, None).unwrap_err();
        assert!(error.to_string().contains(what), "{what}: {error}");
        assert!(!folder.path().join("runs").exists(), "{what}");
    }
    // What was there before stays.
    fs::create_dir_all(&out).unwrap();
    fs::write(out.join("notes.txt"), "mine").unwrap();
    let mut config = good.clone();
    config.models = vec!["tabpfn_v1".into()];
    config.estimator.training.micro_batches = Some(2);
    run(&config, &out, false, None).unwrap_err();
    assert_eq!(names(&out), ["notes.txt"]);
    assert!(run(&good, &out, false, Some(3)).unwrap().is_none());
}

#[test]
fn models_are_not_reused_after_the_data_changed() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out, _) = finished(folder.path());
    let data = config.data.clone().unwrap();
    let before = fs::read(out.join("metrics.json")).unwrap();
    let mut columns = chain().columns().to_vec();
    if let ColumnValues::Numeric(values) = &mut columns[3].values {
        values.iter_mut().for_each(|v| *v += 5.0);
    }
    Table::new(columns).unwrap().write_csv(&data).unwrap();
    let error = resume(&config, &out).unwrap_err();
    let text = error.to_string();
    assert!(
        error.is_config() && text.contains("changed") && text.contains("tabular_mlp.json"),
        "{text}"
    );
    assert_eq!(fs::read(out.join("metrics.json")).unwrap(), before);
    chain().write_csv(&data).unwrap();
    assert!(resume(&config, &out).unwrap().1.is_empty());
}

#[test]
fn a_column_that_nobody_looks_at_may_change() {
    let folder = tempfile::tempdir().unwrap();
    let mut config = config(folder.path());
    config.ignore = vec!["note".into()];
    config.models.truncate(1);
    let data = config.data.clone().unwrap();
    let with_note = |value: f64| {
        let table = chain().with_column(Column::numeric("note", vec![value; ROWS]));
        table.unwrap().write_csv(&data).unwrap();
    };
    with_note(1.0);
    let out = folder.path().join("run");
    run(&config, &out, false, None).unwrap().unwrap();
    with_note(2.0);
    resume(&config, &out).unwrap();
}

#[test]
fn a_damaged_artifact_or_record_is_noticed_and_made_again() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out, summary) = finished(folder.path());
    let second = MODELS
        .into_iter()
        .find(|name| *name != summary.best)
        .unwrap();
    let artifact = out.join(format!("{second}.safetensors"));
    let whole = fs::read(&artifact).unwrap();
    let mut bytes = whole.clone();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(&artifact, bytes).unwrap();
    let (again, damaged) = resume(&config, &out).unwrap();
    assert_eq!(damaged, [second]);
    assert_eq!(fs::read(&artifact).unwrap(), whole);
    assert_eq!(again.best, summary.best);

    let record = out.join(format!("{}.json", summary.best));
    let text = fs::read_to_string(&record).unwrap();
    fs::write(&record, &text[..text.len() / 2]).unwrap();
    assert_eq!(resume(&config, &out).unwrap().1, [summary.best.as_str()]);
    assert!(resume(&config, &out).unwrap().1.is_empty());
}

/// A record is a file like any other: the name in it must not lead elsewhere.
#[test]
fn the_name_in_a_record_leads_nowhere() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out, summary) = finished(folder.path());
    let record = out.join(format!("{}.json", summary.best));
    let elsewhere = folder.path().join("elsewhere.safetensors");
    fs::copy(out.join("model.safetensors"), &elsewhere).unwrap();
    let text = fs::read_to_string(&record).unwrap();
    let quoted = |name: &str| format!("\"name\":\"{name}\"");
    let forged = text.replacen(&quoted(&summary.best), &quoted("../elsewhere"), 1);
    assert_ne!(forged, text);
    fs::write(&record, forged).unwrap();
    let (again, damaged) = resume(&config, &out).unwrap();
    assert_eq!(damaged, [summary.best.as_str()]);
    assert_eq!(again.best, summary.best);
}

#[test]
fn a_folder_has_one_run_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out, _) = finished(folder.path());
    let scratch = out.join("metrics.json.half.tmp");
    let log = out.join("metrics/tabular_mlp.jsonl.half.tmp");
    for half in [&scratch, &log] {
        fs::write(half, "in the making").unwrap();
    }
    let lock = FolderLock::take(out.join("run.lock")).unwrap();
    let error = resume(&config, &out).unwrap_err();
    let process = format!("process {}", std::process::id());
    assert!(
        error.is_io() && error.to_string().contains(&process),
        "{error}"
    );
    assert!(scratch.exists() && log.exists());
    drop(lock);
    resume(&config, &out).unwrap();
    // Its writer was gone, as the lock shows.
    assert!(!scratch.exists() && !log.exists() && !out.join("run.lock").exists());
}

#[cfg(unix)]
#[test]
fn files_of_a_run_are_replaced_not_written_through() {
    let folder = tempfile::tempdir().unwrap();
    let (config, out, _) = finished(folder.path());
    let outside = folder.path().join("outside");
    let files = [
        "metrics.json",
        "report.html",
        "sample.csv",
        "model.safetensors",
    ];
    for file in files {
        fs::remove_file(out.join(file)).unwrap();
        fs::write(&outside, "not yours").unwrap();
        std::os::unix::fs::symlink(&outside, out.join(file)).unwrap();
        resume(&config, &out).unwrap();
        assert_eq!(fs::read_to_string(&outside).unwrap(), "not yours", "{file}");
        assert!(fs::symlink_metadata(out.join(file)).unwrap().is_file());
    }
}
