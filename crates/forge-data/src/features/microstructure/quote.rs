//! What one quote says.

use crate::features::bar::Quote;

impl Quote {
    /// `(bid + ask)/2`.
    #[must_use]
    pub fn mid(&self) -> f64 {
        0.5 * (self.bid + self.ask)
    }

    /// `(ask − bid)/mid`.
    #[must_use]
    pub fn spread(&self) -> f64 {
        (self.ask - self.bid) / self.mid()
    }

    /// `(ask·bid_size + bid·ask_size)/(bid_size + ask_size)`, the mid weighted by the opposite sizes: a
    /// large bid pushes towards the ask. `None` without any size.
    ///
    /// This is the weighted mid, not the martingale of Stoikov 2018 that is also called microprice and
    /// has to be fitted.
    #[must_use]
    pub fn microprice(&self) -> Option<f64> {
        let size = self.bid_size + self.ask_size;
        let weighted = self.ask * self.bid_size + self.bid * self.ask_size;
        (size > 0.0).then(|| weighted / size)
    }

    /// `2·|price − mid|/mid`: what a trade at `price` paid for both ways (Huang and Stoll 1996).
    #[must_use]
    pub fn effective_spread(&self, price: f64) -> f64 {
        2.0 * (price - self.mid()).abs() / self.mid()
    }

    /// `(bid_size − ask_size)/(bid_size + ask_size)`, −1 to 1. `None` without any size.
    #[must_use]
    pub fn imbalance(&self) -> Option<f64> {
        let size = self.bid_size + self.ask_size;
        (size > 0.0).then(|| (self.bid_size - self.ask_size) / size)
    }
}
