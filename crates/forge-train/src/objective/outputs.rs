//! A model's raw outputs on the host.

use forge_nn::ForgeError;

use super::Scale;

/// Outputs `[N, S, W]`, checked.
pub(super) struct Outputs<'a> {
    values: &'a [f64],
    slots: usize,
    width: usize,
}

impl<'a> Outputs<'a> {
    /// # Errors
    /// A shape error if the values are not whole rows; a training error naming the first row that
    /// is not finite.
    pub(super) fn new(values: &'a [f64], slots: usize, width: usize) -> Result<Self, ForgeError> {
        let d_out = slots * width;
        if d_out == 0 || !values.len().is_multiple_of(d_out) {
            return Err(ForgeError::shape(
                "the model's outputs",
                format!("{} values", values.len()),
                format!("whole rows of {slots} target(s) x {width} output(s)"),
            ));
        }
        if let Some(at) = values.iter().position(|v| !v.is_finite()) {
            return Err(ForgeError::training(format!(
                "the model's output for row {} is {}; look for inputs that are not finite, or \
                 train with a smaller learning rate or a gradient clip",
                at / d_out,
                values[at]
            )));
        }
        Ok(Self {
            values,
            slots,
            width,
        })
    }

    /// Slots of all rows in turn: the number of the slot, and its outputs.
    pub(super) fn slots(&self) -> impl Iterator<Item = (usize, &'a [f64])> {
        let slots = self.slots;
        let all = self.values.chunks_exact(self.width).enumerate();
        all.map(move |(at, outputs)| (at % slots, outputs))
    }
}

/// One valid scale per slot.
///
/// # Errors
/// A shape error for another number of them; a config error for one out of range.
pub(super) fn check_scales(scales: &[Scale], slots: usize) -> Result<(), ForgeError> {
    if scales.len() != slots {
        return Err(ForgeError::shape(
            "scales",
            format!("{} scale(s)", scales.len()),
            format!("one per target column, {slots}"),
        ));
    }
    scales.iter().try_for_each(Scale::validate)
}

/// The probabilities of no and yes of a logit of yes.
pub(super) fn no_yes(logit: f64) -> [f64; 2] {
    // The smaller of both from e^-|x|, so that it keeps its digits.
    let small = (-logit.abs()).exp();
    let (small, large) = (small / (1.0 + small), 1.0 / (1.0 + small));
    if logit < 0.0 {
        [large, small]
    } else {
        [small, large]
    }
}

/// The least probability whose logarithm is taken.
const LEAST: f64 = 1e-30;

/// `ln p`, of 0 that of the least probability.
pub(super) fn ln_probability(p: f64) -> f64 {
    p.max(LEAST).ln()
}

/// `ln p/(1 - p)`, finite for 0 and 1.
pub(super) fn logit(p: f64) -> f64 {
    ln_probability(p) - ln_probability(1.0 - p)
}

/// `ln(1 + eˣ)` in f64; the same form as [`loss::softplus`](crate::loss::softplus).
pub(super) fn softplus(x: f64) -> f64 {
    0.5 * (x + x.abs()) + (-x.abs()).exp().ln_1p()
}
