//! What models whose rows look at other rows cost as there are more of them.

use forge_nn::ForgeError;

use crate::TabularInput;

/// Bytes of a number.
const NUMBER: u64 = 4;

/// Refuses more labelled rows than a model is made for.
///
/// # Errors
/// A shape error with both numbers and the ways out.
pub(super) fn check_rows(
    model: &str,
    input: &TabularInput,
    limit: usize,
) -> Result<(), ForgeError> {
    let rows = (input.context.as_ref()).map_or(0, |context| context.rows.len());
    if rows <= limit {
        return Ok(());
    }
    let expected = format!(
        "at most row_limit = {limit} of {model}: give fewer rows, or raise row_limit in the config \
         (time grows with the square of the rows)"
    );
    Err(ForgeError::shape(
        "context",
        format!("{rows} labelled rows"),
        expected,
    ))
}

/// Numbers that `tokens` tokens of a row keep for gradients, each `of_token`.
pub(super) fn values(tokens: usize, of_token: usize) -> u64 {
    (tokens as u64).saturating_mul(of_token as u64)
}

/// Bytes that a step over `batch` rows with `context` labelled ones keeps for gradients, where each
/// row keeps `values` numbers. Scores of attention are not among them: its kernel computes them
/// anew.
pub(super) fn bytes(batch: usize, context: usize, values: u64) -> u64 {
    let rows = (batch as u64).saturating_add(context as u64);
    rows.saturating_mul(values).saturating_mul(NUMBER)
}
