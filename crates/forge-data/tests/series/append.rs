//! Bar by bar equals all at once.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{
    AmbiguousTimes, Column, Gaps, SeriesConfig, SeriesRow, SeriesTable, Stamps, Table,
    WindowConfig, Windows,
};

use super::{HOUR, MONDAY, hours, made, ramp, says, single, target};

fn row(series: &str, time: i64, values: &[(&str, f64)]) -> SeriesRow {
    SeriesRow {
        series: series.into(),
        time,
        values: values
            .iter()
            .map(|(name, v)| ((*name).into(), *v))
            .collect(),
    }
}

/// Two series with a gap each and a missing cell.
fn rows(n: i64) -> Vec<(i64, &'static str, f64, f64)> {
    let all = (0..n).flat_map(|i| ["a", "b"].map(|id| (i, id)));
    all.filter(|(i, id)| !(*i == 17 && *id == "a" || *i == 25 && *id == "b"))
        .map(|(i, id)| {
            let x = if i == 20 { f64::NAN } else { i as f64 };
            (MONDAY + i * HOUR, id, (i as f64 * 0.9).sin() + 3.0, x)
        })
        .collect()
}

fn table(rows: &[(i64, &'static str, f64, f64)]) -> Table {
    Table::new(vec![
        Column::date_time("time", rows.iter().map(|r| r.0).collect()),
        Column::categorical("id", rows.iter().map(|r| Some(r.1))),
        Column::numeric("y", rows.iter().map(|r| r.2).collect()),
        Column::numeric("x", rows.iter().map(|r| r.3).collect()),
    ])
    .unwrap()
}

fn now(table: SeriesTable) -> (Vec<f32>, Vec<f32>, Vec<i32>, Vec<i64>) {
    let windows = Windows::latest(&Arc::new(table), &WindowConfig::new(12, 3)).unwrap();
    let batch = windows.batch(&[0, 1], &Device::flex()).unwrap();
    let floats = |tensor: burn::tensor::Tensor<3>| tensor.to_data().try_to_vec::<f32>().unwrap();
    (
        floats(batch.past),
        floats(batch.past_covariates.unwrap()),
        batch
            .calendar
            .unwrap()
            .into_data()
            .convert::<i32>()
            .try_to_vec()
            .unwrap(),
        batch.times,
    )
}

#[test]
fn streaming_equals_the_batch() {
    let all = rows(30);
    for gaps in [Gaps::Keep, Gaps::Fill] {
        let mut config = target().with_series("id").with_past(["x"]);
        config.gaps = gaps;
        // The zone's clock goes forward and back in other weeks; here its offset must be kept.
        config = config.with_time_zone("America/New_York", Stamps::WallClock);
        config.ambiguous = AmbiguousTimes::InOrder;
        let whole = SeriesTable::from_table(&table(&all), &config).unwrap();
        let (first, rest) = all.split_at(24);
        let mut stream = SeriesTable::from_table(&table(first), &config).unwrap();
        for (time, id, y, x) in rest {
            // The table's wall clocks are five hours behind UTC.
            let time = time + 5 * HOUR;
            stream
                .append(&row(id, time, &[("y", *y), ("x", *x)]))
                .unwrap();
        }
        assert_eq!(stream.n_rows(), whole.n_rows());
        for series in 0..2 {
            assert_eq!(stream.times(series), whole.times(series));
            assert_eq!(stream.observed(series), whole.observed(series));
        }
        assert_eq!(now(stream), now(whole));
    }
}

#[test]
fn rows_of_the_future_are_filled_in_when_they_come() {
    let mut y = ramp(12);
    y[10..].fill(f64::NAN);
    let config = target().with_known(["k"]);
    let table = single(&hours(12), &[("y", y), ("k", ramp(12))]);
    let mut table = SeriesTable::from_table(&table, &config).unwrap();
    let added = table
        .append(&row("", MONDAY + 10 * HOUR, &[("y", 11.0)]))
        .unwrap();
    assert_eq!((added.row, added.missing, table.observed(0)), (10, 0, 11));
    assert_eq!(
        table.column(0, "k").unwrap()[10],
        11.0,
        "what is known stays"
    );
    // Now two steps ahead are not known.
    let table = Arc::new(table);
    let message = Windows::latest(&table, &WindowConfig::new(3, 2))
        .unwrap_err()
        .to_string();
    says(
        &message,
        &["column 'k'", "2024-01-01T12:00:00", "1 of the 2 rows"],
    );
    let mut table = Arc::unwrap_or_clone(table);
    table
        .append(&row("", MONDAY + 12 * HOUR, &[("k", 13.0)]))
        .unwrap();
    assert!(Windows::latest(&Arc::new(table), &WindowConfig::new(3, 2)).is_ok());
}

#[test]
fn what_does_not_follow_is_refused() {
    let mut config = target();
    let table = single(&hours(12), &[("y", ramp(12))]);
    let mut series = SeriesTable::from_table(&table, &config).unwrap();
    let mut refused = |row: &SeriesRow| series.append(row).unwrap_err().to_string();
    says(
        &refused(&row("", MONDAY + 3 * HOUR, &[("y", 1.0)])),
        &[
            "2024-01-01T03:00:00",
            "not after the last row, 2024-01-01T11:00:00",
        ],
    );
    says(
        &refused(&row("z", MONDAY + 12 * HOUR, &[])),
        &["series 'z' is not in the table"],
    );
    says(
        &refused(&row("", MONDAY + 12 * HOUR, &[("q", 1.0)])),
        &["column 'q'", "those are y"],
    );
    says(
        &refused(&row("", MONDAY + 12 * HOUR, &[("y", f64::INFINITY)])),
        &["column 'y'", "2024-01-01T12:00:00", "infinite"],
    );
    config.gaps = Gaps::Refuse;
    config.missing = forge_data::MissingValues::Refuse;
    let mut series = SeriesTable::from_table(&table, &config).unwrap();
    let mut refused = |row: &SeriesRow| series.append(row).unwrap_err().to_string();
    says(
        &refused(&row("", MONDAY + 14 * HOUR, &[("y", 1.0)])),
        &["lacks 2 steps of 1h"],
    );
    assert!(
        series
            .append(&row("", MONDAY + 12 * HOUR, &[("y", 1.0)]))
            .is_ok()
    );
}

#[test]
fn a_table_without_series_has_one_without_an_id() {
    let series = made(
        &single(&hours(4), &[("y", ramp(4))]),
        &SeriesConfig::new("time", ["y"]),
    );
    assert_eq!(series.ids(), [""]);
}
