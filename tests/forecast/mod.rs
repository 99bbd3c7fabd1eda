//! Forecasters as their users meet them.

mod adaptive;
mod backtest;
mod directions;
mod distill;
mod embedding;
mod explain;
mod features;
mod fit;
mod leakage;
mod mean;
mod predict_file;
mod refit;
mod resume;

use volatilityforge::data::{ScalerConfig, SeriesConfig};
use volatilityforge::forecast::ForecasterConfig;
use volatilityforge::{Column, Table};

const DAY: i64 = 86_400_000;

/// Two series of `n` days: waves of a week with another level and height each, and noise of a
/// simple congruence.
fn waves(n: usize) -> Table {
    let mut state = 7_u64;
    let mut noise = || {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let (mut id, mut time, mut value, mut volume) = (vec![], vec![], vec![], vec![]);
    for (name, level, height) in [("a", 10.0, 1.0), ("b", 500.0, 40.0)] {
        for i in 0..n {
            let wave = (i as f64 * std::f64::consts::TAU / 7.0).sin();
            id.push(Some(name));
            time.push(i as i64 * DAY);
            value.push(level + height * (wave + 0.2 * noise()));
            volume.push(1e6 + 1e5 * noise());
        }
    }
    Table::new(vec![
        Column::categorical("id", id),
        Column::date_time("date", time),
        Column::numeric("value", value),
        Column::numeric("volume", volume),
    ])
    .unwrap()
}

fn columns() -> SeriesConfig {
    SeriesConfig::new("date", ["value"])
        .with_series("id")
        .with_past(["volume"])
}

/// A linear model that is trained in a moment.
fn quick() -> ForecasterConfig {
    let mut config = ForecasterConfig::new(columns(), 3);
    config.lookback = Some(14);
    config.training.epochs = Some(30);
    config.training.batch_size = Some(32);
    config.training.learning_rate = Some(0.02);
    config.scaler = ScalerConfig::default();
    config
}
