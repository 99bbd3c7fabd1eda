//! Order flow imbalance at the best quote.

use serde::{Deserialize, Serialize};

use crate::features::bar::{Bar, Quote};
use crate::features::streaming::Streaming;
use crate::features::window::Window;

/// What was added at the bid and taken from the ask, less the contrary, from quote to quote (Cont,
/// Kukanov and Stoikov 2014, "The price impact of order book events", Journal of Financial
/// Econometrics 12, the `eₙ` of section 2.1), summed over the last changes and divided by their mean
/// depth `(bid_size + ask_size)/2`.
///
/// Exact if every quote is a bar; with one quote per minute it is that of the quotes seen.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(in crate::features) struct QuoteFlow {
    previous: Option<Quote>,
    flow: Window,
    depth: Window,
}

impl QuoteFlow {
    pub(in crate::features) fn new(period: u32) -> Self {
        Self {
            previous: None,
            flow: Window::new(period),
            depth: Window::new(period),
        }
    }
}

impl Streaming for QuoteFlow {
    fn push(&mut self, bar: &Bar) -> Option<f64> {
        let now = bar.quote?;
        let before = self.previous.replace(now)?;
        let mut flow = 0.0;
        if now.bid >= before.bid {
            flow += now.bid_size;
        }
        if now.bid <= before.bid {
            flow -= before.bid_size;
        }
        if now.ask <= before.ask {
            flow -= now.ask_size;
        }
        if now.ask >= before.ask {
            flow += before.ask_size;
        }
        let flow = self.flow.push(flow).map(Window::sum);
        let depth = self.depth.push(0.5 * (now.bid_size + now.ask_size));
        let (flow, depth) = (flow?, depth?.mean());
        (depth > 0.0).then(|| flow / depth)
    }
}
