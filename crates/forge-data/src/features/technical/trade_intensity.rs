//! How busy a market is beside how busy it usually is.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::average::ExponentialAverage;
use crate::features::streaming::Streaming;

/// What counts as activity.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Activity {
    /// What was traded.
    #[default]
    Volume,
    /// The number of trades.
    Trades,
}

/// The short exponential average of the activity by the long one: 1 is as usual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct TradeIntensity {
    activity: Activity,
    short: ExponentialAverage,
    long: ExponentialAverage,
}

impl TradeIntensity {
    pub(in crate::features) fn new(activity: Activity, short: u32, long: u32) -> Self {
        Self {
            activity,
            short: ExponentialAverage::usual(short),
            long: ExponentialAverage::usual(long),
        }
    }
}

impl Streaming for TradeIntensity {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let activity = match self.activity {
            Activity::Volume => bar.volume,
            Activity::Trades => bar.trades,
        }?;
        let short = self.short.push(activity);
        let long = self.long.push(activity);
        let (short, long) = (short?, long?);
        (long > 0.0).then(|| short / long)
    }
}
