//! Volume-weighted average price.

use serde::{Deserialize, Serialize};

use crate::features::Bar;
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// Which bars a volume-weighted average price is taken over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum VwapSpan {
    /// The last so many bars, 1 to 100,000.
    Bars(u32),
    /// All bars of the session so far.
    Session,
}

/// `Σ V·(H + L + C)/3 / Σ V`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct Vwap(Sums);

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
enum Sums {
    Bars {
        value: Window,
        volume: Window,
    },
    Session {
        session: Option<i64>,
        value: f64,
        volume: f64,
    },
}

impl Vwap {
    pub(in crate::features) fn new(span: VwapSpan) -> Self {
        Self(match span {
            VwapSpan::Bars(period) => Sums::Bars {
                value: Window::new(period),
                volume: Window::new(period),
            },
            VwapSpan::Session => Sums::Session {
                session: None,
                value: 0.0,
                volume: 0.0,
            },
        })
    }
}

impl Streaming for Vwap {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let new_volume = bar.volume?;
        let new_value = new_volume * ((bar.high + bar.low + bar.close) / 3.0);
        let (value, volume) = match &mut self.0 {
            Sums::Bars { value, volume } => {
                let value = value.push(new_value).map(Window::sum);
                let volume = volume.push(new_volume).map(Window::sum);
                (value?, volume?)
            }
            Sums::Session {
                session,
                value,
                volume,
            } => {
                let now = bar.session?;
                if *session != Some(now) {
                    (*session, *value, *volume) = (Some(now), 0.0, 0.0);
                }
                *value += new_value;
                *volume += new_volume;
                (*value, *volume)
            }
        };
        (volume > 0.0).then(|| value / volume)
    }
}

/// `C/VWAP − 1`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct VwapDistance(Vwap);

impl VwapDistance {
    pub(in crate::features) fn new(span: VwapSpan) -> Self {
        Self(Vwap::new(span))
    }
}

impl Streaming for VwapDistance {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        Some(bar.close / self.0.push(bar)? - 1.0)
    }
}
