//! What models of labelled rows with a single target ask of an input.

use burn::tensor::Tensor;
use forge_nn::ForgeError;

use crate::TabularInput;

/// At least one labelled row, and one target per row; none for the rows to predict.
///
/// # Errors
/// An unsupported error for targets of rows to predict, a shape error otherwise.
pub(super) fn check_one_target(model: &str, input: &TabularInput) -> Result<(), ForgeError> {
    if input.target.is_some() {
        let what = "lets no row to predict be seen: put labelled rows in the context";
        return Err(ForgeError::unsupported(format!("{model} {what}")));
    }
    let target = input
        .context
        .as_ref()
        .and_then(|context| context.target.as_ref());
    match target.map(Tensor::dims) {
        Some([rows, slots]) if rows == 0 || slots != 1 => {
            let found = format!("[{rows}, {slots}]");
            let expected = "[R, 1], one target per labelled row, at least one row";
            Err(ForgeError::shape("context target", found, expected))
        }
        _ => Ok(()),
    }
}
