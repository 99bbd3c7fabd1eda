//! What models of labelled rows with a single target ask of an input.

use burn::tensor::Tensor;
use forge_nn::ForgeError;

use crate::{Labels, TabularInput};

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

/// Refuses labelled rows with several targets.
///
/// # Errors
/// An unsupported error that names the model and how many there are.
pub(super) fn check_one_label(model: &str, labels: Labels) -> Result<(), ForgeError> {
    match labels.columns() {
        1 => Ok(()),
        several => Err(ForgeError::unsupported(format!(
            "{model} predicts one target, the table has {several}: take a model for each"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use forge_nn::ForgeError;

    use crate::{Labels, ModelConfig};

    #[test]
    fn several_targets_are_refused_by_name() -> Result<(), ForgeError> {
        for name in ["tabpfn_v1", "tabpfn_v2", "tabicl"] {
            for labels in [Labels::Numbers(1), Labels::Classes(3)] {
                ModelConfig::narrow(name)?.with_labels(labels)?;
            }
            let refused = ModelConfig::narrow(name)?.with_labels(Labels::Numbers(2));
            let error = refused.err().map(|error| error.to_string());
            assert!(error.is_some_and(|error| error.contains(name)), "{name}");
        }
        Ok(())
    }
}
