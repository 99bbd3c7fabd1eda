//! Nothing that comes after a cut changes anything before it.

use std::sync::Arc;

use volatilityforge::data::{
    BarMarketConfig, ColumnValues, SeriesScaler, SeriesTransform, SplitPart, TimeRange, TimeSplit,
    Windows,
};
use volatilityforge::forecast::{AdaptiveConfig, Forecaster, ForecasterConfig};
use volatilityforge::{DeviceName, Table};

const DAYS: usize = 150;
const STOCKS: usize = 2;

/// A simple congruence.
struct Draws(u64);

impl Draws {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(5);
        (self.0 >> 33) as usize % n
    }
}

fn config() -> ForecasterConfig {
    let series = volatilityforge::data::SeriesConfig::new("date", ["realized_variance"])
        .with_series("ticker")
        .with_past(["close", "volume"]);
    let mut config = ForecasterConfig::new(series, 3);
    config.model = "tide".into();
    config.strategy = volatilityforge::Strategy::Fast;
    config.lookback = Some(10);
    config.training.epochs = Some(1);
    // The second run has the validation part too, and its bands are of the first.
    config.refit = true;
    config.features = Some("technical_25".parse().unwrap());
    config.adaptive = Some(AdaptiveConfig::default());
    for (column, transform) in [
        ("realized_variance", SeriesTransform::Log),
        ("close", SeriesTransform::Returns),
    ] {
        config.scaler = config.scaler.with_transform(column, transform);
    }
    config
}

/// The table with every number after day `cut` of each stock another one that a bar may have.
fn changed(table: &Table, cut: usize, by: f64) -> Table {
    let columns = table.columns().iter().cloned().map(|mut column| {
        if let ColumnValues::Numeric(values) = &mut column.values {
            let later = values
                .iter_mut()
                .enumerate()
                .filter(|(row, _)| row % DAYS > cut);
            later.for_each(|(_, value)| *value *= by);
        }
        column
    });
    Table::new(columns.collect()).unwrap()
}

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|v| v.to_bits()).collect()
}

/// Features, scales, windows, networks, what they say and the bands around it: whatever is known at a
/// cut is the same whatever comes after it.
#[test]
fn what_comes_after_a_cut_changes_nothing_before_it() {
    let device = DeviceName::Flex.open().unwrap();
    let table = BarMarketConfig {
        stocks: STOCKS,
        days: DAYS,
        ..BarMarketConfig::default()
    };
    let table = table.generate().unwrap();
    let ColumnValues::DateTime(dates) = &table.column("date").unwrap().values else {
        panic!("no dates")
    };
    let forecaster = Forecaster::with_config(config()).unwrap();
    let mut draws = Draws(3);
    for round in 0..3 {
        // The test part holds forty steps; the cut is its first, or any within it.
        let first = 100 + draws.below(8);
        let cut = match round {
            0 => first - 1,
            _ => first + draws.below(35),
        };
        let other = changed(&table, cut, 1.0 + draws.below(900) as f64 / 100.0);
        let split = TimeSplit::HoldOut {
            validation: SplitPart::Steps(20),
            test: SplitPart::Steps(DAYS - first),
            embargo: 0,
        };
        let said = |table: &Table| {
            let walk = forecaster.backtest(table, &split, &device).unwrap();
            let windows = walk
                .folds
                .into_iter()
                .flat_map(|fold| fold.forecasts.windows);
            let known = windows.filter(|window| window.origin <= dates[cut]);
            known
                .map(|w| (w.origin, bits(&w.point), bits(&w.quantiles), bits(&w.last)))
                .collect::<Vec<_>>()
        };
        let (one, two) = (said(&table), said(&other));
        assert_eq!(
            one.len(),
            STOCKS * (cut + 2 - first).min(DAYS - first - 2),
            "round {round}"
        );
        assert_eq!(one, two, "cut at {cut}");

        let series =
            [&table, &other].map(|table| Arc::new(forecaster.config().series_of(table).unwrap()));
        let training = TimeRange::until(dates[cut] + 1);
        let scalers = series.each_ref().map(|series| {
            Arc::new(SeriesScaler::fit(series, &config().scaler, &training).unwrap())
        });
        assert_eq!(scalers[0], scalers[1]);
        let moving: Vec<String> = series[0].schema().config.moving().cloned().collect();
        for (stock, name) in (0..STOCKS).flat_map(|s| moving.iter().map(move |name| (s, name))) {
            let [a, b] = series
                .each_ref()
                .map(|s| bits(&s.column(stock, name).unwrap()[..=cut]));
            assert_eq!(a, b, "{name} of stock {stock} up to {cut}");
        }
        let batches = [0, 1].map(|i| {
            let config = volatilityforge::data::WindowConfig::new(10, 3);
            let windows = Windows::new(&series[i], &config).unwrap();
            let windows = windows.with_scaler(&scalers[i]).unwrap().within(&training);
            let rows: Vec<usize> = (0..windows.len()).collect();
            let batch = windows.batch(&rows, &device).unwrap();
            let values = [Some(batch.past), batch.past_covariates, batch.target];
            values.map(|part| part.unwrap().try_into_vec_as::<f32>().unwrap())
        });
        assert!(batches[0] == batches[1], "windows up to {cut}");
    }
}
