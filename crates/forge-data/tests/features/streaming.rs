//! Bar by bar is as the column, after a restart too, and nothing looks ahead.

use forge_data::features::{
    Activity, Bar, BarFeature, BarFeatures, BarStream, FeatureMachine, FeatureSet, ReturnKind,
    SpreadProxy, TechnicalConfig, VwapSpan,
};
use forge_data::{Column, Table};
use proptest::prelude::{ProptestConfig, proptest};

use super::{all_bar_features, bars, bars_table, numbers};

/// The features that the default sets leave out.
fn other_kinds() -> FeatureSet {
    TechnicalConfig {
        returns: ReturnKind::Simple,
        vwap: VwapSpan::Session,
        activity: Activity::Trades,
        spread: SpreadProxy::RelativeRange,
        ..Default::default()
    }
    .feature_set()
    .unwrap()
}

fn run(set: &FeatureSet, bars: &[Bar]) -> Vec<Vec<Option<u64>>> {
    let mut stream = BarStream::new(set).unwrap();
    bars.iter()
        .map(|bar| bits(stream.push(bar).unwrap()))
        .collect()
}

fn bits(row: Vec<Option<f64>>) -> Vec<Option<u64>> {
    row.into_iter()
        .map(|value| value.map(f64::to_bits))
        .collect()
}

#[test]
fn a_column_is_the_stream_bar_by_bar() {
    let set = all_bar_features();
    let (table, _) = BarFeatures::new(set.clone()).apply(&bars_table()).unwrap();
    let columns: Vec<Vec<f64>> = set.names().map(|name| numbers(&table, name)).collect();
    for (t, row) in run(&set, &bars()).into_iter().enumerate() {
        for ((value, column), name) in row.into_iter().zip(&columns).zip(set.names()) {
            let batch = Some(column[t]).filter(|x| !x.is_nan()).map(f64::to_bits);
            assert_eq!(value, batch, "{name} in row {t}");
        }
    }
}

#[test]
fn a_stream_saved_and_read_goes_on_as_if_nothing_had_been() {
    let bars = bars();
    for set in [all_bar_features(), other_kinds()] {
        let whole = run(&set, &bars);
        for cut in [0, 1, 13, 30, 55, 89] {
            let mut stream = BarStream::new(&set).unwrap();
            for bar in &bars[..cut] {
                stream.push(bar).unwrap();
            }
            let text = serde_json::to_string(&stream).unwrap();
            let mut resumed: BarStream = serde_json::from_str(&text).unwrap();
            assert_eq!(resumed.bars(), cut as u64);
            for (t, bar) in bars.iter().enumerate().skip(cut) {
                assert_eq!(
                    bits(resumed.push(bar).unwrap()),
                    whole[t],
                    "cut {cut}, bar {t}"
                );
            }
        }
    }
}

#[test]
fn each_feature_begins_where_its_warm_up_ends() {
    let bars = bars();
    for set in [all_bar_features(), other_kinds()] {
        let rows = run(&set, &bars);
        for (place, named) in set.features().iter().enumerate() {
            let first = rows.iter().position(|row| row[place].is_some()).unwrap();
            let forge_data::features::Feature::Bar(feature) = &named.feature else {
                panic!("{named:?}");
            };
            assert_eq!(first + 1, feature.warm_up(), "{}", named.name);
        }
    }
    assert_eq!(all_bar_features().warm_up(), 51);
}

#[test]
fn what_has_no_value_is_missing_rather_than_0() {
    let flat = Bar::new(5.0, 5.0, 5.0, 5.0).with_volume(0.0);
    let last = |feature: BarFeature, bar: Bar| {
        let mut machine = FeatureMachine::new(&feature).unwrap();
        (0..9).fold(None, |_, _| machine.push(&bar))
    };
    assert_eq!(last(BarFeature::VolumeRatio { period: 3 }, flat), None);
    assert_eq!(last(BarFeature::RelativeVolume { period: 3 }, flat), None);
    assert_eq!(
        last(
            BarFeature::Vwap {
                span: VwapSpan::Bars(3)
            },
            flat
        ),
        None
    );
    assert_eq!(last(BarFeature::TickRule, flat), None);
    assert_eq!(last(BarFeature::Mid, flat), None);
    assert_eq!(
        last(
            BarFeature::LogVolume,
            Bar {
                volume: None,
                ..flat
            }
        ),
        None
    );
    assert_eq!(last(BarFeature::LogVolume, flat), Some(0.0));
    // A close that never moved is neither strong nor weak.
    assert_eq!(last(BarFeature::Rsi { period: 3 }, flat), Some(50.0));
}

#[test]
fn a_session_starts_its_average_price_anew() {
    let mut vwap = FeatureMachine::new(&BarFeature::Vwap {
        span: VwapSpan::Session,
    })
    .unwrap();
    let mut push = |price: f64, volume: f64, session: i64| {
        let bar = Bar::new(price, price, price, price).with_volume(volume);
        vwap.push(&bar.with_session(session)).unwrap()
    };
    assert_eq!(push(10.0, 1.0, 4), 10.0);
    assert_eq!(push(20.0, 3.0, 4), 17.5);
    assert_eq!(push(40.0, 2.0, 5), 40.0);
}

#[test]
fn a_bad_bar_is_refused_and_leaves_the_stream_as_it_was() {
    let mut stream = BarStream::new(&FeatureSet::named("technical_25").unwrap()).unwrap();
    let good = bars()[0];
    stream.push(&good).unwrap();
    let before = stream.clone();
    for (bar, message) in [
        (
            Bar { close: 0.0, ..good },
            "bar 2: close = 0 is no price: it must be above 0",
        ),
        (
            Bar {
                open: f64::NAN,
                ..good
            },
            "bar 2: open = NaN is no price",
        ),
        (
            Bar { high: 90.0, ..good },
            "bar 2: high = 90 is below the bar's low of 99.51",
        ),
        (
            Bar {
                close: 150.0,
                ..good
            },
            "bar 2: close = 150 lies outside the bar's low of 99.51",
        ),
        (good.with_volume(-1.0), "bar 2: volume = -1 is no amount"),
        (
            good.with_trades(f64::INFINITY),
            "bar 2: trades = inf is no amount",
        ),
    ] {
        let error = stream.push(&bar).unwrap_err();
        assert!(
            error.is_value() && error.to_string().starts_with(message),
            "{error}"
        );
        assert_eq!(stream, before);
    }
    let mut crossed = good;
    crossed.quote = good.quote.map(|mut quote| {
        (quote.bid, quote.ask) = (quote.ask, quote.bid);
        quote
    });
    let error = stream.push(&crossed).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("ask = 99.96 is below the bid of 100.05"),
        "{error}"
    );
    // The rounding of vendors is no fault.
    assert!(
        stream
            .push(&Bar {
                close: good.high * 1.0005,
                ..good
            })
            .is_ok()
    );
}

#[test]
fn a_state_of_another_set_is_refused() {
    let stream = BarStream::new(&FeatureSet::named("volatility").unwrap()).unwrap();
    let other = BarStream::new(&FeatureSet::named("microstructure").unwrap()).unwrap();
    let mut saved = serde_json::to_value(&stream).unwrap();
    saved["machines"] = serde_json::to_value(&other).unwrap()["machines"].clone();
    let error = serde_json::from_value::<BarStream>(saved).unwrap_err();
    assert!(
        error
            .to_string()
            .contains("not those of the feature set 'volatility'"),
        "{error}"
    );
}

/// Every number of the states as `change` has it; the set stays whole.
fn changed(value: &mut serde_json::Value, change: &dyn Fn(f64) -> serde_json::Value) {
    match value {
        serde_json::Value::Array(items) => items.iter_mut().for_each(|item| changed(item, change)),
        serde_json::Value::Object(map) => map.values_mut().for_each(|item| changed(item, change)),
        serde_json::Value::Number(number) => *value = change(number.as_f64().unwrap()),
        _ => {}
    }
}

#[test]
fn a_state_that_someone_changed_is_refused_or_harmless() {
    let bars = bars();
    let mut stream = BarStream::new(&all_bar_features()).unwrap();
    for bar in &bars[..40] {
        stream.push(bar).unwrap();
    }
    let saved = serde_json::to_value(&stream).unwrap();
    let number = |value: f64| serde_json::Value::from(value);
    let whole = |value: u64| serde_json::Value::from(value);
    let changes: [&dyn Fn(f64) -> serde_json::Value; 6] = [
        &|_| whole(0),
        &|_| whole(u64::from(u32::MAX)),
        &|x| {
            if x.fract() == 0.0 {
                whole(1)
            } else {
                number(1e308)
            }
        },
        &|x| {
            if x.fract() == 0.0 {
                whole(u64::from(u32::MAX))
            } else {
                number(-1e308)
            }
        },
        &|x| {
            if x.fract() == 0.0 {
                number(x)
            } else {
                number(5e-324)
            }
        },
        &|_| serde_json::Value::Null,
    ];
    let mut read = 0;
    for change in changes {
        let mut value = saved.clone();
        changed(&mut value["machines"], change);
        value["bars"] = whole(u64::MAX);
        let Ok(mut stream) = serde_json::from_value::<BarStream>(value) else {
            continue;
        };
        read += 1;
        for bar in &bars {
            let row = stream.push(bar).unwrap();
            assert!(row.into_iter().flatten().all(f64::is_finite));
        }
    }
    assert!(read >= 3, "{read}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Rows that change, change nothing before them: bit by bit, in the table.
    #[test]
    fn no_feature_looks_ahead(t in 0usize..89, factor in 0.5f64..2.0, volume in 0.0f64..1e5) {
        let table = bars_table();
        let changed = table.columns().iter().map(|column| {
            let mut values = numbers(&table, &column.name);
            for value in &mut values[t + 1..] {
                match column.name.as_str() {
                    "volume" => *value = volume,
                    "bid_size" | "ask_size" => *value += 1.0 + volume,
                    _ => *value *= factor,
                }
            }
            Column::numeric(&column.name, values)
        });
        let changed = Table::new(changed.collect()).unwrap();
        let features = BarFeatures::new(all_bar_features());
        let [before, after] = [table, changed].map(|table| features.apply(&table).unwrap().0);
        for column in before.columns() {
            let bits = |table: &Table| -> Vec<u64> {
                let values = numbers(table, &column.name);
                values[..=t].iter().map(|x| x.to_bits()).collect()
            };
            assert_eq!(bits(&before), bits(&after), "{}", column.name);
        }
        // What is changed is seen where it stands.
        assert_ne!(numbers(&before, "close")[t + 1], numbers(&after, "close")[t + 1]);
    }
}
