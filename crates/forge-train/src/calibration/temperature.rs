//! Probabilities that are as often right as they say.

use forge_nn::host::softmax;
use forge_nn::{ForgeError, check};
use serde::{Deserialize, Serialize};

use crate::bisect;

/// One number that logits are divided by before the softmax: it changes how sure a model is, never
/// which class is the most probable. Guo et al. 2017, arXiv 1706.04599, section 4.2.
///
/// It is the minimum of the mean negative log-likelihood of the calibration rows. In `1/T` that is
/// convex, so the minimum is where its derivative `Σ (E_p[z] - z_label)` crosses 0, found by halving
/// to the precision of f64.
///
/// ```
/// use forge_train::calibration::Temperature;
///
/// // Three rows of four are right where 0.98 was said.
/// let logits = [4.0, 0.0].repeat(4);
/// let temperature = Temperature::fit(&logits, 2, &[0, 0, 0, 1])?;
/// let said = temperature.apply(&[4.0, 0.0], 2)?;
/// assert!((said[0] - 0.75).abs() < 1e-12);
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Temperature {
    temperature: f64,
}

/// `T` is sought between this and one over it.
const LEAST: f64 = 1e-6;

impl Temperature {
    /// From logits `[N x C]` of calibration rows (logarithms of probabilities do as well) and their
    /// classes.
    ///
    /// # Errors
    /// A config error for fewer than 2 classes; a shape error for no rows or other numbers of logits;
    /// a training error for a logit that is not finite, a label that is no class, and where no
    /// temperature is best: all rows right (it would go to 0) or no better than chance (to infinity).
    pub fn fit(logits: &[f64], n_classes: usize, labels: &[usize]) -> Result<Self, ForgeError> {
        check_logits(logits, n_classes)?;
        if labels.is_empty() || logits.len() != labels.len() * n_classes {
            return Err(ForgeError::shape(
                "logits for the temperature",
                logits.len(),
                format!(
                    "{n_classes} for each of {} labels, at least 1",
                    labels.len()
                ),
            ));
        }
        if let Some(row) = labels.iter().position(|label| *label >= n_classes) {
            return Err(ForgeError::training(format!(
                "the label of calibration row {row} is {}; it must be below {n_classes}",
                labels[row]
            )));
        }
        let slope = |beta: f64| -> f64 {
            let rows = logits.chunks_exact(n_classes).zip(labels);
            let each = rows.map(|(z, label)| {
                let p = softmax(z, beta);
                // Differences from the label's logit: what is common to all cancels exactly.
                z.iter()
                    .zip(p)
                    .map(|(z_k, p)| p * (z_k - z[*label]))
                    .sum::<f64>()
            });
            each.sum()
        };
        let (low, high) = (LEAST, 1.0 / LEAST);
        let ending = |to: &str, why: &str| {
            Err(ForgeError::training(format!(
                "no temperature is best: it goes to {to}, since {why}; calibrate on more rows"
            )))
        };
        if slope(high) <= 0.0 {
            return ending("0", "every calibration row is classified rightly");
        }
        if slope(low) >= 0.0 {
            return ending("infinity", "the logits say nothing of the labels");
        }
        let root = |low: f64, high: f64| (low * high).sqrt();
        let (beta, _) = bisect(low, high, root, |beta| slope(beta) < 0.0);
        Ok(Self {
            temperature: 1.0 / beta,
        })
    }

    /// The temperature, above 0; above 1 the model was too sure.
    #[must_use]
    pub fn temperature(self) -> f64 {
        self.temperature
    }

    /// Probabilities `[N x C]` of logits `[N x C]`.
    ///
    /// # Errors
    /// As [`fit`](Self::fit) for logits.
    pub fn apply(self, logits: &[f64], n_classes: usize) -> Result<Vec<f64>, ForgeError> {
        check_logits(logits, n_classes)?;
        let rows = logits.chunks_exact(n_classes);
        Ok(rows
            .flat_map(|z| softmax(z, 1.0 / self.temperature))
            .collect())
    }
}

fn check_logits(logits: &[f64], n_classes: usize) -> Result<(), ForgeError> {
    check::in_range("n_classes", n_classes, 2..)?;
    if !logits.len().is_multiple_of(n_classes) {
        let expected = format!("whole rows of {n_classes}");
        return Err(ForgeError::shape("logits", logits.len(), expected));
    }
    match logits.iter().position(|z| !z.is_finite()) {
        None => Ok(()),
        Some(at) => Err(ForgeError::training(format!(
            "the logit of row {}, class {} is {}; it must be finite",
            at / n_classes,
            at % n_classes,
            logits[at]
        ))),
    }
}
