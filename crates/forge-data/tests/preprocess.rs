use forge_data::{
    CategoricalEncoding, Column, ColumnValues, DropReason, FeatureSelection, Impute,
    NumericTransform, PreprocessConfig, Preprocessor, Table,
};
use serde::Deserialize;

use crate::tables::{NAN, all, dates, except, labels};

fn config() -> PreprocessConfig {
    PreprocessConfig::default()
}

fn one_hot() -> PreprocessConfig {
    PreprocessConfig {
        categorical: CategoricalEncoding::OneHot,
        ..config()
    }
}

fn table(columns: Vec<Column>) -> Table {
    Table::new(columns).unwrap()
}

#[test]
fn standardises_with_the_training_rows_alone() {
    let t = table(vec![Column::numeric("x", vec![1.0, 3.0, 5.0, 700.0])]);
    let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1, 2], &config()).unwrap();
    let x = p.transform(&t, None).unwrap();
    let std = (8.0f64 / 3.0).sqrt(); // mean 3
    for (got, raw) in x.numeric.iter().zip([1.0, 3.0, 5.0, 700.0]) {
        assert!((f64::from(*got) - (raw - 3.0) / std).abs() <= 1e-5 * (1.0 + raw));
    }
    assert_eq!(report.train_rows, 3);
    assert_eq!((x.n_numeric, x.n_categorical, x.n_rows), (1, 0, 4));
}

#[test]
fn imputes_with_mean_or_median_and_marks_it() {
    let t = table(vec![
        Column::numeric("a", vec![0.0, 1.0, NAN, 8.0, 100.0]),
        Column::numeric("b", vec![1.0, 2.0, 3.0, 4.0, NAN]),
    ]);
    for (impute, expected) in [(Impute::Mean, 3.0), (Impute::Median, 1.0)] {
        let c = PreprocessConfig {
            numeric: NumericTransform::None,
            impute,
            ..config()
        };
        let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1, 2, 3], &c).unwrap();
        assert_eq!(report.imputed, [("a".to_string(), 1)]);
        assert_eq!(p.numeric_names(), ["a", "b", "a (missing)"]);
        let x = p.transform(&t, None).unwrap();
        assert_eq!(&x.numeric[6..9], [expected, 3.0, 1.0]);
        assert_eq!(x.numeric[0..3], [0.0, 1.0, 0.0]);
        // Missing at prediction only: imputed and counted, but b has no indicator.
        assert_eq!(&x.numeric[12..15], [100.0, 2.5, 0.0]);
        let missing = x.report.missing.iter();
        let missing: Vec<_> = missing
            .map(|m| (m.column.as_str(), m.count, m.row, m.new))
            .collect();
        assert_eq!(missing, [("a", 1, 2, false), ("b", 1, 4, true)]);
    }
}

#[test]
fn indicators_can_be_switched_off() {
    let t = table(vec![Column::numeric("a", vec![0.0, NAN, 2.0])]);
    let c = PreprocessConfig {
        missing_indicator: false,
        ..config()
    };
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &c).unwrap();
    assert_eq!(p.numeric_names(), ["a"]);
}

#[test]
fn useless_columns_are_left_out_and_reported() {
    let t = table(vec![
        Column::numeric("constant", vec![7.0; 4]),
        Column::numeric("empty", vec![NAN; 4]),
        Column::numeric("seven_or_none", vec![7.0, NAN, 7.0, NAN]),
        labels("one_label", &[Some("x"); 4]),
        labels("no_label", &[None; 4]),
        dates("day", &[1, 2, 3, 4]),
        Column::numeric("good", vec![1.0, 2.0, 3.0, 4.0]),
        labels("id", &[Some("a"), Some("b"), Some("c"), Some("d")]),
    ]);
    let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap();
    let dropped: Vec<_> = report
        .dropped
        .iter()
        .map(|d| (d.name.as_str(), d.reason))
        .collect();
    assert_eq!(
        dropped,
        [
            ("constant", DropReason::Constant),
            ("empty", DropReason::AllMissing),
            ("seven_or_none", DropReason::ConstantButMissing),
            ("one_label", DropReason::Constant),
            ("no_label", DropReason::AllMissing),
            ("day", DropReason::DateTime),
        ]
    );
    assert_eq!(p.numeric_names(), ["good", "seven_or_none (missing)"]);
    assert_eq!(p.categorical_names(), ["id"]);
    assert_eq!(report.identifiers, ["id"]);
    let x = p.transform(&t, None).unwrap();
    let indicator: Vec<f32> = x.numeric.chunks(2).map(|row| row[1]).collect();
    assert_eq!(indicator, [0.0, 1.0, 0.0, 1.0]);
    let text = report.to_string();
    assert!(
        text.contains("column 'constant' left out: constant"),
        "{text}"
    );
}

#[test]
fn nothing_left_is_an_error_that_says_why() {
    let t = table(vec![
        Column::numeric("flat", vec![7.0; 3]),
        Column::numeric("y", vec![1.0, 2.0, 3.0]),
    ]);
    let error = Preprocessor::fit(&t, &except(&["y"]), &all(&t), &config()).unwrap_err();
    assert!(error.is_schema());
    assert!(error.to_string().contains("'flat': constant"), "{error}");
    let error = Preprocessor::fit(&t, &except(&["y", "flat"]), &all(&t), &config()).unwrap_err();
    assert!(error.to_string().contains("no feature columns"), "{error}");
}

#[test]
fn infinite_values_name_row_and_column() {
    let t = table(vec![Column::numeric(
        "x",
        vec![1.0, 2.0, f64::NEG_INFINITY],
    )]);
    let error = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap_err();
    assert!(error.is_value());
    assert!(
        error.to_string().starts_with("row 4: column 'x': -inf"),
        "{error}"
    );
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1], &config()).unwrap();
    let error = p.transform(&t, None).unwrap_err();
    assert!(
        error.to_string().starts_with("row 4: column 'x': -inf"),
        "{error}"
    );
    let t = table(vec![Column::numeric("x", vec![1.0, 2.0, 1e300])]);
    let error = p.transform(&t, None).unwrap_err();
    assert!(
        error.is_value() && error.to_string().contains("f32"),
        "{error}"
    );
}

#[test]
fn extreme_magnitudes_standardise() {
    for scale in [1e-300, 1e-160, 1e160, 1e300] {
        let t = table(vec![Column::numeric(
            "x",
            vec![scale, 2.0 * scale, 3.0 * scale],
        )]);
        let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap();
        let x = p.transform(&t, None).unwrap().numeric;
        let expected = 1.5f32.sqrt();
        for (got, want) in x.iter().zip([-expected, 0.0, expected]) {
            assert!((got - want).abs() < 1e-6, "{scale}: {x:?}");
        }
    }
}

#[test]
fn labels_get_codes_and_buckets() {
    let t = table(vec![
        labels(
            "kind",
            &[Some("b"), Some("a"), None, Some("a"), Some("new")],
        ),
        labels("full", &[Some("x"), Some("y"), Some("x"), Some("y"), None]),
    ]);
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1, 2, 3], &config()).unwrap();
    // kind: 0 unknown, 1 missing, 2 a, 3 b; full: 0 unknown, 1 x, 2 y.
    assert_eq!(p.cardinalities(), [4, 3]);
    let x = p.transform(&t, None).unwrap();
    assert_eq!(x.categorical, [3, 1, 2, 2, 1, 1, 2, 2, 0, 0]);
    let [unknown] = &x.report.unknown[..] else {
        panic!("{:?}", x.report);
    };
    assert_eq!(
        (unknown.column.as_str(), unknown.count, unknown.labelled),
        ("kind", 1, 4)
    );
    assert_eq!((unknown.row, unknown.label.as_str()), (4, "new"));
    assert_eq!(
        (&unknown.labels[..], &unknown.trained[..]),
        (&["new".to_string()][..], &["a".to_string(), "b".into()][..])
    );
    assert_eq!(
        x.report.to_string(),
        "column 'kind': 1 of 5 cells missing (first in row 4)\n\
         column 'full': 1 of 5 cells missing, where training had none (first in row 6)\n\
         column 'kind': 1 of 4 labels not seen in training, in the unknown bucket (first 'new' in \
         row 6; training has 'a', 'b')"
    );

    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1, 2, 3], &one_hot()).unwrap();
    assert_eq!(
        p.numeric_names(),
        ["kind (missing)", "kind=a", "kind=b", "full=x", "full=y"]
    );
    let x = p.transform(&t, None).unwrap();
    assert_eq!((x.n_numeric, x.n_categorical), (5, 0));
    assert_eq!(&x.numeric[0..5], [0.0, 0.0, 1.0, 1.0, 0.0]);
    assert_eq!(&x.numeric[10..15], [1.0, 0.0, 0.0, 1.0, 0.0]);
    assert_eq!(&x.numeric[20..25], [0.0; 5]); // unseen and missing: all zeros
}

#[test]
fn the_rarest_labels_share_the_unknown_bucket() {
    let t = table(vec![labels(
        "l",
        &["a", "b", "b", "c", "c", "c", "d"].map(Some),
    )]);
    let c = PreprocessConfig {
        max_categories: 2,
        ..config()
    };
    let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &c).unwrap();
    assert_eq!(p.cardinalities(), [3]);
    assert_eq!(report.rare[0].kept, 2);
    assert_eq!((report.rare[0].merged, report.rare[0].rows), (2, 2));
    let x = p.transform(&t, None).unwrap();
    assert_eq!(x.categorical, [0, 1, 1, 2, 2, 2, 0]);
    let c = PreprocessConfig {
        min_category_count: 3,
        ..config()
    };
    let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &c).unwrap();
    assert_eq!(p.cardinalities(), [2]);
    assert_eq!((report.rare[0].merged, report.rare[0].rows), (3, 4));
}

#[test]
fn a_million_categories_are_capped() {
    let n = 1_000_000;
    let categories: Vec<String> = (0..n).map(|i| format!("user{i}")).collect();
    let mut codes: Vec<u32> = (0..n).collect();
    codes[17] = 3; // the only label seen twice
    let t = table(vec![Column {
        name: "user".into(),
        values: ColumnValues::Categorical(forge_data::Categorical { codes, categories }),
        offsets: None,
    }]);
    let (p, report) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap();
    assert_eq!(p.cardinalities(), [10_001]);
    assert_eq!(report.rare[0].merged, 999_999 - 10_000);
    let x = p.transform(&t, Some(&[3, 17, 999_999])).unwrap();
    assert!(x.categorical[0] > 0);
    assert_eq!(x.categorical[0], x.categorical[1]);
}

#[test]
fn columns_are_found_by_name_and_extra_ones_ignored() {
    let a = Column::numeric("a", vec![1.0, 2.0, 4.0]);
    let b = labels("b", &[Some("u"), Some("v"), Some("u")]);
    let t = table(vec![a.clone(), b.clone()]);
    let swapped = table(vec![Column::numeric("extra", vec![0.0; 3]), b, a.clone()]);
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap();
    assert_eq!(
        p.transform(&t, None).unwrap(),
        p.transform(&swapped, None).unwrap()
    );
    let error = p.transform(&table(vec![a]), None).unwrap_err();
    assert!(
        error.is_schema() && error.to_string().contains("'b'"),
        "{error}"
    );
}

#[test]
fn columns_of_another_kind_are_converted_or_refused() {
    let t = table(vec![
        Column::numeric("x", vec![1.0, 2.0, 4.0]),
        labels("code", &[Some("3"), Some("7.5"), Some("n/a")]),
    ]);
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config()).unwrap();
    let want = p.transform(&t, Some(&[0, 1])).unwrap();
    let other = table(vec![
        labels("x", &[Some(" 1.0"), Some("2")]),
        Column::numeric("code", vec![3.0, 7.5]),
    ]);
    assert_eq!(p.transform(&other, None).unwrap(), want);
    let other = table(vec![
        labels("x", &[Some("1"), Some("two")]),
        Column::numeric("code", vec![NAN, 9.0]),
    ]);
    let error = p.transform(&other, None).unwrap_err();
    assert!(
        error.to_string().starts_with("row 3: column 'x': 'two'"),
        "{error}"
    );
    let x = p.transform(&other, Some(&[0])).unwrap();
    assert_eq!(x.categorical, [0]);
    let dated = table(vec![dates("x", &[5]), labels("code", &[Some("3")])]);
    assert!(p.transform(&dated, None).unwrap_err().is_schema());
    // A column without any value has no kind: a reader may call it anything.
    let empty = table(vec![dates("x", &[i64::MIN]), dates("code", &[i64::MIN])]);
    let x = p.transform(&empty, None).unwrap();
    assert_eq!((x.numeric, x.categorical), (vec![0.0], vec![0]));
}

#[test]
fn bad_requests_are_named() {
    let t = table(vec![Column::numeric("x", vec![1.0, 2.0])]);
    let fit = |f: &FeatureSelection, rows: &[usize], c: &PreprocessConfig| {
        Preprocessor::fit(&t, f, rows, c).unwrap_err()
    };
    let all = FeatureSelection::All;
    assert!(fit(&all, &[], &config()).is_value());
    assert!(
        fit(&all, &[2], &config())
            .to_string()
            .contains("row index 2")
    );
    assert!(fit(&except(&["nope"]), &[0], &config()).is_schema());
    assert!(
        fit(&except(&["x", "x"]), &[0], &config())
            .to_string()
            .contains("twice")
    );
    for (bad, field) in [
        (
            PreprocessConfig {
                n_quantiles: Some(1),
                ..config()
            },
            "n_quantiles = 1",
        ),
        (
            PreprocessConfig {
                quantile_noise: NAN,
                ..config()
            },
            "quantile_noise = NaN",
        ),
        (
            PreprocessConfig {
                max_categories: 0,
                ..config()
            },
            "max_categories = 0",
        ),
        (
            PreprocessConfig {
                max_one_hot: 0,
                ..config()
            },
            "max_one_hot = 0",
        ),
        (
            PreprocessConfig {
                min_category_count: 0,
                ..config()
            },
            "min_category_count = 0",
        ),
    ] {
        let error = fit(&all, &[0, 1], &bad);
        assert!(
            error.is_config() && error.to_string().contains(field),
            "{error}"
        );
    }
    let unknown = serde_json::from_str::<PreprocessConfig>(r#"{"imputation": "mean"}"#);
    assert!(unknown.unwrap_err().to_string().contains("imputation"));
}

#[test]
fn one_row_has_no_variance_and_zero_rows_transform_to_nothing() {
    let t = table(vec![Column::numeric("x", vec![1.0])]);
    let error = Preprocessor::fit(&t, &FeatureSelection::All, &[0], &config()).unwrap_err();
    assert!(error.to_string().contains("zero variance"), "{error}");
    let t = table(vec![Column::numeric("x", vec![1.0, 2.0])]);
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &[0, 1], &config()).unwrap();
    let x = p
        .transform(&table(vec![Column::numeric("x", vec![])]), None)
        .unwrap();
    assert_eq!((x.n_rows, x.numeric.len()), (0, 0));
}

#[test]
fn threads_do_not_change_the_result() {
    let n = 50_021;
    let t = table(vec![
        Column::numeric("x", (0..n).map(|i| f64::from(i % 997)).collect()),
        Column::numeric(
            "y",
            (0..n)
                .map(|i| if i % 7 == 0 { NAN } else { f64::from(i) })
                .collect(),
        ),
        labels(
            "l",
            &(0..n)
                .map(|i| Some(["a", "b", "c"][i as usize % 3]))
                .collect::<Vec<_>>(),
        ),
    ]);
    let (p, _) = Preprocessor::fit(
        &t,
        &FeatureSelection::All,
        &[0, 1, 2, 3, 4, 5, 6, 7, 8],
        &config(),
    )
    .unwrap();
    let whole = p.transform(&t, None).unwrap();
    assert_eq!(whole.report.missing[0].count, 7146);
    let (mut numeric, mut categorical) = (Vec::new(), Vec::new());
    for start in (0..n as usize).step_by(9973) {
        let rows: Vec<usize> = (start..(start + 9973).min(n as usize)).collect();
        let part = p.transform(&t, Some(&rows)).unwrap();
        numeric.extend(part.numeric);
        categorical.extend(part.categorical);
    }
    assert_eq!(whole.numeric, numeric);
    assert_eq!(whole.categorical, categorical);
}

#[derive(Deserialize)]
struct QuantileCase {
    name: String,
    n_quantiles: Option<usize>,
    train: Option<Vec<f64>>,
    probe: Vec<f64>,
    expected: Vec<f64>,
}

#[test]
fn quantiles_agree_with_scikit_learn() {
    let cases: Vec<QuantileCase> =
        serde_json::from_str(include_str!("oracle/quantile_transformer/case.json")).unwrap();
    assert_eq!(cases.len(), 20);
    let mut train = Vec::new();
    for case in cases {
        if let Some(values) = case.train {
            train = values;
        }
        let t = table(vec![Column::numeric("x", train.clone())]);
        let c = PreprocessConfig {
            numeric: NumericTransform::Quantile,
            n_quantiles: case.n_quantiles,
            ..config()
        };
        let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &c).unwrap();
        let probe = table(vec![Column::numeric("x", case.probe.clone())]);
        let x = p.transform(&probe, None).unwrap().numeric;
        for ((got, want), raw) in x.iter().zip(&case.expected).zip(&case.probe) {
            // The output is f32.
            let error = (f64::from(*got) - want).abs();
            assert!(
                error <= 4e-7 * want.abs().max(1.0),
                "{} at {raw}: {got} vs {want}",
                case.name
            );
        }
    }
}

#[test]
fn quantile_noise_is_seeded_and_spreads_ties() {
    let values: Vec<f64> = (0..300).map(|i| f64::from(i % 3)).collect();
    let t = table(vec![Column::numeric("x", values)]);
    let fit = |noise: f64, seed: u64| {
        let c = PreprocessConfig {
            numeric: NumericTransform::Quantile,
            n_quantiles: Some(50),
            quantile_noise: noise,
            seed,
            ..config()
        };
        Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &c)
            .unwrap()
            .0
    };
    assert_eq!(fit(1e-3, 1), fit(1e-3, 1));
    let quantiles = |p: Preprocessor| p.to_parts().1["numeric.quantiles"].clone();
    assert_ne!(quantiles(fit(1e-3, 1)), quantiles(fit(1e-3, 2)));
    assert_ne!(quantiles(fit(1e-3, 1)), quantiles(fit(0.0, 1)));
    assert_eq!(quantiles(fit(0.0, 1)), quantiles(fit(0.0, 2)));
}

/// Pairs of what training had and what a file to predict on has, of which none is known as written.
#[test]
fn labels_of_another_spelling_are_matched_by_value_or_refused() {
    let column = |cells: &[&str]| {
        let cells: Vec<Option<&str>> = (0..30).map(|i| Some(cells[i % cells.len()])).collect();
        table(vec![labels("code", &cells)])
    };
    let all: Vec<usize> = (0..30).collect();
    let fitted = |cells: &[&str]| {
        let fitted =
            Preprocessor::fit(&column(cells), &FeatureSelection::All, &all, &config()).unwrap();
        fitted.0
    };
    for (trained, found) in [
        (["001", "010"], ["1", "10"]),
        (["false", "true"], ["0", "1"]),
        (["1", "2"], ["1.0", "2.0"]),
    ] {
        let p = fitted(&trained);
        let as_trained = p.transform(&column(&trained), None).unwrap();
        let x = p.transform(&column(&found), None).unwrap();
        assert_eq!(x.categorical, as_trained.categorical, "{found:?}");
        assert!(x.report.unknown.is_empty() && as_trained.report.matched.is_empty());
        let matched = &x.report.matched[0];
        assert_eq!((matched.count, matched.label.as_str()), (30, found[0]));
        x.report.refuse_mostly_unknown().unwrap();
    }
    let x = fitted(&["C", "P"])
        .transform(&column(&["call", "put", "C"]), None)
        .unwrap();
    let error = x.report.refuse_mostly_unknown().unwrap_err().to_string();
    for part in ["code", "20 of 30", "'call', 'put'", "'C', 'P'", "row 2"] {
        assert!(error.contains(part), "{part}: {error}");
    }
    // Half of them may be new, and so may a few cells.
    let half = fitted(&["C", "P"]);
    let some = half.transform(&column(&["call", "C"]), None).unwrap();
    some.report.refuse_mostly_unknown().unwrap();
    let few = half
        .transform(&column(&["call"]), Some(&all[..19]))
        .unwrap();
    few.report.refuse_mostly_unknown().unwrap();
}
