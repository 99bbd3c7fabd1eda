//! The checks that config validation is made of. Each names the field, the value and what is
//! allowed; NaN never passes.

use std::fmt::{Debug, Display};
use std::ops::RangeBounds;

use crate::ForgeError;

/// `value` lies in `range`.
///
/// # Errors
/// A config error naming `field`, `value` and `range`.
pub fn in_range<T, R>(field: &str, value: T, range: R) -> Result<(), ForgeError>
where
    T: PartialOrd + Display,
    R: RangeBounds<T> + Debug,
{
    if range.contains(&value) {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, format!("in {range:?}")))
    }
}

/// `value` is at least 1.
///
/// # Errors
/// A config error naming `field` and `value`.
pub fn at_least_one(field: &str, value: usize) -> Result<(), ForgeError> {
    if value >= 1 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "at least 1"))
    }
}

/// `value` is a finite number above zero.
///
/// # Errors
/// A config error naming `field` and `value`.
pub fn positive(field: &str, value: f64) -> Result<(), ForgeError> {
    if value.is_finite() && value > 0.0 {
        Ok(())
    } else {
        Err(ForgeError::config(field, value, "finite and above 0"))
    }
}

/// A dropout probability: `[0, 1)`.
///
/// # Errors
/// A config error naming `field` and `value`.
pub fn probability(field: &str, value: f64) -> Result<(), ForgeError> {
    in_range(field, value, 0.0..1.0)
}

/// `divisor` divides `value` without remainder.
///
/// # Errors
/// A config error naming both fields and both values.
pub fn divides(
    divisor_field: &str,
    divisor: usize,
    field: &str,
    value: usize,
) -> Result<(), ForgeError> {
    at_least_one(divisor_field, divisor)?;
    if value.is_multiple_of(divisor) {
        Ok(())
    } else {
        Err(ForgeError::config(
            field,
            value,
            format!("a multiple of {divisor_field} = {divisor}"),
        ))
    }
}

/// `value` is odd.
///
/// # Errors
/// A config error naming `field` and `value`.
pub fn odd(field: &str, value: usize) -> Result<(), ForgeError> {
    if value.is_multiple_of(2) {
        Err(ForgeError::config(field, value, "odd"))
    } else {
        Ok(())
    }
}
