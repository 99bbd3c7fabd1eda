//! Daily bars of a made-up stock market.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::calendar::{MILLIS_PER_DAY, parse_day, trading_day};
use crate::{Column, DataError, Table};

/// Makes daily bars of some stocks of one market, with volatilities that cluster.
///
/// The logarithm of a stock's daily variance is the sum of a slow part (half gone in 35 trading
/// days) and a fast one (half gone in three), each half common to all stocks, and its shocks go
/// against those of the price (leverage). A day is made of [`STEPS`](Self::STEPS) equal steps, from
/// which high, low, close, volume and the realised variance are taken. Returns have no memory: no
/// direction can be forecast, volatilities can. Nothing here is market data.
///
/// ```
/// use forge_data::BarMarketConfig;
/// let bars = BarMarketConfig { stocks: 2, days: 30, ..BarMarketConfig::default() }.generate()?;
/// assert_eq!(bars.n_rows(), 60);
/// # Ok::<(), forge_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct BarMarketConfig {
    /// Stocks, 1 to 10,000.
    pub stocks: usize,
    /// Trading days, 1 to 100,000.
    pub days: usize,
    /// The first day, `YYYY-MM-DD`, or the trading day after it.
    pub start: String,
    /// Volatility per year about which it moves, above 0.
    pub volatility: f64,
    /// Seed.
    pub seed: u64,
}

impl Default for BarMarketConfig {
    /// Eight stocks over six years.
    fn default() -> Self {
        Self {
            stocks: 8,
            days: 1_512,
            start: "2018-01-02".into(),
            volatility: 0.22,
            seed: 0,
        }
    }
}

/// A part of the log variance: what stays from day to day, and its deviation.
#[derive(Clone, Copy)]
struct Part {
    stays: f64,
    deviation: f64,
}

const SLOW: Part = Part {
    stays: 0.98,
    deviation: 0.6,
};
const FAST: Part = Part {
    stays: 0.8,
    deviation: 0.5,
};
/// Correlation of a day's return with the shock of the variance on the next.
const LEVERAGE: f64 = -0.5;
/// Correlation of the stocks' returns, and of their variances.
const COMMON: f64 = 0.5;

impl Part {
    fn next(self, x: f64, shock: f64) -> f64 {
        self.stays * x + self.deviation * (1.0 - self.stays * self.stays).sqrt() * shock
    }
}

impl BarMarketConfig {
    /// Steps of a day: a quarter of an hour each, of six and a half.
    pub const STEPS: usize = 26;

    /// What to write beside every figure made from it.
    #[must_use]
    pub fn label(&self) -> String {
        format!(
            "synthetic daily bars: {} stocks, {} days, seed {} (not market data)",
            self.stocks, self.days, self.seed
        )
    }

    /// Checks every field.
    ///
    /// # Errors
    /// A config error naming the field, its value and the allowed range.
    pub fn validate(&self) -> Result<(), DataError> {
        let within = |name: &str, value: usize, most: usize| match value {
            v if (1..=most).contains(&v) => Ok(()),
            v => Err(DataError::config(format!(
                "{name} = {v} is out of range: allowed 1 to {most}"
            ))),
        };
        within("stocks", self.stocks, 10_000)?;
        within("days", self.days, 100_000)?;
        if !(self.volatility > 0.0 && self.volatility <= 5.0) {
            let found = self.volatility;
            return Err(DataError::config(format!(
                "volatility = {found} is out of range: allowed above 0 to 5"
            )));
        }
        parse_day(&self.start).map(|_| ())
    }

    /// The bars, stock by stock: `date`, `ticker`, `open`, `high`, `low`, `close`, `volume` and
    /// `realized_variance` (the sum of the squared log returns of a day's steps).
    ///
    /// # Errors
    /// What [`validate`](Self::validate) finds.
    pub fn generate(&self) -> Result<Table, DataError> {
        self.validate()?;
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        let mut normal = || -> f64 { StandardNormal.sample(&mut rng) };
        let mut dates = Vec::with_capacity(self.days);
        let mut day = trading_day(parse_day(&self.start)?);
        for _ in 0..self.days {
            dates.push(day * MILLIS_PER_DAY);
            day = trading_day(day + 1);
        }
        // The market's own shocks: of each step's return, and of both parts of the variance.
        let steps: Vec<f64> = (0..self.days * Self::STEPS).map(|_| normal()).collect();
        let shocks: Vec<[f64; 2]> = (0..self.days).map(|_| [normal(), normal()]).collect();
        let n = self.stocks * self.days;
        let mut columns: [Vec<f64>; 6] = std::array::from_fn(|_| Vec::with_capacity(n));
        let (common, own) = (COMMON.sqrt(), (1.0 - COMMON).sqrt());
        let base = 2.0 * (self.volatility / 252.0_f64.sqrt()).ln();
        for stock in 0..self.stocks {
            let mut price = (20.0 + 15.0 * stock as f64).ln();
            let mut state = [normal() * SLOW.deviation, normal() * FAST.deviation];
            for day in 0..self.days {
                let variance = (base + state[0] + state[1]).exp();
                let step = (variance / Self::STEPS as f64).sqrt();
                // The night moves a quarter as much as a day.
                price += 0.25 * variance.sqrt() * normal();
                let open = price;
                let (mut high, mut low, mut realized, mut moved) = (price, price, 0.0, 0.0);
                for at in 0..Self::STEPS {
                    let shock = common * steps[day * Self::STEPS + at] + own * normal();
                    let change = step * shock - 0.5 * step * step;
                    price += change;
                    moved += shock;
                    realized += change * change;
                    high = high.max(price);
                    low = low.min(price);
                }
                // Trading goes with how much prices moved, and a little by itself.
                let volume = 1e6 * (realized / variance).sqrt() * (0.3 * normal()).exp();
                let bar = [
                    open.exp(),
                    high.exp(),
                    low.exp(),
                    price.exp(),
                    volume,
                    realized,
                ];
                columns
                    .iter_mut()
                    .zip(bar)
                    .for_each(|(column, value)| column.push(value));
                let z = moved / (Self::STEPS as f64).sqrt();
                for (i, part) in [SLOW, FAST].into_iter().enumerate() {
                    let shock = common * shocks[day][i] + own * normal();
                    let shock = LEVERAGE * z + (1.0 - LEVERAGE * LEVERAGE).sqrt() * shock;
                    state[i] = part.next(state[i], shock);
                }
            }
        }
        let tickers: Vec<String> = (0..self.stocks).map(|i| format!("S{i:02}")).collect();
        let ticker = tickers
            .iter()
            .flat_map(|t| std::iter::repeat_n(Some(t.as_str()), self.days));
        let date = dates.iter().copied().cycle().take(n).collect();
        let [open, high, low, close, volume, realized] = columns;
        Table::new(vec![
            Column::date_time("date", date),
            Column::categorical("ticker", ticker),
            Column::numeric("open", open),
            Column::numeric("high", high),
            Column::numeric("low", low),
            Column::numeric("close", close),
            Column::numeric("volume", volume),
            Column::numeric("realized_variance", realized),
        ])
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ColumnValues;

    fn numbers(table: &Table, name: &str) -> Vec<f64> {
        match table.column(name).map(|c| c.values.clone()) {
            Ok(ColumnValues::Numeric(values)) => values,
            _ => vec![],
        }
    }

    #[test]
    fn bars_are_bars_and_volatility_clusters() -> Result<(), DataError> {
        let config = BarMarketConfig {
            stocks: 3,
            days: 2_000,
            ..BarMarketConfig::default()
        };
        let bars = config.generate()?;
        assert_eq!(bars, config.generate()?);
        let [open, high, low, close] = ["open", "high", "low", "close"].map(|c| numbers(&bars, c));
        for row in 0..bars.n_rows() {
            assert!(
                low[row] <= open[row].min(close[row]) && high[row] >= open[row].max(close[row])
            );
        }
        let log: Vec<f64> = numbers(&bars, "realized_variance")
            .iter()
            .map(|v| v.ln())
            .collect();
        let correlation = |x: &[f64]| {
            let mean = x.iter().sum::<f64>() / x.len() as f64;
            let product = |a: &f64, b: &f64| (a - mean) * (b - mean);
            let later: f64 = x.iter().zip(&x[1..]).map(|(a, b)| product(a, b)).sum();
            let all: f64 = x.iter().map(|a| product(a, a)).sum();
            later / all
        };
        assert!(
            correlation(&log[..2_000]) > 0.6,
            "{}",
            correlation(&log[..2_000])
        );
        let returns: Vec<f64> = close[..2_000]
            .windows(2)
            .map(|p| (p[1] / p[0]).ln())
            .collect();
        assert!(
            correlation(&returns).abs() < 0.1,
            "{}",
            correlation(&returns)
        );
        Ok(())
    }

    #[test]
    fn bad_fields_are_named() {
        let bad = [
            BarMarketConfig {
                stocks: 0,
                ..BarMarketConfig::default()
            },
            BarMarketConfig {
                volatility: f64::NAN,
                ..BarMarketConfig::default()
            },
        ];
        let named = bad.map(|c| {
            c.generate()
                .err()
                .map(|e| e.to_string())
                .unwrap_or_default()
        });
        assert!(
            named[0].contains("stocks = 0") && named[1].contains("volatility"),
            "{named:?}"
        );
    }
}
