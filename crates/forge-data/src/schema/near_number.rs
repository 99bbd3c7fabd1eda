//! Numbers with something around them: `$8.26`, `12%`, `1.2K`, `(1,234.50)`, and bond prices in
//! 32nds.

use super::{Decimal, number};

/// A number and what stood around it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Near<'a> {
    /// The number that is meant: a percentage divided by 100, thousands multiplied out.
    pub(crate) value: f64,
    /// The sign or code of the currency, as written.
    pub(crate) currency: Option<&'a str>,
    pub(crate) percent: bool,
    /// `K`, `M`, `B` or `T`.
    pub(crate) magnitude: Option<char>,
    /// Whether the number itself has a decimal mark.
    pub(crate) fraction: bool,
    /// Whether it has thousands separators.
    pub(crate) thousands: bool,
    /// Whether it is in parentheses, which is how accountants write a minus.
    pub(crate) parentheses: bool,
}

const SIGNS: [&str; 20] = [
    "US$", "HK$", "NZ$", "C$", "A$", "R$", "S$", "$", "€", "£", "¥", "₹", "₩", "₽", "₺", "₿", "₪",
    "฿", "kr", "zł",
];
const CODES: [&str; 32] = [
    "USD", "EUR", "GBP", "JPY", "CHF", "CAD", "AUD", "NZD", "CNY", "CNH", "HKD", "SGD", "INR",
    "KRW", "TWD", "SEK", "NOK", "DKK", "PLN", "CZK", "HUF", "RON", "TRY", "ZAR", "BRL", "MXN",
    "CLP", "ILS", "THB", "IDR", "RUB", "BTC",
];
/// Endings that multiply, longest first, and by how much.
const MAGNITUDES: [(&str, char, f64); 12] = [
    ("mln", 'M', 1e6),
    ("bln", 'B', 1e9),
    ("mn", 'M', 1e6),
    ("mm", 'M', 1e6),
    ("MM", 'M', 1e6),
    ("bn", 'B', 1e9),
    ("k", 'K', 1e3),
    ("K", 'K', 1e3),
    ("M", 'M', 1e6),
    ("m", 'M', 1e6),
    ("B", 'B', 1e9),
    ("T", 'T', 1e12),
];

/// The number in a text that is one but for a currency, a percent sign, a `K`, `M`, `B` or `T`, or
/// parentheses; `None` for anything else, plain numbers among them.
pub(crate) fn parse(text: &str, decimal: Decimal) -> Option<Near<'_>> {
    // What cannot be one is most of what is asked about: labels.
    if !text.bytes().any(|b| b.is_ascii_digit()) || text.len() > 48 {
        return None;
    }
    let mut rest = text;
    let mut parentheses = false;
    if let Some(inner) = rest.strip_prefix('(').and_then(|r| r.strip_suffix(')')) {
        rest = inner.trim();
        parentheses = true;
    }
    let mut negative = parentheses;
    let mut signed = parentheses;
    let mut sign = |rest: &mut &str| {
        if signed {
            return;
        }
        let after = rest.strip_prefix(['-', '\u{2212}']);
        if let Some(after) = after.or_else(|| rest.strip_prefix('+')) {
            (signed, negative) = (true, after.len() < rest.len() && !rest.starts_with('+'));
            *rest = after;
        }
    };
    sign(&mut rest);
    let mut currency = None;
    if let Some((found, after)) = affix(rest, |rest, a| rest.strip_prefix(a)) {
        currency = Some(found);
        rest = after.trim_start();
        sign(&mut rest);
    } else if let Some((found, before)) = affix(rest, |rest, a| rest.strip_suffix(a)) {
        currency = Some(found);
        rest = before.trim_end();
    }
    let mut percent = false;
    let mut magnitude = None;
    if let Some(before) = rest.strip_suffix('%') {
        percent = true;
        rest = before.trim_end();
    } else if let Some((before, name, factor)) = MAGNITUDES
        .iter()
        .find_map(|(ending, name, factor)| Some((rest.strip_suffix(ending)?, *name, *factor)))
    {
        magnitude = Some((name, factor));
        rest = before.trim_end();
    }
    if !(parentheses || currency.is_some() || percent || magnitude.is_some()) {
        return None;
    }
    if !rest.starts_with(|c: char| c.is_ascii_digit() || matches!(c, '.' | ',')) {
        return None;
    }
    let (value, shape) = number::parse(rest, decimal)?;
    if rest.contains(['e', 'E']) {
        return None;
    }
    let scaled = match magnitude {
        // Divided or multiplied by powers of ten that f64 holds: the nearest to what is meant.
        Some((_, factor)) => value * factor,
        None if percent => value / 100.0,
        None => value,
    };
    Some(Near {
        value: if negative { -scaled } else { scaled },
        currency,
        percent,
        magnitude: magnitude.map(|(name, _)| name),
        fraction: shape.fraction,
        thousands: shape.thousands,
        parentheses,
    })
}

/// A currency at one end, and what is left.
fn affix<'a>(
    text: &'a str,
    strip: impl Fn(&'a str, &'static str) -> Option<&'a str>,
) -> Option<(&'static str, &'a str)> {
    SIGNS
        .iter()
        .chain(&CODES)
        .find_map(|currency| Some((*currency, strip(text, currency)?)))
}

/// A bond price in 32nds: `99-16`, `99-16+` and `99-165`, also with an apostrophe.
pub(crate) fn thirty_seconds(text: &str) -> Option<f64> {
    let (whole, part) = text.split_once(['-', '\''])?;
    let dashed = text.as_bytes().get(whole.len()) == Some(&b'-');
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    if !(1..=3).contains(&whole.len()) || !digits(whole) {
        return None;
    }
    let (ticks, last) = part.split_at_checked(2)?;
    let ticks: u32 = Some(ticks).filter(|t| digits(t))?.parse().ok()?;
    let quarters = match last {
        "" => 0,
        "+" => 2,
        // `1'200` is 1200 somewhere.
        _ if !dashed => return None,
        "0" => 0,
        "2" => 1,
        "5" => 2,
        "7" => 3,
        _ => return None,
    };
    let whole: u32 = whole.parse().ok()?;
    (ticks < 32).then(|| f64::from(whole) + f64::from(ticks * 4 + quarters) / 128.0)
}

/// Whether a text looks like a number that is not read: spaces or apostrophes between digits, a
/// unit after a fraction, a comparison before a number, a time of day.
pub(crate) fn is_unread(text: &str) -> bool {
    if text.len() > 32 || !text.bytes().any(|b| b.is_ascii_digit()) {
        return false;
    }
    let plain = |text: &str| {
        let number = |decimal| number::shape(text, decimal);
        number(Decimal::Point).or_else(|| number(Decimal::Comma))
    };
    if let Some(rest) = text.strip_prefix(['<', '>', '~', '\u{2248}']) {
        return plain(rest.trim_start_matches(['=', ' '])).is_some();
    }
    if text.contains([' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}', '_']) {
        let joined: String = text
            .chars()
            .filter(|c| !matches!(c, ' ' | '\u{a0}' | '\u{202f}' | '\'' | '\u{2019}' | '_'))
            .collect();
        let groups = text.split([' ', '\u{a0}', '\u{202f}', '\'', '\u{2019}', '_']);
        let grouped = groups
            .skip(1)
            .all(|group| group.len() >= 3 && group.as_bytes()[..3].iter().all(u8::is_ascii_digit));
        if grouped && plain(&joined).is_some() {
            return true;
        }
    }
    if let Some(before) = text.strip_suffix('-') {
        return plain(before).is_some();
    }
    let number = text
        .trim_end_matches(|c: char| c.is_alphabetic())
        .trim_end();
    number.len() < text.len() && plain(number).is_some_and(|shape| shape.fraction)
}

#[cfg(test)]
mod tests {
    use super::{Decimal, is_unread, parse, thirty_seconds};

    fn value(text: &str) -> Option<f64> {
        parse(text, Decimal::Point).map(|near| near.value)
    }

    #[test]
    fn what_stands_around_a_number_is_understood() {
        for (text, expected) in [
            ("$8.26", 8.26),
            ("-$8.26", -8.26),
            ("$-8.26", -8.26),
            ("($1,234.50)", -1234.5),
            ("(12)", -12.0),
            ("€ 5", 5.0),
            ("5 €", 5.0),
            ("USD 1,000", 1000.0),
            ("12.5 USD", 12.5),
            ("US$3", 3.0),
            ("12%", 0.12),
            ("-0.5 %", -0.005),
            ("1.2K", 1200.0),
            ("3M", 3e6),
            ("2.5bn", 2.5e9),
            ("$1.1M", 1.1e6),
            ("\u{2212}5%", -0.05),
        ] {
            assert_eq!(value(text), Some(expected), "{text}");
        }
        assert_eq!(parse("1,5 %", Decimal::Comma).map(|n| n.value), Some(0.015));
    }

    #[test]
    fn what_is_no_number_stays_none() {
        for text in [
            "5",
            "-5",
            "1,234",
            "$",
            "K",
            "%",
            "5 %%",
            "$$5",
            "--$5",
            "1E5K",
            "12A",
            "1Y",
            "XYZ58P",
            "K5",
            "5-K",
            "(5",
            "$ USD 5 x",
            "0x10",
            "1 2%",
            "12:30",
            "(-5)",
        ] {
            assert_eq!(value(text), None, "{text}");
        }
    }

    #[test]
    fn bond_prices_are_in_32nds() {
        for (text, expected) in [
            ("99-00", 99.0),
            ("99-16", 99.5),
            ("100-16+", 100.515_625),
            ("99-162", 99.507_812_5),
            ("99'31", 99.968_75),
        ] {
            assert_eq!(thirty_seconds(text), Some(expected), "{text}");
        }
        for text in [
            "99-32", "99-1", "9999-16", "99-163", "1'200", "2023-01", "-16", "a-16",
        ] {
            assert_eq!(thirty_seconds(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_that_are_not_read_are_noticed() {
        for text in [
            "1 234", "1'234.5", "1 234,50", "1_000", "<5", ">= 2.5", "5.2x", "0.3 bps", "5-",
        ] {
            assert!(is_unread(text), "{text}");
        }
        for text in ["C", "XYZ58P", "12A", "12 34", "a 123", "2 x", "1Y"] {
            assert!(!is_unread(text), "{text}");
        }
    }
}
