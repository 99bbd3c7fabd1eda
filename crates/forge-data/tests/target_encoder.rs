//! Targets of every task: several numbers, a guess of the task, and the file form.

use std::collections::BTreeMap;

use burn::tensor::TensorData;
use forge_data::{
    Column, ColumnRole, NumericTargets, Table, TargetEncoder, TargetManifest, TaskKind, infer_task,
};
use serde_json::json;

use crate::tables::{NAN, all, dates, labels};

fn table() -> Table {
    Table::new(vec![
        Column::numeric("low", vec![1.0, 3.0, 5.0, 99.0]),
        Column::numeric("high", vec![30.0, 10.0, 20.0, f64::INFINITY]),
        Column::numeric("flat", vec![7.0; 4]),
        labels("kind", &[Some("b"), Some("a"), Some("b"), Some("c")]),
        dates("day", &[1, 2, 3, 4]),
    ])
    .unwrap()
}

fn says(text: &str, words: &[&str]) {
    for word in words {
        assert!(text.contains(word), "expected '{word}' in: {text}");
    }
}

#[test]
fn several_targets_are_rows_of_slots() {
    let t = table();
    let y = TargetEncoder::fit(&t, &["low", "high", "flat"], &[0, 1, 2]).unwrap();
    assert_eq!((y.slots(), y.task()), (3, TaskKind::Regression));
    assert_eq!(y.names(), ["low", "high", "flat"]);
    assert_eq!(y.roles()[1], ("high".into(), ColumnRole::Numeric));
    let std = (8f64 / 3.0).sqrt();
    let scale = y.scale();
    assert!((scale[0] - std).abs() < 1e-12 && (scale[1] / scale[0] - 5.0).abs() < 1e-12);
    assert_eq!(scale[2], 1.0);
    let encoded = y.encode(&t, Some(&[1, 0])).unwrap();
    assert_eq!((encoded.slots, encoded.n_rows()), (3, 2));
    assert_eq!(encoded.original, [3.0, 10.0, 7.0, 1.0, 30.0, 7.0]);
    let z = (2.0 / std) as f32;
    let expected = [0.0, -z, 0.0, -z, z, 0.0];
    assert!(
        encoded
            .values
            .iter()
            .zip(expected)
            .all(|(a, b)| (a - b).abs() < 1e-6)
    );
    let back = y.inverse(&encoded.values).unwrap();
    assert!(
        back.iter()
            .zip(&encoded.original)
            .all(|(a, b)| (a - b).abs() < 1e-5)
    );
    assert!(y.inverse(&[0.0; 4]).unwrap_err().is_schema());
}

#[test]
fn bad_numeric_targets_are_named() {
    let t = table();
    let error = |names: &[&str]| {
        NumericTargets::fit(&t, names, &all(&t))
            .unwrap_err()
            .to_string()
    };
    says(&error(&["low", "high"]), &["row 5: column 'high'", "inf"]);
    says(
        &error(&["low", "kind"]),
        &["column 'kind'", "labels", "classes"],
    );
    says(&error(&["day"]), &["column 'day'", "dates"]);
    says(&error(&["low", "low"]), &["column 'low'", "twice"]);
    says(&error(&[]), &["no target column"]);
    let uneven = NumericTargets::fit_columns(&[("a", &[1.0, 2.0]), ("b", &[1.0])]);
    says(
        &uneven.unwrap_err().to_string(),
        &["column 'b'", "1 targets", "'a' has 2"],
    );
    let y = NumericTargets::fit(&t, &["low"], &[0, 1]).unwrap();
    let huge = Table::from_numeric(["low"], &[1.0, 1e300]).unwrap();
    says(
        &y.encode(&huge, None).unwrap_err().to_string(),
        &["row 3: column 'low'", "too large"],
    );
    let two = TargetEncoder::fit_as(TaskKind::Binary, &t, &["kind", "flat"], &[0, 1, 2]);
    says(
        &two.unwrap_err().to_string(),
        &["2 targets", "one classifier per column"],
    );
}

#[test]
fn classes_are_encoded_and_named() {
    let t = table();
    let y = TargetEncoder::fit(&t, &["kind"], &[0, 1, 2]).unwrap();
    assert_eq!(
        (y.slots(), y.task(), y.scale()),
        (1, TaskKind::Binary, vec![1.0])
    );
    let encoded = y.encode(&t, Some(&[0, 1])).unwrap();
    assert_eq!(
        (encoded.values, encoded.original),
        (vec![1.0, 0.0], vec![1.0, 0.0])
    );
    assert_eq!(y.inverse(&[1.0]).unwrap(), [1.0]);
    assert_eq!(y.classes().unwrap().positive(), Some("b"));
    assert!(y.numeric().is_none());
    // The caller overrules the guess.
    let integers = Table::from_numeric(["n"], &[0.0, 1.0, 0.0, 1.0]).unwrap();
    let guessed = TargetEncoder::fit(&integers, &["n"], &all(&integers)).unwrap();
    assert_eq!(guessed.task(), TaskKind::Binary);
    let told = TargetEncoder::fit_as(TaskKind::Regression, &integers, &["n"], &all(&integers));
    assert_eq!(told.unwrap().task(), TaskKind::Regression);
}

#[test]
fn the_task_is_guessed_with_a_reason() {
    let guess = |column: Column| {
        let t = Table::new(vec![column]).unwrap();
        infer_task(&t, "y", &all(&t)).unwrap()
    };
    let cycle =
        |n: usize, rows: usize| Column::numeric("y", (0..rows).map(|i| (i % n) as f64).collect());
    let text = |cells: &[&str]| labels("y", &cells.iter().copied().map(Some).collect::<Vec<_>>());
    for (column, kind, reason) in [
        (
            text(&["a", "b"]),
            TaskKind::Binary,
            "two classes: 'y' holds 2 labels",
        ),
        (
            text(&["TRUE", "false", "true"]),
            TaskKind::Binary,
            "2 labels",
        ),
        (
            text(&["a", "b", "c"]),
            TaskKind::Multiclass(3),
            "3 classes: 'y' holds 3 labels",
        ),
        (
            cycle(2, 2),
            TaskKind::Binary,
            "2 distinct whole numbers in 2 rows",
        ),
        (
            cycle(20, 100),
            TaskKind::Multiclass(20),
            "20 distinct whole numbers in 100 rows",
        ),
        (
            cycle(20, 99),
            TaskKind::Regression,
            "in 99 rows, fewer than 5 rows per number",
        ),
        (
            cycle(21, 1000),
            TaskKind::Regression,
            "more than 20 distinct whole numbers",
        ),
        (cycle(1, 9), TaskKind::Regression, "one number only"),
        (
            Column::numeric("y", vec![1.0, NAN, 0.5]),
            TaskKind::Regression,
            "such as 0.5",
        ),
        (
            Column::numeric("y", vec![1.0, f64::INFINITY]),
            TaskKind::Regression,
            "such as inf",
        ),
        (
            Column::numeric("y", vec![1.0, NAN, 0.0]),
            TaskKind::Binary,
            "in 2 rows",
        ),
    ] {
        let guess = guess(column);
        assert_eq!(guess.kind, kind, "{guess}");
        says(&guess.to_string(), &[reason]);
    }
    let t = Table::new(vec![
        text(&["a", "a"]),
        dates("day", &[1, 2]),
        Column::numeric("none", vec![NAN, NAN]),
        labels("empty", &[None, None]),
    ])
    .unwrap();
    let error = |name: &str| infer_task(&t, name, &[0, 1]).unwrap_err().to_string();
    says(&error("y"), &["column 'y'", "'a'", "two classes"]);
    says(&error("day"), &["dates"]);
    says(&error("none"), &["column 'none'", "no row has a target"]);
    says(&error("empty"), &["column 'empty'", "no row has a target"]);
    assert!(infer_task(&t, "y", &[2]).unwrap_err().is_config());
}

type Tensors = BTreeMap<String, TensorData>;

fn back(manifest: serde_json::Value, tensors: &Tensors) -> Result<TargetEncoder, String> {
    let manifest: TargetManifest = serde_json::from_value(manifest).map_err(|e| e.to_string())?;
    TargetEncoder::from_parts(manifest, tensors).map_err(|e| {
        assert!(e.is_parse(), "{e}");
        e.to_string()
    })
}

#[test]
fn parts_give_the_same_targets_back() {
    let t = table();
    let booleans = labels("y", &[Some("true"), Some("false")]);
    let booleans = Table::new(vec![booleans]).unwrap();
    let integers = Table::from_numeric(["y"], &[4.0, -1.0]).unwrap();
    for (table, names) in [
        (&t, vec!["low", "flat"]),
        (&t, vec!["kind"]),
        (&booleans, vec!["y"]),
    ] {
        let y = TargetEncoder::fit(table, &names, &[0, 1]).unwrap();
        let (manifest, tensors) = y.to_parts();
        assert_eq!(
            back(serde_json::to_value(manifest).unwrap(), &tensors).unwrap(),
            y
        );
    }
    let y = TargetEncoder::fit_as(TaskKind::Binary, &integers, &["y"], &[0, 1]).unwrap();
    let (manifest, tensors) = y.to_parts();
    assert!(tensors.is_empty());
    let manifest = serde_json::to_value(manifest).unwrap();
    let labels = json!({"integers": [-1, 4]});
    assert_eq!(
        manifest,
        json!({"version": 2, "classes": {"name": "y", "labels": labels, "counts": [1, 1]}})
    );
    assert_eq!(back(manifest, &tensors).unwrap(), y);
}

/// The bytes that version 1 wrote.
#[test]
fn files_of_version_1_are_read() {
    let tensors: Tensors = [("target.center", 0.25), ("target.scale", 2.0)]
        .map(|(name, v)| (name.to_string(), TensorData::new(vec![v], [1])))
        .into();
    let y = back(
        json!({"version": 1, "name": "vol", "constant": false}),
        &tensors,
    )
    .unwrap();
    assert_eq!((y.names(), y.scale()), (vec!["vol"], vec![2.0]));
    assert_eq!(y.inverse(&[1.0]).unwrap(), [2.25]);
}

#[test]
fn hostile_numeric_parts_are_refused() {
    let t = table();
    let y = TargetEncoder::fit(&t, &["low", "flat"], &[0, 1]).unwrap();
    let (manifest, tensors) = y.to_parts();
    let manifest = serde_json::to_value(manifest).unwrap();
    for (name, data) in [
        ("target.scale", TensorData::new(vec![1.0, 0.0], [2])),
        ("target.scale", TensorData::new(vec![f64::NAN, 1.0], [2])),
        ("target.center", TensorData::new(vec![1.0], [1])),
        ("target.center", TensorData::new(vec![1.0, 2.0], [2, 1])),
        ("target.center", TensorData::new(vec![1.0f32, 2.0], [2])),
        ("target.else", TensorData::new(vec![1.0], [1])),
    ] {
        let mut bad = tensors.clone();
        bad.insert(name.into(), data);
        says(&back(manifest.clone(), &bad).unwrap_err(), &[name]);
    }
    let mut short = tensors.clone();
    short.remove("target.scale");
    says(
        &back(manifest.clone(), &short).unwrap_err(),
        &["'target.scale' is missing"],
    );
    let mut foreign = tensors.clone();
    foreign.insert("model.weight".into(), TensorData::new(vec![0.0], [1]));
    assert!(back(manifest, &foreign).is_ok());
    let column = json!({"name": "a", "constant": false});
    let twice = json!({"version": 2, "numeric": [column, column]});
    says(
        &back(twice, &tensors).unwrap_err(),
        &["column 'a'", "twice"],
    );
    let nothing: Tensors = ["target.center", "target.scale"]
        .map(|name| (name.to_string(), TensorData::new(Vec::<f64>::new(), [0])))
        .into();
    says(
        &back(json!({"version": 2, "numeric": []}), &nothing).unwrap_err(),
        &["no target column"],
    );
}

#[test]
fn hostile_manifests_are_refused() {
    let none = Tensors::new();
    let classes = |labels: serde_json::Value, counts: serde_json::Value| json!({"version": 2, "classes": {"name": "y", "labels": labels, "counts": counts}});
    assert!(back(classes(json!({"text": ["a", "b"]}), json!([1, 1])), &none).is_ok());
    let many: Vec<i64> = (0..1001).collect();
    for (manifest, words) in [
        (json!({"version": 3, "numeric": []}), "version 3"),
        (json!({"version": 1, "name": "y"}), "`constant`"),
        (
            json!({"version": 2, "name": "y", "constant": true}),
            "`classes`",
        ),
        (json!({"version": 2}), "`numeric`"),
        (json!({"version": 2, "numeric": [], "more": 1}), "more"),
        (classes(json!({"floats": [1.0]}), json!([1])), "floats"),
        (classes(json!({"text": ["a"]}), json!([1])), "column 'y'"),
        (
            classes(json!({"integers": many}), json!([1])),
            "1001 classes",
        ),
        (
            classes(json!({"text": ["b", "a"]}), json!([1, 1])),
            "sorted",
        ),
        (
            classes(json!({"text": ["a", "a"]}), json!([1, 1])),
            "sorted",
        ),
        (
            classes(json!({"text": ["1", "1.0"]}), json!([1, 1])),
            "one spelling",
        ),
        (
            classes(json!({"text": ["False", "True"]}), json!([1, 1])),
            "one spelling",
        ),
        (
            classes(json!({"integers": [2, 1]}), json!([1, 1])),
            "sorted",
        ),
        (
            classes(json!({"integers": [0, i64::MAX]}), json!([1, 1])),
            "sorted",
        ),
        (classes(json!("booleans"), json!([1])), "counts"),
        (classes(json!("booleans"), json!([1, 0])), "counts"),
        (classes(json!("booleans"), json!([1, -1])), "-1"),
    ] {
        let text = manifest.to_string();
        let error = back(manifest, &none).unwrap_err();
        assert!(
            error.contains(words),
            "expected '{words}' in: {error} of {text}"
        );
    }
    let stray: Tensors = [("target.scale".to_string(), TensorData::new(vec![1.0], [1]))].into();
    let error = back(classes(json!("booleans"), json!([1, 1])), &stray).unwrap_err();
    says(&error, &["'target.scale' is not known"]);
}
