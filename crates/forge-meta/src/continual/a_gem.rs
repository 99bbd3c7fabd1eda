//! Averaged gradient episodic memory.

use forge_nn::ForgeError;

use crate::functional::Params;

/// `g - (gᵀ r / rᵀ r) r` where `gᵀ r < 0`, else `g`: the nearest gradient that does not raise the loss
/// whose gradient `r` is, the mean over what is remembered of all old tasks.
///
/// Chaudhry et al., arXiv 1812.00420, eq. 11.
///
/// # Errors
/// A weights error if the two are of different modules; a training error if one is not finite.
pub fn project_average(gradient: &Params, reference: &Params) -> Result<Params, ForgeError> {
    let against = gradient.dot(reference)?.into_scalar::<f64>();
    let length = reference.dot(reference)?.into_scalar::<f64>();
    if !against.is_finite() || !length.is_finite() {
        let what = "the gradient, or that of the memory, is not finite; lower the learning rate";
        return Err(ForgeError::training(what));
    }
    match against < 0.0 && length > 0.0 {
        true => gradient.add_scaled(reference, -against / length),
        false => Ok(gradient.clone()),
    }
}
