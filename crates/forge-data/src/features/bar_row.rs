//! A row of numbers as a bar.

use super::bar_needs::Needs;
use super::{Bar, BarFault, BarField, Quote};

/// The bar of a row whose fields `cell` gives, NaN where one is missing; `None` if it is skipped.
///
/// `missing` hears of a field that is needed and not there, `invalid` of a bar that cannot be: what they
/// refuse is the error. Without a price there is no bar, without another field the bar lacks it.
pub(crate) fn bar_of_row<E>(
    cell: impl Fn(BarField) -> f64,
    needs: Needs,
    session: Option<i64>,
    mut missing: impl FnMut(BarField) -> Result<(), E>,
    invalid: impl FnOnce(BarFault) -> Result<(), E>,
) -> Result<Option<Bar>, E> {
    use BarField::{Ask, AskSize, Bid, BidSize, Close, High, Low, Open};
    let prices = [Open, High, Low, Close];
    if let Some(field) = prices.into_iter().find(|field| cell(*field).is_nan()) {
        missing(field)?;
        return Ok(None);
    }
    let needed = needs.fields();
    for field in needed.iter().filter(|field| cell(**field).is_nan()) {
        missing(*field)?;
    }
    let other = |field: BarField| {
        let value = needed.contains(&field).then(|| cell(field));
        value.filter(|x| !x.is_nan())
    };
    let [open, high, low, close] = prices.map(&cell);
    let mut bar = Bar::new(open, high, low, close);
    bar.volume = other(BarField::Volume);
    bar.trades = other(BarField::Trades);
    bar.session = session.filter(|_| needs.session);
    bar.quote = match [Bid, Ask, BidSize, AskSize].map(other) {
        [Some(bid), Some(ask), Some(bid_size), Some(ask_size)] => Some(Quote {
            bid,
            ask,
            bid_size,
            ask_size,
        }),
        _ => None,
    };
    match bar.check() {
        Ok(()) => Ok(Some(bar)),
        Err(fault) => invalid(fault).map(|()| None),
    }
}
