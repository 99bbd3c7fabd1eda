//! Windows over a large panel hold places only.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{
    Column, ScalerConfig, SeriesScaler, SeriesTable, Table, TimeRange, WindowConfig, Windows,
};

use super::{HOUR, MONDAY, target};

/// 500 series of 5,000 steps, lookback 512: the table's own memory × 1.2 plus the batch.
#[test]
fn a_panel_of_500_series_is_held_once() {
    let (series, steps) = (500_usize, 5_000_usize);
    let rows = series * steps;
    let y: Vec<f64> = (0..rows).map(|row| (row % 997) as f64).collect();
    let ids: Vec<f64> = (0..rows).map(|row| (row / steps) as f64).collect();
    let times = (0..rows).map(|row| MONDAY + (row % steps) as i64 * HOUR);
    let table = Table::new(vec![
        Column::date_time("time", times.collect()),
        Column::numeric("id", ids),
        Column::numeric("y", y),
    ])
    .unwrap();
    let table = SeriesTable::from_table(&table, &target().with_series("id")).unwrap();
    let own = table.held_bytes();
    // A time and a value per row, and no spare room.
    assert!((rows * 16..rows * 17).contains(&own), "{own}");
    let table = Arc::new(table);
    let training = TimeRange::until(MONDAY + 4_000 * HOUR);
    let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &training).unwrap();
    let windows = Windows::new(&table, &WindowConfig::new(512, 96)).unwrap();
    let windows = windows.with_scaler(&Arc::new(scaler)).unwrap();
    let train = windows.within(&training);
    assert_eq!(windows.len(), series * (steps - 512 - 96 + 1));
    assert_eq!(train.len(), series * (4_000 - 512 - 96 + 1));
    let held = own + windows.held_bytes() + train.held_bytes();
    assert!(held as f64 <= 1.2 * own as f64, "{held} of {own}");
    assert!(windows.held_bytes() < 100_000, "{}", windows.held_bytes());
    let last = train.batch(&[0, train.len() - 1], &Device::flex()).unwrap();
    assert_eq!((last.past.dims(), last.series), ([2, 512, 1], vec![0, 499]));
}
