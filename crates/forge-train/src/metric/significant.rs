//! Numbers for people to read.

/// Digits shown.
const DIGITS: i32 = 6;

/// A number with six significant digits whatever its size: a fixed number of decimals shows small
/// numbers as 0 and runs large ones together.
///
/// ```
/// use forge_train::metric::significant;
///
/// assert_eq!(significant(0.012), "0.0120000");
/// assert_eq!(significant(-2.005e-5), "-2.00500e-5");
/// assert_eq!(significant(2.5e19), "2.50000e19");
/// ```
#[must_use]
pub fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let short = format!("{value:.*e}", DIGITS as usize - 1);
    // Of the rounded number: 999,999.9 has an exponent of 6.
    let exponent = short.rsplit_once('e').and_then(|(_, e)| e.parse().ok());
    match exponent {
        Some(exponent @ -4..DIGITS) => {
            let decimals = (DIGITS - 1 - exponent) as usize;
            format!("{value:.decimals$}")
        }
        _ => short,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_size_have_six_digits() {
        for (value, text) in [
            (0.0, "0"),
            (1.0, "1.00000"),
            (-0.123_456_78, "-0.123457"),
            (0.000_123_456_78, "0.000123457"),
            (0.000_099_999_99, "0.000100000"),
            (0.000_012_345_678, "1.23457e-5"),
            (123_456.7, "123457"),
            (999_999.9, "1.00000e6"),
            (1e200, "1.00000e200"),
            (5e-324, "4.94066e-324"),
            (f64::INFINITY, "inf"),
        ] {
            assert_eq!(significant(value), text);
        }
    }
}
