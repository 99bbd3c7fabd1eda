//! Financial features: against other libraries, streamed, in tables, as a model's manifest.

mod bad_tables;
mod chain;
mod feature_set;
mod gbm;
mod oracle;
mod streaming;
mod tables;

use forge_data::features::{
    Bar, FeatureSet, MicrostructureConfig, Quote, TechnicalConfig, VolatilityConfig,
};
use forge_data::{ColumnValues, ReadOptions, Table, read_csv_from};

/// 90 simulated bars with quotes.
fn bars_table() -> Table {
    csv(include_str!("../oracle/features/bars.csv"))
}

fn csv(text: &'static str) -> Table {
    read_csv_from(text.as_bytes(), &ReadOptions::default())
        .unwrap()
        .0
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    match &table.column(name).unwrap().values {
        ColumnValues::Numeric(values) => values.clone(),
        _ => panic!("{name} is not numeric"),
    }
}

fn bars() -> Vec<Bar> {
    let table = bars_table();
    let of = |name: &str| numbers(&table, name);
    let [o, h, l, c, v] = ["open", "high", "low", "close", "volume"].map(of);
    let [bid, ask, bid_size, ask_size] = ["bid", "ask", "bid_size", "ask_size"].map(of);
    (0..table.n_rows())
        .map(|t| {
            Bar::new(o[t], h[t], l[t], c[t])
                .with_volume(v[t])
                .with_trades(1.0 + (t * t % 7) as f64)
                .with_session(t as i64 / 20)
                .with_quote(Quote {
                    bid: bid[t],
                    ask: ask[t],
                    bid_size: bid_size[t],
                    ask_size: ask_size[t],
                })
        })
        .collect()
}

/// All features of bars, with lengths that the fixture has.
fn all_bar_features() -> FeatureSet {
    let volatility = VolatilityConfig {
        windows: vec![10],
        periods_per_year: Some(252.0),
    };
    let technical = TechnicalConfig::default().feature_set().unwrap();
    technical
        .and(&volatility.feature_set().unwrap(), "x")
        .unwrap()
        .and(
            &MicrostructureConfig::default().feature_set().unwrap(),
            "all",
        )
        .unwrap()
}
