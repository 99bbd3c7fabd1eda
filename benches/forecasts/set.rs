//! The sets: their files, windows and splits.

mod derived;
mod m4;
mod panel;
mod variance;

pub(crate) use variance::Inputs;

use std::path::Path;

use volatilityforge::data::TimeSplit;
use volatilityforge::data::{Horizon, SeriesConfig, SeriesTransform, SplitPart, TimeColumns};
use volatilityforge::forecast::ForecasterConfig;
use volatilityforge::nn::ForgeError;
use volatilityforge::{Error, ReadOptions, Table, read_table};

/// How forecasts are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Measure {
    /// Squared and absolute errors on the scale of the training steps.
    Scaled,
    /// The M4 competition's.
    M4,
    /// Right directions of moves that are not small.
    Direction,
    /// Root of the mean squared error, of logarithms of volatility.
    Rmse,
    /// QLIKE, and Diebold–Mariano against log-HARs.
    Variance,
}

impl Measure {
    /// Whether it is computed of single forecasts, beside the scores of all.
    pub(crate) fn reads_forecasts(self) -> bool {
        matches!(self, Self::M4 | Self::Direction | Self::Variance)
    }

    /// The score that decides.
    pub(crate) fn score(self) -> &'static str {
        match self {
            Self::Scaled => "mse",
            Self::M4 => "owa",
            Self::Direction => "accuracy",
            Self::Rmse => "rmse",
            Self::Variance => "qlike",
        }
    }
}

/// A set of series that others have published figures of.
#[derive(Debug)]
pub(crate) struct Set {
    pub(crate) name: &'static str,
    /// Under the folder of the data.
    file: &'static str,
    /// Steps ahead, where `--horizons` names none.
    pub(crate) horizons: &'static [usize],
    /// Steps that models see: what the published figures beside it have, where they say.
    pub(crate) lookback: usize,
    pub(crate) measure: Measure,
    pub(crate) objective: &'static str,
}

const fn set(
    name: &'static str,
    file: &'static str,
    horizons: &'static [usize],
    lookback: usize,
    measure: Measure,
    objective: &'static str,
) -> Set {
    Set {
        name,
        file,
        horizons,
        lookback,
        measure,
        objective,
    }
}

use Measure::{Direction, M4, Rmse, Scaled, Variance};

/// ETT, exchange rates and illness: the long look-backs of Zeng et al. (2023) and Nie et al. (2023).
pub(crate) const ALL: &[Set] = &[
    set(
        "ETTh1",
        "ETTh1.csv",
        &[96, 720],
        336,
        Scaled,
        "regression:mse",
    ),
    set(
        "ETTh2",
        "forecast/ETTh2/ETTh2.csv",
        &[96, 720],
        336,
        Scaled,
        "regression:mse",
    ),
    set(
        "exchange_rate",
        "forecast/exchange_rate/exchange_rate.csv",
        &[96, 720],
        336,
        Scaled,
        "regression:mse",
    ),
    set(
        "national_illness",
        "forecast/national_illness/national_illness.csv",
        &[24, 60],
        104,
        Scaled,
        "regression:mse",
    ),
    set(
        "m4_hourly",
        "forecast/m4_hourly/train.csv",
        &[48],
        336,
        M4,
        "regression:mae",
    ),
    set(
        "stocks88_daily",
        "finance/stocks88_daily/stocks88_daily.csv",
        &[1],
        20,
        Direction,
        "regression:mse",
    ),
    set(
        "equity_minute",
        "finance/equity_minute/equity_minute_201310.csv",
        &[15],
        // Half an hour of changes.
        31,
        Rmse,
        "regression:mse",
    ),
    set(
        "crypto_5min",
        "finance/crypto_5min/crypto_5min_201801.csv",
        &[12],
        144,
        Rmse,
        "regression:mse",
    ),
    set(
        "spy_hour",
        "finance/spy_hour/spy_hour_2019_2021.csv",
        &[7],
        140,
        Rmse,
        "regression:mse",
    ),
    set(
        "spx_realized",
        "finance/spx_realized/spx_rv5_vix_2000_2020.csv",
        &[1],
        66,
        Variance,
        // With the ends of the 90 % band, whose coverage is told.
        "quantiles:0.05,0.1,0.25,0.5,0.75,0.9,0.95",
    ),
];

/// A set as it is learned from.
pub(crate) struct Loaded {
    pub(crate) table: Table,
    pub(crate) config: ForecasterConfig,
    pub(crate) split: TimeSplit,
    /// Of a set that has a choice of them.
    pub(crate) inputs: Option<Inputs>,
}

impl Set {
    pub(crate) fn is_in(&self, data: &Path) -> bool {
        data.join(self.file).exists()
    }

    /// `inputs` are [`Inputs::Vix`] of variances and [`Inputs::Own`] of others where none are given.
    pub(crate) fn load(
        &self,
        data: &Path,
        horizon: usize,
        inputs: Option<Inputs>,
    ) -> Result<Loaded, Error> {
        let fits = match inputs {
            None => true,
            Some(Inputs::Own) => matches!(self.measure, Variance | Rmse),
            Some(Inputs::Bars) => self.measure == Rmse,
            Some(_) => self.measure == Variance,
        };
        if !fits {
            let allowed = "absent, or of spx_realized own, means, returns or vix, of crypto_5min, \
                           spy_hour and equity_minute own or bars";
            return Err(ForgeError::config("inputs", self.name, allowed).into());
        }
        let of_bars = inputs == Some(Inputs::Bars);
        let path = data.join(self.file);
        // Columns of exchange_rate are named by numbers.
        let options = ReadOptions {
            has_header: Some(true),
            ..ReadOptions::default()
        };
        let read = || Ok::<_, Error>(read_table(&path, &options)?.0);
        let mut loaded = match self.name {
            // Twelve, four and four months of thirty days: the rows after them are not used.
            "ETTh1" | "ETTh2" => long(
                read()?.head(20 * 30 * 24),
                4 * 30 * 24,
                4 * 30 * 24,
                horizon,
            ),
            "exchange_rate" | "national_illness" => {
                let table = read()?;
                let rows = table.n_rows();
                let (train, test) = (rows * 7 / 10, rows * 2 / 10);
                long(table, rows - train - test, test, horizon)
            }
            "m4_hourly" => m4::load(read()?, &path.with_file_name("test.csv"))?,
            "stocks88_daily" => stocks(read()?),
            "equity_minute" => derived::equity_minute(read()?, horizon, of_bars)?,
            "spx_realized" => variance::load(read()?, inputs.unwrap_or(Inputs::Vix))?,
            _ => derived::log_volatility(read()?, horizon, of_bars)?,
        };
        loaded.config.lookback = Some(self.lookback);
        loaded.config.objective = Some(self.objective.parse()?);
        Ok(loaded)
    }
}

/// All columns but the first are forecast.
fn long(table: Table, validation: usize, test: usize, horizon: usize) -> Loaded {
    let names = table.columns()[1..]
        .iter()
        .map(|column| column.name.clone());
    let series = SeriesConfig::new("date", names);
    Loaded {
        table,
        config: ForecasterConfig::new(series, horizon),
        split: hold_out(SplitPart::Steps(validation), SplitPart::Steps(test)),
        inputs: None,
    }
}

fn hold_out(validation: SplitPart, test: SplitPart) -> TimeSplit {
    TimeSplit::HoldOut {
        validation,
        test,
        embargo: 0,
    }
}

/// The days of Feng et al. (2019).
fn stocks(table: Table) -> Loaded {
    let prices = ["open", "high", "low", "close"];
    let series = SeriesConfig::new("date", ["adj_close"])
        .with_series("ticker")
        .with_past(prices);
    let mut config = ForecasterConfig::new(series, 1);
    for column in prices.into_iter().chain(["adj_close"]) {
        config.scaler = config
            .scaler
            .with_transform(column, SeriesTransform::Returns);
    }
    Loaded {
        table,
        config,
        split: hold_out(
            SplitPart::From("2015-08-03".into()),
            SplitPart::From("2015-10-01".into()),
        ),
        inputs: None,
    }
}

/// Forecasts of one step, `horizon` ahead, of a column of logarithms of volatility.
fn of_log_volatility(
    table: Table,
    time: TimeColumns,
    id: Option<&str>,
    horizon: usize,
    test: SplitPart,
) -> Loaded {
    let mut series = SeriesConfig::new(time, [derived::LOG_VOLATILITY]);
    series.series = id.map(String::from);
    Loaded {
        table,
        config: ForecasterConfig::new(series, Horizon::List(vec![horizon])),
        split: hold_out(SplitPart::Fraction(0.1), test),
        inputs: None,
    }
}
