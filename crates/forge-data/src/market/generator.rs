//! The table of quotes.

use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use rand_distr::{Distribution, StandardNormal};

use super::black76::{OptionType, implied_vol, price, vega};
use super::calendar::{MILLIS_PER_DAY, expiries};
use super::microstructure::FairOption;
use super::{MarketDay, SyntheticMarketConfig};
use crate::{Categorical, Column, ColumnValues, DataError, Table};

/// The generator's stream of random numbers for quotes, apart from that of the path: other
/// listings see the same market.
const QUOTE_STREAM: u64 = 1;

impl SyntheticMarketConfig {
    /// Makes the quotes: by date, then expiry, then strike.
    ///
    /// | column | content |
    /// |---|---|
    /// | `date` | trading day (dates) |
    /// | `strike`, `spot`, `forward` | index points |
    /// | `discount` | discount factor to expiry |
    /// | `time_to_maturity` | years, ACT/365 |
    /// | `option_type` | `P` below the forward, `C` from it on (labels) |
    /// | `bid`, `ask`, `mid` | index points; they give the volatility away: not features |
    /// | `implied_vol` | Black-76 volatility of the mid: the target |
    /// | `log_moneyness` | `ln(strike/forward)` |
    /// | `spot_return` | log return of the spot since the day before |
    /// | `prev_vol_30d`, `prev_vol_1y` | at-the-money volatilities at the close of the day before |
    /// | `prev_skew_30d` | volatility one standard deviation below the forward less that one above it, 30 days, the day before |
    /// | `true_vol` | the surface's volatility, if asked for: not a feature |
    ///
    /// The day before the first is taken to be like it: both are at the config's means.
    ///
    /// # Errors
    /// What [`validate`](Self::validate) found, or a value error if no option was worth a quote.
    pub fn generate(&self) -> Result<Table, DataError> {
        let mut rng = ChaCha8Rng::seed_from_u64(self.seed);
        rng.set_stream(QUOTE_STREAM);
        let mut rows = Rows::default();
        let days = self.simulate()?;
        let mut before = days.first().copied();
        for day in days {
            let known = known_before(&before.unwrap_or(day), &day);
            for expiry in expiries(day.date / MILLIS_PER_DAY, self.listing()) {
                self.quote_expiry(&day, &known, expiry, &mut rng, &mut rows);
            }
            before = Some(day);
        }
        if rows.date.is_empty() {
            return Err(DataError::value(format!(
                "the synthetic market has no quotes: no option's bid reaches the tick of {}",
                self.tick
            )));
        }
        rows.into_table(self.true_vol)
    }

    fn quote_expiry(
        &self,
        day: &MarketDay,
        known: &[f64; 4],
        expiry: i64,
        rng: &mut ChaCha8Rng,
        rows: &mut Rows,
    ) {
        let time = (expiry - day.date / MILLIS_PER_DAY) as f64 / 365.0;
        let discount = (-self.rate * time).exp();
        let forward = day.spot * ((self.rate - self.dividend) * time).exp();
        let deviation = day.surface.atm_total_variance(time).sqrt();
        let low = forward * (-self.reach_down * deviation).exp();
        let high = forward * (self.reach_up * deviation).exp();
        let step = round_step((high - low) / f64::from(self.strikes));
        let first = (low / step).ceil().max(1.0) as u64;
        for i in 0..u64::from(self.strikes) {
            let strike = multiple(first + i, step);
            if strike > high {
                break;
            }
            let option = if strike < forward {
                OptionType::Put
            } else {
                OptionType::Call
            };
            let k = (strike / forward).ln();
            let vol = day.surface.vol(k, time);
            let fair = FairOption {
                price: price(option, forward, strike, vol, time, discount),
                vega: vega(forward, strike, vol, time, discount),
                distance: k / (vol * time.sqrt()),
                time,
            };
            // Drawn for every strike, so that which are quoted does not shift the others.
            let z = StandardNormal.sample(rng);
            let Some(quote) = self.quote(fair, z) else {
                continue;
            };
            let mid = 0.5 * (quote.bid + quote.ask);
            // Only an absurdly wide spread lifts a mid beyond what the option can be worth: no
            // one would quote that.
            let Ok(implied) = implied_vol(option, mid, forward, strike, time, discount) else {
                continue;
            };
            rows.date.push(day.date);
            rows.calls.push(u32::from(option == OptionType::Call));
            let numbers = [
                strike, day.spot, forward, discount, time, quote.bid, quote.ask, mid, implied, k,
                vol,
            ];
            let numbers = numbers.iter().chain(known).copied();
            for (column, number) in rows.numbers.iter_mut().zip(numbers) {
                column.push(number);
            }
        }
    }
}

/// What a trader knows when the day opens: the spot's return since the close before, and three
/// readings of that close's surface.
fn known_before(before: &MarketDay, day: &MarketDay) -> [f64; 4] {
    let month = 30.0 / 365.0;
    let at = |k: f64, time: f64| before.surface.vol(k, time);
    let deviation = before.surface.atm_total_variance(month).sqrt();
    [
        (day.spot / before.spot).ln(),
        at(0.0, month),
        at(0.0, 1.0),
        at(-deviation, month) - at(deviation, month),
    ]
}

/// The smallest of 1, 2 and 5 times a power of ten that is at least `least`.
fn round_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factors = [1.0, 2.0, 5.0].into_iter();
    factors
        .map(|f| f * power)
        .find(|s| *s >= least)
        .unwrap_or(10.0 * power)
}

/// `n` steps; a fractional step is the inverse of an integer, dividing by which rounds once: 0.3
/// rather than 0.30000000000000004.
fn multiple(n: u64, step: f64) -> f64 {
    if step < 1.0 {
        n as f64 / (1.0 / step).round()
    } else {
        n as f64 * step
    }
}

/// Columns in the making.
#[derive(Default)]
struct Rows {
    date: Vec<i64>,
    calls: Vec<u32>,
    /// strike, spot, forward, discount, time, bid, ask, mid, implied, log-moneyness, true, and
    /// what is known before
    numbers: [Vec<f64>; 15],
}

impl Rows {
    fn into_table(self, true_vol: bool) -> Result<Table, DataError> {
        let [
            strike,
            spot,
            forward,
            discount,
            time,
            bid,
            ask,
            mid,
            implied,
            k,
            vol,
            spot_return,
            prev_vol_30d,
            prev_vol_1y,
            prev_skew_30d,
        ] = self.numbers;
        let labels = [OptionType::Put, OptionType::Call].map(|o| o.letter().to_owned());
        let mut columns = vec![
            Column::date_time("date", self.date),
            Column::numeric("strike", strike),
            Column::numeric("spot", spot),
            Column::numeric("forward", forward),
            Column::numeric("discount", discount),
            Column::numeric("time_to_maturity", time),
            Column {
                name: "option_type".into(),
                values: ColumnValues::Categorical(Categorical {
                    codes: self.calls,
                    categories: labels.into(),
                }),
                offsets: None,
            },
            Column::numeric("bid", bid),
            Column::numeric("ask", ask),
            Column::numeric("mid", mid),
            Column::numeric("implied_vol", implied),
            Column::numeric("log_moneyness", k),
            Column::numeric("spot_return", spot_return),
            Column::numeric("prev_vol_30d", prev_vol_30d),
            Column::numeric("prev_vol_1y", prev_vol_1y),
            Column::numeric("prev_skew_30d", prev_skew_30d),
        ];
        if true_vol {
            columns.push(Column::numeric("true_vol", vol));
        }
        Table::new(columns)
    }
}
