//! Decimal numbers as people write them.

use std::borrow::Cow;
use std::fmt::{self, Display};

use serde::{Deserialize, Serialize};

/// The mark between a number's whole and its fraction.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Decimal {
    /// `1234.5`, and `1,234.5` with thousands separators.
    #[default]
    Point,
    /// `1234,5`, and `1.234,5` with thousands separators.
    Comma,
}

impl Decimal {
    fn marks(self) -> (u8, u8) {
        match self {
            Self::Point => (b'.', b','),
            Self::Comma => (b',', b'.'),
        }
    }
}

impl Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Point => "point",
            Self::Comma => "comma",
        })
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Digits and perhaps a sign, nothing else.
    pub(crate) integer: bool,
    /// An integer of several digits that starts with 0.
    pub(crate) leading_zero: bool,
    /// It has thousands separators.
    pub(crate) thousands: bool,
    /// It has a decimal mark.
    pub(crate) fraction: bool,
    /// Digits, an E and digits, as in `98765E307`: a number, or an identifier with a letter.
    pub(crate) code: bool,
}

/// The shape of `[+-] digits [fraction] [exponent]`, the digits perhaps in groups of three;
/// `None` for anything else, also for `inf`, `0x10` and `1_000`.
pub(crate) fn shape(text: &str, decimal: Decimal) -> Option<Shape> {
    let bytes = text.as_bytes();
    let (mark, separator) = decimal.marks();
    let mut at = usize::from(matches!(bytes.first(), Some(b'+' | b'-')));
    let start = at;
    let whole = digits(bytes, at);
    at += whole;
    let mut thousands = false;
    if (1..=3).contains(&whole) && bytes[start] != b'0' {
        while bytes.get(at) == Some(&separator) && digits(bytes, at + 1) == 3 {
            thousands = true;
            at += 4;
        }
    }
    let mut fraction = 0;
    let mut integer = !thousands;
    let marked = bytes.get(at) == Some(&mark);
    if marked {
        fraction = digits(bytes, at + 1);
        at += 1 + fraction;
        integer = false;
    }
    if whole + fraction == 0 {
        return None;
    }
    let mut code = false;
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        code = integer && start == 0 && whole > 1 && !signed;
        at += 1 + usize::from(signed);
        let exponent = digits(bytes, at);
        if exponent == 0 {
            return None;
        }
        at += exponent;
        integer = false;
    }
    (at == bytes.len()).then_some(Shape {
        integer,
        leading_zero: integer && whole > 1 && bytes[start] == b'0',
        thousands,
        fraction: marked,
        code,
    })
}

/// The value of a text that has a [`shape`], and the shape; infinite where it overflows.
pub(crate) fn parse(text: &str, decimal: Decimal) -> Option<(f64, Shape)> {
    let shape = shape(text, decimal)?;
    let plain: Cow<'_, str> = match decimal {
        Decimal::Point if !shape.thousands => Cow::Borrowed(text),
        Decimal::Point => Cow::Owned(text.replace(',', "")),
        Decimal::Comma => Cow::Owned(text.replace('.', "").replace(',', ".")),
    };
    Some((plain.parse().ok()?, shape))
}

/// `inf` and `infinity` with any sign and case.
pub(crate) fn is_infinity(text: &str) -> bool {
    let word = text.strip_prefix(['+', '-']).unwrap_or(text);
    word.eq_ignore_ascii_case("inf") || word.eq_ignore_ascii_case("infinity")
}

/// Whether an integer's digits are more than `value`, its nearest f64, can hold.
pub(crate) fn is_rounded(text: &str, value: f64) -> bool {
    let digits = text.trim_start_matches(['+', '-']).trim_start_matches('0');
    digits.bytes().all(|b| b.is_ascii_digit()) && format!("{:.0}", value.abs()) != digits
}

/// Whether a text that reads as 0 has another digit than 0 before its exponent.
pub(crate) fn is_underflow(text: &str) -> bool {
    text.bytes()
        .take_while(|b| !matches!(b, b'e' | b'E'))
        .any(|b| (b'1'..=b'9').contains(&b))
}

/// The shortest text that reads back to the same f64, whole numbers without a fraction.
pub(crate) fn format(value: f64) -> String {
    // `Display` never uses an exponent and `Debug` always shows ".0".
    if value.abs() < 1e15 && value.fract() == 0.0 {
        format!("{value}")
    } else {
        format!("{value:?}")
    }
}

fn digits(bytes: &[u8], from: usize) -> usize {
    bytes
        .get(from..)
        .unwrap_or_default()
        .iter()
        .take_while(|b| b.is_ascii_digit())
        .count()
}

#[cfg(test)]
mod tests {
    use super::{Decimal, is_rounded, is_underflow, parse, shape};

    fn value(text: &str, decimal: Decimal) -> Option<f64> {
        parse(text, decimal).map(|(value, _)| value)
    }

    #[test]
    fn numbers_are_read_with_either_mark() {
        for (text, expected) in [
            ("0", 0.0),
            ("-1.5", -1.5),
            ("+.5", 0.5),
            ("5.", 5.0),
            ("1.5e3", 1500.0),
            ("1E-3", 1e-3),
            ("1,234.5", 1234.5),
            ("12,345,678", 12_345_678.0),
            ("007", 7.0),
        ] {
            assert_eq!(value(text, Decimal::Point), Some(expected), "{text}");
        }
        for (text, expected) in [
            ("41,3", 41.3),
            ("0,1182", 0.1182),
            ("1.204", 1204.0),
            ("2.075.001", 2_075_001.0),
            ("1.234,5", 1234.5),
            ("-,5", -0.5),
            ("987", 987.0),
        ] {
            assert_eq!(value(text, Decimal::Comma), Some(expected), "{text}");
        }
    }

    #[test]
    fn what_is_no_number_is_refused() {
        for text in [
            "", "-", "+", ".", "e5", "1e", "1e+", "inf", "nan", "0x10", "1_000", "TRUE", "1 2",
            "1,23", "1234,567", "0,123", "1,234,56", "1.2.3", "1,2345", "--1", "1-", "٣",
        ] {
            assert_eq!(value(text, Decimal::Point), None, "{text}");
        }
        for text in ["1.23", "1.2045", "1,2,3", "0.123", "41.3"] {
            assert_eq!(value(text, Decimal::Comma), None, "{text}");
        }
    }

    #[test]
    fn integers_and_leading_zeros_are_told_apart() {
        let of = |text| shape(text, Decimal::Point).map(|s| (s.integer, s.leading_zero));
        assert_eq!(of("007"), Some((true, true)));
        assert_eq!(of("0"), Some((true, false)));
        assert_eq!(of("-00"), Some((true, true)));
        assert_eq!(of("00.5"), Some((false, false)));
        assert_eq!(of("1,234"), Some((false, false)));
    }

    #[test]
    fn lost_digits_are_noticed() {
        for (text, rounded) in [
            ("9007199254740992", false),
            ("9007199254740993", true),
            ("-9007199254740993", true),
            ("0009007199254740994", false),
            ("18446744073709551616", false),
            ("123456789012345678901234567890", true),
        ] {
            assert_eq!(
                is_rounded(text, text.parse().unwrap_or(0.0)),
                rounded,
                "{text}"
            );
        }
        assert!(is_underflow("-1e-400") && !is_underflow("0.00e5"));
    }
}
