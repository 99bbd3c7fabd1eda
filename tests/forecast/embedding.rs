//! A vector that was computed ahead, from file to forecast.

use volatilityforge::data::{
    BarMarketConfig, ColumnValues, ReadOptions, SeriesConfig, SeriesTransform,
};
use volatilityforge::forecast::{Forecaster, ForecasterConfig, SeriesModelChoice};
use volatilityforge::models::{SeriesModelConfig, TftConfig};
use volatilityforge::{Column, DeviceName, Strategy, read_table};

const DAYS: usize = 90;

#[test]
fn a_vector_per_row_goes_from_the_file_into_the_model() {
    let bars = BarMarketConfig {
        stocks: 2,
        days: DAYS,
        ..BarMarketConfig::default()
    };
    let mut bars = bars.generate().unwrap();
    let ColumnValues::Numeric(close) = bars.column("close").unwrap().values.clone() else {
        panic!("no prices")
    };
    let names: Vec<String> = (0..3).map(|k| format!("vector_{k}")).collect();
    for (k, name) in names.iter().enumerate() {
        let value = |row: usize| match row % DAYS {
            day if day < 4 => f64::NAN,
            _ => (close[row] / close[row - k - 1]).ln(),
        };
        let values = (0..2 * DAYS).map(value).collect();
        bars = bars.with_column(Column::numeric(name, values)).unwrap();
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bars.csv");
    bars.write_csv(&path).unwrap();
    let (read, _) = read_table(&path, &ReadOptions::default()).unwrap();
    let device = DeviceName::Flex.open().unwrap();
    let series = SeriesConfig::new("date", ["close"])
        .with_series("ticker")
        .with_past(names.clone());
    let xl = TftConfig {
        hidden_size: 16,
        n_head: 2,
        ..TftConfig::xl()
    };
    for model in [
        SeriesModelChoice::from("stock_former"),
        SeriesModelConfig::from(xl).into(),
    ] {
        let mut config = ForecasterConfig::new(series.clone(), 2);
        config.model = model;
        config.strategy = Strategy::Fast;
        config.lookback = Some(20);
        config.embedding = names.clone();
        config.scaler = config
            .scaler
            .with_transform("close", SeriesTransform::Returns);
        config.training.epochs = Some(1);
        let fitted = Forecaster::with_config(config)
            .unwrap()
            .fit(&read, &device)
            .unwrap();
        assert_eq!(fitted.model().spec().d_embedding, 3);
        let said = fitted.predict(&read).unwrap();
        // The vector of the last row counts, those before it do not.
        let with = |day: usize| {
            let columns = read.columns().iter().cloned().map(|mut column| {
                if let ColumnValues::Numeric(values) = &mut column.values
                    && names.contains(&column.name)
                {
                    values[day] += 0.5;
                }
                column
            });
            let table = volatilityforge::Table::new(columns.collect()).unwrap();
            fitted.predict(&table).unwrap().windows[0].point.clone()
        };
        assert_ne!(with(DAYS - 1), said.windows[0].point);
        assert_eq!(with(DAYS - 2), said.windows[0].point);
    }
}
