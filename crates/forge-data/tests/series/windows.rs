//! Windows and their batches.

use std::sync::Arc;

use burn::tensor::{Device, Tensor};
use forge_data::{
    Column, Horizon, MissingValues, SeriesConfig, ShortSeries, Table, TimeRange, WindowConfig,
    Windows,
};

use super::{DAY, HOUR, MONDAY, hours, made, ramp, says, single, target};

fn values<const D: usize>(tensor: &Tensor<D>) -> Vec<f32> {
    tensor.to_data().try_to_vec().unwrap()
}

fn device() -> Device {
    Device::flex()
}

#[test]
fn a_batch_holds_the_steps_around_each_origin() {
    let y = ramp(11);
    let x: Vec<f64> = y.iter().map(|v| 100.0 + v).collect();
    let k: Vec<f64> = y.iter().map(|v| 200.0 + v).collect();
    let table = single(&hours(11), &[("y", y), ("x", x), ("k", k)]);
    let table = made(&table, &target().with_past(["x"]).with_known(["k"]));
    let config = WindowConfig::new(3, Horizon::List(vec![1, 4]));
    let windows = Windows::new(&table, &config).unwrap();
    assert_eq!(windows.len(), 11 - 3 - 4 + 1);
    let batch = windows.batch(&[4, 1], &device()).unwrap();
    assert_eq!(values(&batch.past), [5.0, 6.0, 7.0, 2.0, 3.0, 4.0]);
    assert_eq!(batch.past.dims(), [2, 3, 1]);
    let covariates = batch.past_covariates.unwrap();
    assert_eq!(
        values(&covariates),
        [105.0, 106.0, 107.0, 102.0, 103.0, 104.0]
    );
    let known = batch.known.unwrap();
    assert_eq!(known.dims(), [2, 7, 1]);
    assert_eq!(
        values(&known)[..7],
        [205.0, 206.0, 207.0, 208.0, 209.0, 210.0, 211.0]
    );
    assert_eq!(values(&batch.target.unwrap()), [8.0, 11.0, 5.0, 8.0]);
    assert!(batch.known_present.is_none() && batch.past_covariates_present.is_none());
    assert_eq!(batch.times, [MONDAY + 6 * HOUR, MONDAY + 3 * HOUR]);
    assert_eq!(batch.last, [7.0, 4.0]);
    let calendar = batch.calendar.unwrap();
    assert_eq!(calendar.dims(), [2, 7, 8]);
    let calendar: Vec<i32> = calendar.into_data().convert::<i32>().try_to_vec().unwrap();
    // 04:00 on Monday, 1 January 2024: bar 4 of 24.
    assert_eq!(calendar[..8], [14_400, 0, 0, 31, 0, 366, 4, 24]);
    let times = windows.forecast_times(4).unwrap();
    assert_eq!(times, [MONDAY + 7 * HOUR, MONDAY + 10 * HOUR]);
}

#[test]
fn strides_and_ranges_select_forecast_parts() {
    let table = made(&single(&hours(40), &[("y", ramp(40))]), &target());
    let windows = Windows::new(&table, &WindowConfig::new(5, 3).with_stride(4)).unwrap();
    let origins = |windows: &Windows| -> Vec<usize> {
        (0..windows.len())
            .map(|i| windows.window(i).origin)
            .collect()
    };
    assert_eq!(origins(&windows), (4..=36).step_by(4).collect::<Vec<_>>());
    let cut = MONDAY + 20 * HOUR;
    let before = windows.within(&TimeRange::until(cut));
    // Forecasts of rows 5 to 7 up to 17 to 19.
    assert_eq!(origins(&before), [4, 8, 12, 16]);
    assert_eq!(before.purged(), 0);
    let every = Windows::new(&table, &WindowConfig::new(5, 3)).unwrap();
    let before = every.within(&TimeRange::until(cut));
    assert_eq!(origins(&before), (4..=16).collect::<Vec<_>>());
    assert_eq!(
        before.purged(),
        2,
        "those that begin before the cut and end after it"
    );
    let after = windows.within(&TimeRange::from(cut));
    // The first forecasts exactly the first step of the range.
    assert_eq!(origins(&after)[..2], [19, 23]);
    let both = every
        .within(&TimeRange::from(cut))
        .within(&TimeRange::until(cut + 4 * HOUR));
    assert_eq!(origins(&both), [19, 20]);
}

#[test]
fn windows_without_a_value_to_learn_from_are_not_made() {
    let mut y = ramp(30);
    y[10..20].fill(f64::NAN);
    let table = made(&single(&hours(30), &[("y", y)]), &target());
    let windows = Windows::new(&table, &WindowConfig::new(4, 2)).unwrap();
    let origins: Vec<usize> = (0..windows.len())
        .map(|i| windows.window(i).origin)
        .collect();
    let expected: Vec<usize> = (3..28)
        .filter(|o| {
            let there = |row: usize| !(10..20).contains(&row);
            (o + 1..=o + 2).any(there) && (o - 3..=*o).any(there)
        })
        .collect();
    assert_eq!(origins, expected);
    let batch = windows.batch(&[5], &device()).unwrap();
    assert_eq!(batch.times, [MONDAY + 8 * HOUR]);
    let present = batch.target_present.unwrap().into_data();
    assert_eq!(present.iter::<bool>().collect::<Vec<_>>(), [true, false]);
    assert_eq!(values(&batch.target.unwrap()), [10.0, 0.0]);
}

#[test]
fn missing_inputs_are_masked_or_carried_forward() {
    let y = vec![1.0, 2.0, f64::NAN, f64::NAN, 5.0, 6.0, 7.0];
    let table = single(&hours(7), &[("y", y)]);
    for (policy, expected) in [
        (MissingValues::Mask, [0.0, 0.0, 5.0]),
        (MissingValues::Forward, [2.0, 2.0, 5.0]),
    ] {
        let mut config = target();
        config.missing = policy;
        let windows = Windows::new(&made(&table, &config), &WindowConfig::new(3, 1)).unwrap();
        let batch = windows.batch(&[1], &device()).unwrap();
        assert_eq!(batch.times, [MONDAY + 4 * HOUR]);
        assert_eq!(values(&batch.past), expected);
        let present = batch.past_present.into_data();
        assert_eq!(
            present.iter::<bool>().collect::<Vec<_>>(),
            [false, false, true]
        );
    }
}

#[test]
fn a_short_start_is_padded_and_a_short_series_left_out_if_asked() {
    let n = [12, 4];
    let mut columns = (Vec::new(), Vec::new(), Vec::new());
    for (id, n) in ["long", "short"].iter().zip(n) {
        for i in 0..n {
            columns.0.push(MONDAY + i * HOUR);
            columns.1.push(Some(*id));
            columns.2.push(i as f64 + 1.0);
        }
    }
    let table = Table::new(vec![
        Column::date_time("time", columns.0),
        Column::categorical("id", columns.1),
        Column::numeric("y", columns.2),
    ])
    .unwrap();
    let table = made(&table, &target().with_series("id"));
    let mut config = WindowConfig::new(6, 2);
    let message = Windows::new(&table, &config).unwrap_err().to_string();
    says(
        &message,
        &[
            "series 'short'",
            "4 observed steps",
            "6 of the lookback",
            "leave_out",
        ],
    );
    config.short_series = ShortSeries::LeaveOut;
    let windows = Windows::new(&table, &config).unwrap();
    assert_eq!(
        (windows.len(), windows.left_out()),
        (5, &["short".to_owned()][..])
    );
    config.min_lookback = Some(2);
    let windows = Windows::new(&table, &config).unwrap();
    assert_eq!(windows.len(), 12 - 2 - 2 + 1 + 1);
    let windows = windows.of_series(&["short"]).unwrap();
    let batch = windows.batch(&[0], &device()).unwrap();
    assert_eq!(values(&batch.past), [0.0, 0.0, 0.0, 0.0, 1.0, 2.0]);
    let present = batch.past_present.into_data();
    let present: Vec<bool> = present.iter::<bool>().collect();
    assert_eq!(present, [false, false, false, false, true, true]);
}

#[test]
fn the_latest_window_needs_no_target_and_knows_its_times() {
    let table = made(&single(&hours(10), &[("y", ramp(10))]), &target());
    let windows = Windows::latest(&table, &WindowConfig::new(4, 3)).unwrap();
    let batch = windows.batch(&[0], &device()).unwrap();
    assert!(batch.target.is_none() && batch.target_present.is_none());
    assert_eq!(values(&batch.past), [7.0, 8.0, 9.0, 10.0]);
    let times = windows.forecast_times(0).unwrap();
    assert_eq!(times, [10, 11, 12].map(|i| MONDAY + i * HOUR));
    assert_eq!(batch.calendar.unwrap().dims(), [1, 7, 8]);
}

#[test]
fn known_columns_come_from_the_rows_of_the_future() {
    let mut y = ramp(10);
    y[8..].fill(f64::NAN);
    let table = made(
        &single(&hours(10), &[("y", y), ("k", ramp(10))]),
        &target().with_known(["k"]),
    );
    assert_eq!(table.observed(0), 8);
    let windows = Windows::latest(&table, &WindowConfig::new(3, 2)).unwrap();
    let batch = windows.batch(&[0], &device()).unwrap();
    assert_eq!(values(&batch.past), [6.0, 7.0, 8.0]);
    assert_eq!(values(&batch.known.unwrap()), [6.0, 7.0, 8.0, 9.0, 10.0]);
    // No training window has its forecast in the future.
    let windows = Windows::new(&table, &WindowConfig::new(3, 2)).unwrap();
    assert_eq!(windows.len(), 8 - 3 - 2 + 1);
}

#[test]
fn fixed_columns_come_once_per_window() {
    let text = "date,id,y,sector,beta\n2024-01-01,a,1,tech,1.5\n2024-01-02,a,2,tech,1.5\n\
                2024-01-03,a,2,tech,1.5\n2024-01-01,b,1,oil,\n2024-01-02,b,2,oil,\n\
                2024-01-03,b,2,oil,\n2024-01-07,b,2,oil,\n";
    let table = forge_data::read_csv_from(text.as_bytes(), &forge_data::ReadOptions::default());
    let config = SeriesConfig::new("date", ["y"])
        .with_series("id")
        .with_fixed(["sector", "beta"]);
    let table = made(&table.unwrap().0, &config);
    let windows = Windows::new(&table, &WindowConfig::new(2, 1)).unwrap();
    let batch = windows.batch(&[0, 1], &device()).unwrap();
    assert_eq!(batch.series, [0, 1]);
    assert_eq!(values(&batch.fixed.unwrap()), [1.5, 0.0]);
    let codes = batch.fixed_codes.unwrap().into_data();
    assert_eq!(codes.iter::<i64>().collect::<Vec<_>>(), [1, 2]);
}

#[test]
fn windows_share_their_table() {
    let table = made(&single(&hours(40), &[("y", ramp(40))]), &target());
    let windows = Windows::new(&table, &WindowConfig::new(5, 3)).unwrap();
    let part = windows.within(&TimeRange::until(MONDAY + DAY));
    assert!(Arc::ptr_eq(part.table(), &table));
}
