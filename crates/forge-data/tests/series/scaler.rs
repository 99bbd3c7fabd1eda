//! Scales, and forecasts turned back.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{
    Column, ScalerConfig, SeriesScale, SeriesScaler, SeriesTable, SeriesTransform, Table,
    TimeRange, UnknownSeries, WindowConfig, Windows,
};

use super::{HOUR, MONDAY, hours, made, ramp, says, single, target};

fn panel(ids: &[(&str, f64)], n: i64) -> Arc<SeriesTable> {
    panel_with(ids, n, |_, _| 1.0)
}

/// Waves of each level, every value times what `by` says of its series and row.
fn panel_with(ids: &[(&str, f64)], n: i64, by: impl Fn(&str, i64) -> f64) -> Arc<SeriesTable> {
    let (mut times, mut names, mut y) = (Vec::new(), Vec::new(), Vec::new());
    for (id, level) in ids {
        for i in 0..n {
            times.push(MONDAY + i * HOUR);
            names.push(Some(*id));
            y.push(by(id, i) * level * (1.0 + 0.1 * (i as f64 * 1.7).sin()));
        }
    }
    let table = Table::new(vec![
        Column::date_time("time", times),
        Column::categorical("id", names),
        Column::numeric("y", y),
    ])
    .unwrap();
    made(&table, &target().with_series("id"))
}

fn close(a: f64, b: f64) -> bool {
    (a - b).abs() <= 1e-5 * b.abs().max(1.0)
}

#[test]
fn each_series_has_its_own_scale_of_training_steps() {
    let table = panel(&[("a", 1.0), ("b", 1000.0)], 30);
    let cut = MONDAY + 20 * HOUR;
    let scaler =
        SeriesScaler::fit(&table, &ScalerConfig::default(), &TimeRange::until(cut)).unwrap();
    for (series, id) in ["a", "b"].into_iter().enumerate() {
        let y = &table.column(series, "y").unwrap()[..20];
        let mean = y.iter().sum::<f64>() / 20.0;
        let deviation = (y.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20.0).sqrt();
        let centre = scaler.columns()[0].series[id];
        assert!(close(centre.centre, mean) && close(centre.spread, deviation));
    }
    let windows = Windows::new(&table, &WindowConfig::new(20, 1))
        .unwrap()
        .with_scaler(&Arc::new(scaler))
        .unwrap();
    let batch = windows
        .batch(&[0, windows.len() / 2], &Device::flex())
        .unwrap();
    assert_eq!(batch.series, [0, 1]);
    let past: Vec<f32> = batch.past.to_data().try_to_vec().unwrap();
    for row in past.chunks(20) {
        assert!(row.iter().sum::<f32>().abs() < 1e-4);
        assert!((row.iter().map(|v| v * v).sum::<f32>() - 20.0).abs() < 1e-3);
    }
    // Both series look alike.
    assert!(
        past[..20]
            .iter()
            .zip(&past[20..])
            .all(|(a, b)| (a - b).abs() < 1e-4)
    );
}

#[test]
fn forecasts_and_quantiles_come_back_in_their_own_unit() {
    let table = panel(&[("a", 1.0), ("b", 1000.0)], 40);
    for transform in [
        SeriesTransform::None,
        SeriesTransform::Log,
        SeriesTransform::Log1p,
        SeriesTransform::Returns,
    ] {
        for scale in [
            SeriesScale::Standard,
            SeriesScale::Robust,
            SeriesScale::None,
        ] {
            let config = ScalerConfig {
                scale,
                ..ScalerConfig::default().with_transform("y", transform)
            };
            let scaler = SeriesScaler::fit(&table, &config, &TimeRange::default()).unwrap();
            let text = serde_json::to_string(&scaler).unwrap();
            let scaler: SeriesScaler = serde_json::from_str(&text).unwrap();
            let windows = Windows::new(&table, &WindowConfig::new(6, 3))
                .unwrap()
                .with_scaler(&Arc::new(scaler))
                .unwrap();
            let batch = windows
                .batch(&[2, windows.len() - 1], &Device::flex())
                .unwrap();
            let target: Vec<f32> = batch
                .target
                .clone()
                .unwrap()
                .to_data()
                .try_to_vec()
                .unwrap();
            let restored = windows.restore(&batch, &target).unwrap();
            let y = |series: usize, row: usize| table.column(series, "y").unwrap()[row];
            let expected = [y(0, 8), y(0, 9), y(0, 10), y(1, 37), y(1, 38), y(1, 39)];
            for (restored, expected) in restored.iter().zip(expected) {
                assert!(
                    close(*restored, expected),
                    "{transform:?} {scale:?}: {restored}"
                );
            }
            // Three quantiles each, ascending, stay ascending.
            let quantiles: Vec<f32> = target.iter().flat_map(|t| [t - 1.0, *t, t + 1.0]).collect();
            let restored = windows.restore(&batch, &quantiles).unwrap();
            assert!(restored.chunks(3).all(|q| q[0] < q[1] && q[1] < q[2]));
            assert!(windows.restore(&batch, &quantiles[1..]).is_err());
        }
    }
}

#[test]
fn returns_of_a_random_walk_have_one_scale_at_every_horizon() {
    let mut price = 100.0_f64;
    let mut state = 1_u64;
    let y: Vec<f64> = (0..4000)
        .map(|_| {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            price *= (((state >> 33) as f64 / 2_147_483_648.0 - 0.49) * 0.02).exp();
            price
        })
        .collect();
    let table = made(&single(&hours(4000), &[("y", y)]), &target());
    let config = ScalerConfig::default().with_transform("y", SeriesTransform::Returns);
    let scaler = SeriesScaler::fit(&table, &config, &TimeRange::default()).unwrap();
    let windows = Windows::new(&table, &WindowConfig::new(2, 16))
        .unwrap()
        .with_scaler(&Arc::new(scaler))
        .unwrap();
    let all: Vec<usize> = (0..windows.len()).collect();
    let batch = windows.batch(&all, &Device::flex()).unwrap();
    // The first row of the series has no return.
    let present = batch.past_present.into_data();
    assert_eq!(present.iter::<bool>().filter(|p| !p).count(), 1);
    let target: Vec<f32> = batch.target.unwrap().to_data().try_to_vec().unwrap();
    for step in [0, 3, 15] {
        let values = target.chunks(16).map(|row| f64::from(row[step]));
        let n = all.len() as f64;
        let (sum, squares) = values.fold((0.0, 0.0), |(s, q), v| (s + v, q + v * v));
        let (mean, variance) = (sum / n, squares / n - (sum / n).powi(2));
        assert!(
            mean.abs() < 0.2 && (variance - 1.0).abs() < 0.25,
            "{step}: {mean} {variance}"
        );
    }
}

#[test]
fn a_constant_series_is_scaled_to_zeros_and_back() {
    let table = made(&single(&hours(20), &[("y", vec![0.1; 20])]), &target());
    let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &TimeRange::default());
    let windows = Windows::new(&table, &WindowConfig::new(5, 2))
        .unwrap()
        .with_scaler(&Arc::new(scaler.unwrap()))
        .unwrap();
    let batch = windows.batch(&[0], &Device::flex()).unwrap();
    let past: Vec<f32> = batch.past.to_data().try_to_vec().unwrap();
    assert!(past.iter().all(|v| v.abs() < 1e-12), "{past:?}");
    let restored = windows.restore(&batch, &[0.0, 0.0]).unwrap();
    assert!(restored.iter().all(|v| close(*v, 0.1)));
}

#[test]
fn a_series_that_training_did_not_have_is_refused_or_scaled_as_all() {
    let table = panel(&[("a", 1.0), ("b", 3.0)], 20);
    let other = panel(&[("a", 1.0), ("new", 2.0)], 20);
    let mut config = ScalerConfig::default();
    let fit = |config: &ScalerConfig| {
        Arc::new(SeriesScaler::fit(&table, config, &TimeRange::default()).unwrap())
    };
    let windows = Windows::new(&other, &WindowConfig::new(5, 2)).unwrap();
    let message = windows
        .clone()
        .with_scaler(&fit(&config))
        .unwrap_err()
        .to_string();
    says(
        &message,
        &["series 'new'", "those are a, b", "unknown_series = global"],
    );
    config.unknown_series = UnknownSeries::Global;
    let scaled = windows.clone().with_scaler(&fit(&config)).unwrap();
    let batch = scaled.batch(&[windows.len() - 1], &Device::flex()).unwrap();
    // Between the levels 1 and 3: near their mean.
    let past: Vec<f32> = batch.past.to_data().try_to_vec().unwrap();
    assert!(past.iter().all(|v| v.abs() < 0.5), "{past:?}");
    assert!(
        windows
            .with_scaler(&fit(&ScalerConfig::default().global()))
            .is_ok()
    );
}

#[test]
fn a_price_below_zero_under_a_logarithm_is_named() {
    let mut y = ramp(20);
    y[13] = -3.0;
    let table = made(&single(&hours(20), &[("y", y)]), &target());
    for transform in [
        SeriesTransform::Log,
        SeriesTransform::Returns,
        SeriesTransform::Log1p,
    ] {
        let config = ScalerConfig::default().with_transform("y", transform);
        let whole = SeriesScaler::fit(&table, &config, &TimeRange::default());
        let message = whole.unwrap_err().to_string();
        says(
            &message,
            &["column 'y'", "series ''", "2024-01-01T13:00:00", "is -3"],
        );
        // After the training range it is found when it is used.
        let part = TimeRange::until(MONDAY + 10 * HOUR);
        let scaler = Arc::new(SeriesScaler::fit(&table, &config, &part).unwrap());
        let windows = Windows::new(&table, &WindowConfig::new(3, 1)).unwrap();
        let windows = windows.with_scaler(&scaler).unwrap();
        assert!(windows.batch(&[0], &Device::flex()).is_ok());
        let message = windows
            .batch(&[11], &Device::flex())
            .unwrap_err()
            .to_string();
        says(&message, &["column 'y'", "2024-01-01T13:00:00", "is -3"]);
    }
    let config = ScalerConfig::default().with_transform("z", SeriesTransform::Log);
    let unknown = SeriesScaler::fit(&table, &config, &TimeRange::default());
    says(
        &unknown.unwrap_err().to_string(),
        &["column 'z'", "those are y"],
    );
}

#[test]
fn a_range_without_values_and_other_columns_are_refused() {
    let table = made(
        &single(&hours(20), &[("y", ramp(20)), ("x", ramp(20))]),
        &target(),
    );
    let none = TimeRange::until(MONDAY);
    let message = SeriesScaler::fit(&table, &ScalerConfig::default(), &none)
        .unwrap_err()
        .to_string();
    says(
        &message,
        &[
            "column 'y'",
            "no value in the training range",
            "before 2024-01-01",
        ],
    );
    let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &TimeRange::default());
    let scaler = Arc::new(scaler.unwrap());
    let wider = single(&hours(20), &[("y", ramp(20)), ("x", ramp(20))]);
    let wider = made(&wider, &target().with_past(["x"]));
    let windows = Windows::new(&wider, &WindowConfig::new(5, 2)).unwrap();
    let message = windows.with_scaler(&scaler).unwrap_err().to_string();
    says(&message, &["fitted on the columns y", "the table has y, x"]);
}

#[test]
fn a_column_may_have_a_scale_of_its_own() {
    let flag: Vec<f64> = (0..20).map(|i| f64::from(i % 5 == 0)).collect();
    let table = single(&hours(20), &[("y", ramp(20)), ("flag", flag)]);
    let table = made(&table, &target().with_known(["flag"]));
    let config = ScalerConfig::default().with_scale("flag", SeriesScale::None);
    let scaler = SeriesScaler::fit(&table, &config, &TimeRange::default()).unwrap();
    let windows = Windows::new(&table, &WindowConfig::new(4, 2)).unwrap();
    let windows = windows.with_scaler(&Arc::new(scaler)).unwrap();
    let batch = windows.batch(&[0], &Device::flex()).unwrap();
    let known: Vec<f32> = batch.known.unwrap().to_data().try_to_vec().unwrap();
    assert_eq!(known, [1.0, 0.0, 0.0, 0.0, 0.0, 1.0]);
    let config = ScalerConfig::default().with_scale("z", SeriesScale::None);
    let unknown = SeriesScaler::fit(&table, &config, &TimeRange::default());
    says(
        &unknown.unwrap_err().to_string(),
        &["column 'z'", "those are y, flag"],
    );
}

/// `y` with one cell of another size in the second series.
fn with_bad_tick(by: f64) -> Arc<SeriesTable> {
    panel_with(&[("a", 1.0), ("b", 50.0)], 60, |id, i| {
        if (id, i) == ("b", 30) { by } else { 1.0 }
    })
}

#[test]
fn a_series_that_one_cell_makes_useless_is_told_with_its_time() {
    let all = TimeRange::default();
    let own = ScalerConfig::default();
    let found = |by: f64, config: &ScalerConfig, range: &TimeRange| {
        let table = with_bad_tick(by);
        let scaler = SeriesScaler::fit(&table, config, range).unwrap();
        scaler.far_out(&table)
    };
    let told = found(1e6, &own, &all);
    assert_eq!(told.len(), 1, "{told:?}");
    let value = 50.0 * 1e6 * (1.0 + 0.1 * (30.0 * 1.7_f64).sin());
    assert_eq!(
        (told[0].column.as_str(), told[0].series.as_str()),
        ("y", "b")
    );
    assert!(close(told[0].value, value), "{told:?}");
    let text = told[0].to_string();
    for part in ["'y'", "series 'b'", "2024-01-02T06:00", "robust"] {
        assert!(text.contains(part), "{text}");
    }
    // Of all series together it is one cell of 120.
    assert_eq!(found(1e6, &own.clone().global(), &all).len(), 1);
    // A busy hour is none, nor what comes after the training, nor one that the scale does not feel.
    assert_eq!(found(20.0, &own, &all), []);
    assert_eq!(found(1e6, &own, &TimeRange::until(MONDAY + 30 * HOUR)), []);
    let robust = ScalerConfig {
        scale: SeriesScale::Robust,
        ..own
    };
    assert_eq!(found(1e6, &robust, &all), []);
}
