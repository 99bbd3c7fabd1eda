//! Whatever a table holds, there is a result or an error.

use std::sync::Arc;

use burn::tensor::Device;
use forge_data::{
    AmbiguousTimes, Column, Duplicates, FrequencyChange, Gaps, Horizon, MissingValues,
    ScalerConfig, SeriesConfig, SeriesRow, SeriesScaler, SeriesTable, ShortSeries, SplitPart,
    Stamps, Table, TimeRange, TimeSplit, WindowConfig, Windows,
};
use proptest::prelude::*;

use super::{HOUR, MONDAY};

fn times() -> impl Strategy<Value = Vec<i64>> {
    let time = prop_oneof![
        8 => (0i64..200).prop_map(|i| MONDAY + i * HOUR / 2),
        2 => (-60_000_000_000i64..250_000_000_000).prop_map(|s| s * 1000),
        1 => prop_oneof![Just(i64::MIN), Just(i64::MIN + 1), Just(i64::MAX)],
    ];
    let regular = (1usize..60, 0i64..40, 1i64..50_000_000)
        .prop_map(|(n, start, step)| (0..n as i64).map(|i| (start + i) * step * 60_000).collect());
    prop_oneof![2 => prop::collection::vec(time, 1..60), 3 => regular]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn any_table_gives_a_result_or_an_error(
        times in times(),
        values in prop::collection::vec(
            prop_oneof![8 => -10.0f64..10.0, 2 => Just(f64::NAN), 1 => any::<f64>()], 60),
        series in prop::collection::vec(0usize..3, 60),
        policies in (0usize..3, 0usize..3, 0usize..3, any::<bool>(), 0usize..6, 0usize..3),
        lookback in 1usize..9,
        horizon in prop_oneof![
            (0usize..5).prop_map(Horizon::Steps),
            prop::collection::vec(1usize..6, 0..3).prop_map(Horizon::List),
        ],
        fraction in 0.0f64..1.0,
    ) {
        let n = times.len();
        let (late, first) = (times.iter().copied().max().unwrap_or(0), times[0]);
        let table = Table::new(vec![
            Column::date_time("time", times),
            Column::categorical("id", series[..n].iter().map(|s| Some(["a", "b", "c"][*s]))),
            Column::numeric("y", values[..n].to_vec()),
            Column::numeric("k", values[..n].iter().rev().copied().collect()),
        ]).unwrap();
        let (gaps, duplicates, missing, keep, zone, ambiguous) = policies;
        let mut config = SeriesConfig::new("time", ["y"]).with_series("id").with_known(["k"]);
        config.gaps = [Gaps::Keep, Gaps::Fill, Gaps::Refuse][gaps];
        config.duplicates = [Duplicates::Refuse, Duplicates::First, Duplicates::Last][duplicates];
        config.missing =
            [MissingValues::Mask, MissingValues::Forward, MissingValues::Refuse][missing];
        if keep {
            config.frequency_change = FrequencyChange::Keep;
        }
        config.ambiguous =
            [AmbiguousTimes::InOrder, AmbiguousTimes::Earlier, AmbiguousTimes::Later][ambiguous];
        config.time_zone = ["UTC", "America/New_York", "Asia/Kathmandu"].get(zone).map(|z| (*z).into());
        config.stamps = [Stamps::Utc, Stamps::WallClock].get(ambiguous).copied();
        let Ok(mut table) = SeriesTable::from_table(&table, &config) else { return Ok(()) };
        prop_assert!(!table.report().to_string().is_empty());
        for id in ["a", "z"] {
            let row = SeriesRow {
                series: id.into(),
                time: late.saturating_add(HOUR),
                values: vec![("y".into(), 1.0)],
            };
            let _ = table.append(&row);
            let _ = table.append(&SeriesRow { time: first, ..row });
        }
        let table = Arc::new(table);
        let mut windows = WindowConfig::new(lookback, horizon);
        windows.short_series = ShortSeries::LeaveOut;
        windows.min_lookback = (lookback > 2).then_some(2);
        let split = TimeSplit::HoldOut {
            validation: SplitPart::Fraction(0.1),
            test: SplitPart::Fraction(fraction),
            embargo: 1,
        };
        let training = split.folds(&table).map_or_else(|_| TimeRange::default(), |f| f[0].train);
        let scaler = SeriesScaler::fit(&table, &ScalerConfig::default(), &training);
        for windows in [Windows::new(&table, &windows), Windows::latest(&table, &windows)] {
            let Ok(mut windows) = windows else { continue };
            if let Ok(scaler) = &scaler {
                windows = windows.with_scaler(&Arc::new(scaler.clone())).unwrap();
            }
            let part = windows.within(&training);
            prop_assert!(part.len() <= windows.len());
            let last = windows.len() - 1;
            let _ = windows.forecast_times(last);
            if let Ok(batch) = windows.batch(&[0, last], &Device::flex()) {
                let cells = 2 * windows.config().horizon.count();
                prop_assert!(windows.restore(&batch, &vec![0.5; cells]).is_ok());
                let past: Vec<f32> = batch.past.to_data().try_to_vec().unwrap();
                prop_assert!(past.iter().all(|v| v.is_finite()));
            }
        }
    }
}
