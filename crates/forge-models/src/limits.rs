//! Upper bounds of architecture sizes. Far above any use; they keep a hostile config from asking
//! for more memory or loop iterations than a machine has.

use std::ops::RangeInclusive;

use forge_nn::{ForgeError, check};

/// Blocks in a stack.
pub(crate) const BLOCKS: RangeInclusive<usize> = 1..=1_024;
/// Width of a layer.
pub(crate) const WIDTH: RangeInclusive<usize> = 1..=65_536;
/// Members of an ensemble.
pub(crate) const MEMBERS: RangeInclusive<usize> = 1..=1_024;
/// Steps of a series that a window has.
pub(crate) const STEPS: RangeInclusive<usize> = 1..=1_048_576;
/// Columns of a table, outputs, or codes of one column.
pub(crate) const COLUMNS: RangeInclusive<usize> = 1..=16_777_216;

/// The width that a pair of fields `name` (the width itself) and `name`_multiplier (a factor of
/// `d_block`, the product truncated) sets, with `default` as the factor where neither is set.
pub(crate) fn hidden_width(
    width: Option<usize>,
    multiplier: Option<f64>,
    d_block: usize,
    default: f64,
) -> usize {
    // `as` truncates and saturates, as int() does for every width that validation lets pass.
    width.unwrap_or_else(|| (d_block as f64 * multiplier.unwrap_or(default)) as usize)
}

/// Checks such a pair.
pub(crate) fn check_hidden_width(
    name: &str,
    width: Option<usize>,
    multiplier: Option<f64>,
    d_block: usize,
) -> Result<(), ForgeError> {
    let factor = format!("{name}_multiplier");
    match (width, multiplier) {
        (Some(_), Some(multiplier)) => Err(ForgeError::config(
            &factor,
            multiplier,
            format!("null where {name} is set"),
        )),
        (Some(width), None) => check::in_range(name, width, WIDTH),
        (None, Some(multiplier)) => {
            check::positive(&factor, multiplier)?;
            let width = hidden_width(None, Some(multiplier), d_block, multiplier);
            if WIDTH.contains(&width) {
                Ok(())
            } else {
                let allowed = format!("such that {name} = {width} is in {WIDTH:?}");
                Err(ForgeError::config(&factor, multiplier, allowed))
            }
        }
        (None, None) => Ok(()),
    }
}

/// Checks a list of the number of blocks in each part of a stack.
pub(crate) fn check_blocks(field: &str, parts: &[usize]) -> Result<(), ForgeError> {
    for (i, &blocks) in parts.iter().enumerate() {
        check::in_range(&format!("{field}[{i}]"), blocks, BLOCKS)?;
    }
    let all = parts.iter().fold(0, |all: usize, n| all.saturating_add(*n));
    check::in_range(&format!("the sum of {field}"), all, BLOCKS)
}
