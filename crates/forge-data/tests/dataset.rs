use burn::tensor::{Bool, Device, Int, Tensor};
use forge_data::{
    CategoricalEncoding, Column, FeatureSelection, NumericTransform, PreprocessConfig,
    Preprocessor, Table, TabularBatch, TabularDataset, TargetEncoder, sample_weights,
};

use crate::tables::{NAN, all, labels};

fn dataset() -> TabularDataset {
    let cells = ["a", "b", "c", "b", "a"].map(Some);
    let t = Table::new(vec![
        Column::numeric("x", vec![0.0, 10.0, 20.0, 30.0, 40.0]),
        labels("l", &cells),
        Column::numeric("z", vec![1.0, 11.0, 21.0, 31.0, 41.0]),
    ])
    .unwrap();
    let config = PreprocessConfig {
        numeric: NumericTransform::None,
        ..Default::default()
    };
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config).unwrap();
    let features = p.transform(&t, None).unwrap();
    let y = vec![0.5, 1.5, 2.5, 3.5, 4.5];
    TabularDataset::new(features, &Device::flex())
        .with_target_values(y, 1)
        .unwrap()
        .with_weights(vec![1.0, 0.0, 2.0, 3.0, 4.0])
        .unwrap()
}

fn floats(t: Option<Tensor<2>>) -> Vec<f32> {
    t.unwrap().into_data().try_to_vec().unwrap()
}

fn weights(t: Option<Tensor<1>>) -> Vec<f32> {
    t.unwrap().into_data().try_to_vec().unwrap()
}

fn bools(t: Option<Tensor<2, Bool>>) -> Vec<bool> {
    t.unwrap().into_data().iter::<bool>().collect()
}

fn codes(t: Option<Tensor<2, Int>>) -> Vec<i32> {
    t.unwrap().into_data().try_to_vec().unwrap()
}

#[test]
fn batches_have_the_asked_rows_in_the_asked_order() {
    let d = dataset();
    assert_eq!(d.len(), 5);
    let b = d.batch(&[3, 0, 3]);
    assert_eq!(floats(b.x_num), [30.0, 31.0, 0.0, 1.0, 30.0, 31.0]);
    assert_eq!(codes(b.x_cat), [2, 1, 2]);
    assert_eq!(floats(b.y), [3.5, 0.5, 3.5]);
    assert_eq!(weights(b.weights), [3.0, 1.0, 3.0]);
    assert!(b.num_present.is_none() && b.cat_present.is_none());
    let r = d.range(1..3);
    assert_eq!(floats(r.x_num), [10.0, 11.0, 20.0, 21.0]);
    assert_eq!(codes(r.x_cat), [2, 3]);
    assert_eq!(floats(r.y), [1.5, 2.5]);
    assert_eq!(weights(r.weights), [0.0, 2.0]);
}

#[test]
fn moving_devices_keeps_the_rows() {
    let d = dataset().to_device(&Device::flex());
    assert_eq!(floats(d.batch(&[4]).y), [4.5]);
    let b = d.batch_on(&[4, 1], &Device::flex());
    assert_eq!(floats(b.y), [4.5, 1.5]);
    assert_eq!(weights(b.weights), [4.0, 0.0]);
    assert_eq!(codes(b.x_cat), [1, 2]);
    let plain = d.to_device(&Device::flex().autodiff());
    assert!(!plain.device().is_autodiff());
}

#[test]
fn several_targets_stay_together() {
    let t = Table::from_numeric(["x", "a", "b"], &[0.0, 1.0, 10.0, 1.0, 3.0, 30.0]).unwrap();
    let config = PreprocessConfig::default();
    let features = FeatureSelection::Only(vec!["x".into()]);
    let (p, _) = Preprocessor::fit(&t, &features, &all(&t), &config).unwrap();
    let targets = TargetEncoder::fit(&t, &["a", "b"], &all(&t)).unwrap();
    let encoded = targets.encode(&t, None).unwrap();
    let d = TabularDataset::new(p.transform(&t, None).unwrap(), &Device::flex());
    let d = d.with_targets(&encoded).unwrap();
    assert_eq!(d.tensors().y.as_ref().unwrap().dims(), [2, 2]);
    assert_eq!(floats(d.batch(&[1]).y), [1.0, 1.0]);
    for (values, slots) in [(vec![0.0; 3], 1), (vec![0.0; 2], 2), (vec![], 0)] {
        let error = d.clone().with_target_values(values, slots).unwrap_err();
        assert!(
            error.is_schema() && error.to_string().contains("for 2 rows"),
            "{error}"
        );
    }
}

fn gaps() -> Table {
    Table::new(vec![
        Column::numeric("a", vec![1.0, NAN, 3.0]),
        Column::numeric("b", vec![NAN, 5.0, 6.0]),
        labels("l", &[Some("u"), Some("v"), None]),
        labels("m", &[None, Some("v"), Some("w")]),
    ])
    .unwrap()
}

#[test]
fn masks_say_what_was_in_the_table() {
    let t = gaps();
    let config = PreprocessConfig::default();
    // Row 0 alone is no training row: `b` and `m` have no missing cell in training.
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &[1, 2], &config).unwrap();
    assert_eq!(p.numeric_names(), ["b", "a (missing)"]);
    assert!(p.source_columns().eq(["a", "b", "l", "m"]));
    assert_eq!(p.feature_sources(), [1, 0, 2, 3]);
    let x = p.transform_with(&t, None, true).unwrap();
    let imputed = p.transform(&t, None).unwrap();
    assert_eq!(
        (&x.numeric, &x.categorical),
        (&imputed.numeric, &imputed.categorical)
    );
    assert!(imputed.num_present.is_none() && imputed.cat_present.is_none());
    let d = TabularDataset::new(x, &Device::flex());
    let all = d.tensors().clone();
    assert_eq!(
        bools(all.num_present),
        [false, true, true, true, true, true]
    );
    assert_eq!(
        bools(all.cat_present),
        [true, false, true, true, false, true]
    );
    let b = d.batch(&[2, 0]);
    assert_eq!(bools(b.num_present), [true, true, false, true]);
    assert_eq!(bools(b.cat_present), [false, true, true, false]);
    assert_eq!(bools(d.range(1..2).cat_present), [true, true]);
    let some = p.transform_with(&t, Some(&[2, 0]), true).unwrap();
    assert_eq!(some.cat_present.unwrap(), [false, true, true, false]);
}

#[test]
fn masks_of_one_hot_columns_hide_the_labels_and_show_the_missing_bucket() {
    let t = gaps();
    let config = PreprocessConfig {
        categorical: CategoricalEncoding::OneHot,
        missing_indicator: false,
        ..Default::default()
    };
    let features = FeatureSelection::Only(vec!["b".into(), "l".into(), "m".into()]);
    let (p, _) = Preprocessor::fit(&t, &features, &[1, 2], &config).unwrap();
    assert_eq!(p.numeric_names(), ["b", "l (missing)", "l=v", "m=v", "m=w"]);
    assert_eq!(p.feature_sources(), [0, 1, 1, 2, 2]);
    let x = p.transform_with(&t, None, true).unwrap();
    let present = x.num_present.unwrap();
    // `u` is unknown in training, but was in the table.
    assert_eq!(present[..5], [false, true, true, false, false]);
    assert_eq!(present[5..10], [true; 5]);
    assert_eq!(present[10..], [true, true, false, true, true]);
    assert_eq!(x.cat_present.unwrap(), [false; 0]);
}

#[test]
fn masks_are_the_same_on_one_core_and_on_many() {
    let n = 40_000;
    let cell = |i: usize| if i % 7 == 3 { NAN } else { i as f64 };
    let text = |i: usize| (!i.is_multiple_of(5)).then_some(["a", "b", "c"][i % 3]);
    let t = Table::new(vec![
        Column::numeric("x", (0..n).map(cell).collect()),
        labels("l", &(0..n).map(text).collect::<Vec<_>>()),
    ])
    .unwrap();
    let config = PreprocessConfig::default();
    let (p, _) = Preprocessor::fit(&t, &FeatureSelection::All, &all(&t), &config).unwrap();
    let x = p.transform_with(&t, None, true).unwrap();
    let num = x.num_present.unwrap();
    assert!((0..n).all(|i| num[2 * i] == (i % 7 != 3) && num[2 * i + 1]));
    assert!(
        x.cat_present
            .unwrap()
            .iter()
            .enumerate()
            .all(|(i, p)| *p == (i % 5 > 0))
    );
}

#[test]
fn weights_are_checked() {
    let t = Table::new(vec![
        Column::numeric("w", vec![1.0, 0.0, 2.5]),
        Column::numeric("zero", vec![0.0; 3]),
        Column::numeric("less", vec![1.0, -1.0, NAN]),
        Column::numeric("huge", vec![1.0, 1e300, f64::INFINITY]),
        labels("text", &[Some("1"); 3]),
    ])
    .unwrap();
    assert_eq!(sample_weights(&t, "w", Some(&[2, 1])).unwrap(), [2.5, 0.0]);
    let error = |name: &str, row: usize| {
        sample_weights(&t, name, Some(&[0, row]))
            .unwrap_err()
            .to_string()
    };
    assert!(error("zero", 1).contains("all weights are 0"));
    for (name, row, words) in [
        ("less", 1, "row 3: column 'less': the weight is -1; allowed"),
        ("less", 2, "row 4: column 'less': the weight is missing"),
        ("huge", 1, "row 3: column 'huge'"),
        ("huge", 2, "the weight is inf"),
        ("text", 1, "no numbers"),
        ("w", 3, "row index 3"),
        ("nope", 1, "not in the table"),
    ] {
        let text = error(name, row);
        assert!(text.contains(words), "{text}");
    }
    let d = dataset();
    for (weights, words) in [
        (vec![1.0; 4], "4 weights for 5 rows"),
        (vec![0.0; 5], "all weights are 0"),
        (
            vec![1.0, f32::NAN, 1.0, 1.0, 1.0],
            "row 3: the weight is missing",
        ),
    ] {
        let text = d.clone().with_weights(weights).unwrap_err().to_string();
        assert!(text.contains(words), "{text}");
    }
}

#[test]
#[should_panic(expected = "row 5 of a dataset of 5 rows")]
fn a_row_beyond_the_end_panics_with_both_numbers() {
    let _ = dataset().batch(&[0, 5]);
}

#[test]
fn lengths_must_agree() {
    let device = Device::flex();
    let matrix = |rows| Tensor::<2>::zeros([rows, 2], &device);
    let mask = |rows, width| Tensor::<2>::zeros([rows, width], &device).equal_elem(0.0);
    let x = || TabularBatch {
        x_num: Some(matrix(3)),
        ..Default::default()
    };
    let error = |tensors: TabularBatch| {
        let error = TabularDataset::from_tensors(tensors, &device).unwrap_err();
        assert!(error.is_schema());
        error.to_string()
    };
    let y = Some(matrix(2));
    assert!(
        error(TabularBatch {
            y: y.clone(),
            ..x()
        })
        .contains("y has 2 rows")
    );
    let no_features = TabularBatch {
        y,
        ..Default::default()
    };
    assert!(error(no_features).contains("neither numeric nor categorical"));
    let weights = Some(Tensor::<1>::zeros([4], &device));
    assert!(error(TabularBatch { weights, ..x() }).contains("weights has 4 rows"));
    let num_present = Some(mask(3, 1));
    assert!(error(TabularBatch { num_present, ..x() }).contains("num_present has shape"));
    let cat_present = Some(mask(3, 2));
    assert!(error(TabularBatch { cat_present, ..x() }).contains("cat_present has shape"));
    let d = TabularDataset::from_tensors(x(), &device).unwrap();
    assert_eq!(d.len(), 3);
}
