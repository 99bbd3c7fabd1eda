//! How many elements a shape has, where the dimensions are the caller's to choose.
//!
//! `Tensor::expand` makes shapes of any size out of one element, and a product of dimensions that
//! wraps around is a small buffer which a kernel then overruns. So no product of dimensions is taken
//! without looking.

/// More elements than this cannot be addressed in the widest type: 8 bytes each, within the
/// largest object that the language allows.
const MOST: usize = isize::MAX as usize / 8;

/// The number of elements of `shape`, or `None` if they are more than can be addressed.
fn checked(shape: &[usize]) -> Option<usize> {
    // A product that is 0 does not wrap, in whichever order it is taken.
    if shape.contains(&0) {
        return Some(0);
    }
    let elements = shape
        .iter()
        .try_fold(1usize, |product, &len| product.checked_mul(len))?;
    (elements <= MOST).then_some(elements)
}

/// The number of elements of `shape`.
///
/// # Panics
/// If there are more than can be addressed.
#[cfg(feature = "flex")]
pub(crate) fn elements(shape: &[usize]) -> usize {
    match checked(shape) {
        Some(elements) => elements,
        None => panic!("shape {shape:?} has more elements than can be addressed"),
    }
}

/// Refuses shapes of which `operation` could not hold the elements.
///
/// # Panics
/// If one of `shapes` has more elements than can be addressed.
pub(crate) fn assert_addressable(operation: &str, shapes: &[&[usize]]) {
    for shape in shapes {
        assert!(
            checked(shape).is_some(),
            "{operation}: shape {shape:?} has more elements than can be addressed"
        );
    }
}

#[cfg(test)]
mod tests {
    use super::{MOST, checked};

    #[test]
    fn products_do_not_wrap() {
        assert_eq!(checked(&[]), Some(1));
        assert_eq!(checked(&[3, 5, 7]), Some(105));
        assert_eq!(checked(&[MOST, 1]), Some(MOST));
        assert_eq!(checked(&[MOST + 1]), None);
        // Would wrap to 0, to 2 and to a plausible size.
        assert_eq!(checked(&[1 << 32, 1 << 32]), None);
        assert_eq!(checked(&[(1 << 63) + 1, 2]), None);
        assert_eq!(checked(&[(1 << 61) + 4, 8]), None);
        assert_eq!(checked(&[1 << 40, 1 << 40, 0]), Some(0));
    }
}
