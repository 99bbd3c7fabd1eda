use burn::tensor::{Device, Int, Tensor};
use forge_data::{
    Column, FeatureSelection, NumericTransform, PreprocessConfig, Preprocessor, Table,
    TabularDataset,
};

use crate::tables::{all, labels};

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
    TabularDataset::new(features, Some(y), &Device::flex()).unwrap()
}

fn floats(t: Option<Tensor<2>>) -> Vec<f32> {
    t.unwrap().into_data().try_to_vec().unwrap()
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
    let r = d.range(1..3);
    assert_eq!(floats(r.x_num), [10.0, 11.0, 20.0, 21.0]);
    assert_eq!(codes(r.x_cat), [2, 3]);
    assert_eq!(floats(r.y), [1.5, 2.5]);
}

#[test]
fn moving_devices_keeps_the_rows() {
    let d = dataset().to_device(&Device::flex());
    assert_eq!(floats(d.batch(&[4]).y), [4.5]);
}

#[test]
#[should_panic(expected = "row 5 of a dataset of 5 rows")]
fn a_row_beyond_the_end_panics_with_both_numbers() {
    let _ = dataset().batch(&[0, 5]);
}

#[test]
fn lengths_must_agree() {
    let device = Device::flex();
    let x = || Tensor::<2>::zeros([3, 2], &device);
    let y = Tensor::<2>::zeros([2, 1], &device);
    let error = TabularDataset::from_tensors(Some(x()), None, Some(y.clone()), &device);
    assert!(error.unwrap_err().is_schema());
    assert!(TabularDataset::from_tensors(None, None, Some(y), &device).is_err());
    let d = TabularDataset::from_tensors(Some(x()), None, None, &device).unwrap();
    assert_eq!(d.len(), 3);
}
