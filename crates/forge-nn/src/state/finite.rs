//! Weights must be numbers.

use burn::tensor::{DType, TensorData};

use super::StateDict;
use crate::ForgeError;

/// Tensors that an error names: one that diverges takes all the others with it.
const NAMED: usize = 4;

impl StateDict {
    /// Checks that every tensor of floats is finite throughout. Loading does so itself: one NaN among
    /// the weights makes every prediction NaN, or hides in a part that is rarely used.
    ///
    /// # Errors
    /// A weights error naming the first tensors that are not, with their first such element and how many
    /// there are, and the number of the others.
    pub fn check_finite(&self) -> Result<(), ForgeError> {
        let problems: Vec<String> = self
            .tensors
            .iter()
            .filter_map(|(name, data)| Some(format!("{name} {}", not_finite(data)?)))
            .collect();
        let named = problems.len().min(NAMED);
        let mut text = problems[..named].join("; ");
        match problems.len() - named {
            0 if named == 0 => return Ok(()),
            0 => {}
            others => text += &format!("; and {others} more of {} tensors", self.tensors.len()),
        }
        Err(ForgeError::weights(text))
    }
}

/// What is wrong with `data`, if some element is NaN or infinite.
pub(super) fn not_finite(data: &TensorData) -> Option<String> {
    match data.dtype() {
        DType::F32 => first(data, |x: f32| x.is_finite(), f64::from),
        DType::F64 => first(data, f64::is_finite, |x| x),
        DType::F16 => first(data, burn::tensor::f16::is_finite, f64::from),
        DType::BF16 => first(data, burn::tensor::bf16::is_finite, f64::from),
        // Integers, booleans; quantised values are integers with scales that were made from floats.
        _ => None,
    }
}

fn first<E: burn::tensor::Element>(
    data: &TensorData,
    is_finite: impl Fn(E) -> bool,
    number: impl Fn(E) -> f64,
) -> Option<String> {
    let values = data.as_slice::<E>().ok()?;
    let at = values.iter().position(|&x| !is_finite(x))?;
    let count = values[at..].iter().filter(|&&x| !is_finite(x)).count();
    let index = index(at, data.shape());
    let value = number(values[at]);
    Some(match count {
        1 => format!("is not finite: {value} at {index:?}"),
        count => format!("is not finite: {count} elements, the first {value} at {index:?}"),
    })
}

/// The place of the element number `flat` of a row-major tensor.
fn index(flat: usize, shape: &[usize]) -> Vec<usize> {
    let mut rest = flat;
    let mut index = vec![0; shape.len()];
    for (place, &len) in index.iter_mut().zip(shape).rev() {
        *place = rest % len;
        rest /= len;
    }
    index
}
