//! Nothing before a cut knows what comes after it.

use std::sync::Arc;

use burn::tensor::{Bool, Device, Tensor};
use forge_data::{
    Column, MissingValues, ScaleBy, ScalerConfig, SeriesConfig, SeriesScale, SeriesScaler,
    SeriesTable, SeriesTransform, Table, TimeRange, WindowBatch, WindowConfig, Windows,
};
use proptest::prelude::*;

use super::{HOUR, MONDAY};

const STEPS: usize = 60;

/// Two series of prices with past and known covariates, some cells missing.
fn table(values: &[f64]) -> Table {
    let rows = 2 * STEPS;
    let times = (0..rows).map(|row| MONDAY + (row % STEPS) as i64 * HOUR);
    let ids = (0..rows).map(|row| Some(if row < STEPS { "a" } else { "b" }));
    let column = |place: usize| values[place * rows..(place + 1) * rows].to_vec();
    Table::new(vec![
        Column::date_time("time", times.collect()),
        Column::categorical("id", ids),
        Column::numeric("y", column(0)),
        Column::numeric("x", column(1)),
        Column::numeric("k", column(2)),
    ])
    .unwrap()
}

fn bits(tensor: Option<&Tensor<3>>) -> Vec<u32> {
    let Some(tensor) = tensor else {
        return Vec::new();
    };
    let values: Vec<f32> = tensor.to_data().try_to_vec().unwrap();
    values.into_iter().map(f32::to_bits).collect()
}

fn mask(tensor: Option<&Tensor<3, Bool>>) -> Vec<bool> {
    tensor.map_or_else(Vec::new, |tensor| tensor.to_data().iter::<bool>().collect())
}

/// What a model sees of a batch that a test must not change.
fn seen(batch: &WindowBatch, known: bool) -> (Vec<Vec<u32>>, Vec<Vec<bool>>, Vec<u64>) {
    let mut values = vec![
        bits(Some(&batch.past)),
        bits(batch.past_covariates.as_ref()),
    ];
    let mut masks = vec![
        mask(Some(&batch.past_present)),
        mask(batch.past_covariates_present.as_ref()),
    ];
    if known {
        values.push(bits(batch.known.as_ref()));
        values.push(bits(batch.target.as_ref()));
        masks.push(mask(batch.known_present.as_ref()));
        masks.push(mask(batch.target_present.as_ref()));
    }
    let last = batch.last.iter().map(|v| v.to_bits()).collect();
    (values, masks, last)
}

struct Prepared {
    train: Windows,
    all: Windows,
    scaler: String,
}

fn prepared(values: &[f64], cut: i64, missing: MissingValues, scaler: &ScalerConfig) -> Prepared {
    let mut config = SeriesConfig::new("time", ["y"])
        .with_series("id")
        .with_past(["x"])
        .with_known(["k"]);
    config.missing = missing;
    let series = Arc::new(SeriesTable::from_table(&table(values), &config).unwrap());
    let range = TimeRange::until(cut);
    let scaler = SeriesScaler::fit(&series, scaler, &range).unwrap();
    let text = serde_json::to_string(&scaler).unwrap();
    let all = Windows::new(&series, &WindowConfig::new(7, 3)).unwrap();
    let all = all.with_scaler(&Arc::new(scaler)).unwrap();
    Prepared {
        train: all.within(&range),
        all,
        scaler: text,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn nothing_before_the_cut_changes(
        values in prop::collection::vec(
            prop_oneof![9 => 0.5f64..50.0, 1 => Just(f64::NAN)],
            6 * STEPS,
        ),
        cut in 20usize..40,
        changed in prop::collection::vec((0usize..3, 0usize..2, 0usize..STEPS, 0.5f64..1e6), 1..9),
        forward: bool,
        transform in prop_oneof![
            Just(SeriesTransform::None),
            Just(SeriesTransform::Log),
            Just(SeriesTransform::Returns),
        ],
        scale in prop_oneof![Just(SeriesScale::Standard), Just(SeriesScale::Robust)],
        global: bool,
    ) {
        let mut values = values;
        // The last step is observed, so that what is the future stays so.
        for end in [STEPS - 1, 2 * STEPS - 1] {
            values[end] = 1.0;
        }
        let time = MONDAY + cut as i64 * HOUR;
        let missing = if forward { MissingValues::Forward } else { MissingValues::Mask };
        let config = ScalerConfig {
            scale,
            by: if global { ScaleBy::Global } else { ScaleBy::Series },
            ..ScalerConfig::default().with_transform("y", transform).with_transform("x", transform)
        };
        let before = prepared(&values, time, missing, &config);
        for (column, series, row, value) in changed {
            let row = cut + row % (STEPS - cut);
            values[column * 2 * STEPS + series * STEPS + row] = value;
        }
        let after = prepared(&values, time, missing, &config);
        prop_assert_eq!(&before.scaler, &after.scaler);
        prop_assert_eq!(before.train.len(), after.train.len());
        let device = Device::flex();
        let train: Vec<usize> = (0..before.train.len()).collect();
        let (a, b) = (
            before.train.batch(&train, &device).unwrap(),
            after.train.batch(&train, &device).unwrap(),
        );
        // Training windows lie before the cut with everything they have.
        prop_assert_eq!(seen(&a, true), seen(&b, true));
        // The past of every window that ends before the cut, whatever comes after it.
        let ended = |windows: &Windows| -> Vec<usize> {
            let all = (0..windows.len()).filter(|i| windows.window(*i).time < time);
            let early = all.filter(|i| windows.window(*i).origin + 4 < cut);
            early.collect()
        };
        let (i, j) = (ended(&before.all), ended(&after.all));
        prop_assert_eq!(i.len(), j.len());
        let (a, b) = (
            before.all.batch(&i, &device).unwrap(),
            after.all.batch(&j, &device).unwrap(),
        );
        prop_assert_eq!(seen(&a, false), seen(&b, false));
        prop_assert_eq!(a.times, b.times);
    }
}

/// The same of a forecast from the cut: whatever the future holds, its inputs are bit-equal.
#[test]
fn the_window_that_ends_at_the_cut_does_not_see_the_next_step() {
    let values: Vec<f64> = (0..6 * STEPS)
        .map(|i| 10.0 + (i as f64 * 0.7).sin())
        .collect();
    let cut = MONDAY + 30 * HOUR;
    let config = ScalerConfig::default().with_transform("y", SeriesTransform::Returns);
    let at_cut = |values: &[f64]| {
        let all = prepared(values, cut, MissingValues::Mask, &config).all;
        let index = (0..all.len())
            .find(|i| all.window(*i).time == cut - HOUR)
            .unwrap();
        let batch = all.batch(&[index], &Device::flex()).unwrap();
        (seen(&batch, false), bits(batch.target.as_ref()))
    };
    let (inputs, target) = at_cut(&values);
    let mut changed = values;
    for column in 0..2 {
        for row in 30..STEPS {
            changed[column * 2 * STEPS + row] *= 1.5;
        }
    }
    let (same_inputs, other_target) = at_cut(&changed);
    assert_eq!(inputs, same_inputs);
    assert_ne!(target, other_target);
}
