//! Dropout, and the end of a residual branch: dropout and the sum in one pass.

mod backward;
#[cfg(feature = "flex")]
mod flex;
mod reference;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::{Distribution, Tensor};

use super::dispatch::{has_traits, masks_from_seed};
use super::dropout_mask::draw_seed;
use super::extent::assert_addressable;

/// Elements of a row of the mask, at least.
const WIDE: usize = 32;

/// Dropout and residual on backend primitives; the mask is a function of the seed.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait DropoutResidualOps: Backend {
    /// `residual + dropout(x)`.
    #[fusion(default)]
    fn fused_dropout_residual(
        x: FloatTensor<Self>,
        residual: FloatTensor<Self>,
        probability: f64,
        seed: u64,
    ) -> FloatTensor<Self> {
        reference::forward::<Self>(x, residual, probability, seed)
    }

    /// `x` with the mask of `seed` applied; also what the backward pass does to the gradient.
    #[fusion(default)]
    fn fused_dropout(x: FloatTensor<Self>, probability: f64, seed: u64) -> FloatTensor<Self> {
        reference::dropped::<Self>(x, probability, seed)
    }
}

#[cfg(feature = "ndarray")]
impl DropoutResidualOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl DropoutResidualOps for burn_cubecl::CubeBackend {}

/// `residual + dropout(x)`: the end of a residual branch.
///
/// Kept values are scaled by `1 / (1 - probability)`, on any device: whether to drop is the
/// caller's to say. The mask follows [`burn::tensor::Device::seed`].
///
/// # Shapes
/// - `x`, `residual`, output: the same, any
///
/// # Panics
/// If the shapes differ or have more elements than can be addressed, or `probability` is outside
/// `[0, 1)`.
pub fn dropout_residual<const D: usize>(
    x: Tensor<D>,
    residual: Tensor<D>,
    probability: f64,
) -> Tensor<D> {
    assert!(
        x.dims() == residual.dims(),
        "dropout_residual: x {:?} and residual {:?} differ",
        x.dims(),
        residual.dims()
    );
    assert_addressable("dropout_residual", &[&x.dims()]);
    if let Err(error) = crate::check::probability("probability", probability) {
        panic!("dropout_residual: {error}");
    }
    let shape = x.dims();
    if let Some(wide) = wider_rows(&shape) {
        let (x, residual) = (x.reshape(wide), residual.reshape(wide));
        return dropout_residual(x, residual, probability).reshape(shape);
    }
    let device = x.device();
    let dropping = probability > 0.0;
    if dropping && !masks_from_seed(&device) {
        let keep = x.random_like(Distribution::Bernoulli(1.0 - probability));
        return residual + x * keep.div_scalar(1.0 - probability);
    }
    let (probability, seed) = if dropping {
        (probability, draw_seed(&device))
    } else {
        (0.0, 0)
    };
    let (x, residual) = (x.into_dispatch(), residual.into_dispatch());
    Tensor::from_dispatch(if has_traits(&device) {
        <Dispatch as DropoutResidualOps>::fused_dropout_residual(x, residual, probability, seed)
    } else {
        reference::forward::<Dispatch>(x, residual, probability, seed)
    })
}

/// `dropout(x)`, with a mask that is a function of a seed and is never stored.
///
/// Kept values are scaled by `1 / (1 - probability)`, on any device: whether to drop is the
/// caller's to say. The mask follows [`burn::tensor::Device::seed`].
///
/// # Shapes
/// - `x`, output: any
///
/// # Panics
/// If `probability` is outside `[0, 1)` or `x` has more elements than can be addressed.
pub fn dropout<const D: usize>(x: Tensor<D>, probability: f64) -> Tensor<D> {
    if let Err(error) = crate::check::probability("probability", probability) {
        panic!("dropout: {error}");
    }
    assert_addressable("dropout", &[&x.dims()]);
    let device = x.device();
    if probability == 0.0 {
        return x;
    }
    let shape = x.dims();
    if let Some(wide) = wider_rows(&shape) {
        return dropout(x.reshape(wide), probability).reshape(shape);
    }
    if !masks_from_seed(&device) {
        let keep = x.random_like(Distribution::Bernoulli(1.0 - probability));
        return x * keep.div_scalar(1.0 - probability);
    }
    let seed = draw_seed(&device);
    Tensor::from_dispatch(<Dispatch as DropoutResidualOps>::fused_dropout(
        x.into_dispatch(),
        probability,
        seed,
    ))
}

/// Rows of [`WIDE`] elements or more in place of shorter ones: the mask hashes each row, and then each
/// element within it. Nothing where rows are as wide as they can be.
fn wider_rows(shape: &[usize]) -> Option<[usize; 2]> {
    let last = shape.last().copied()?;
    let mut columns = 1;
    for &length in shape.iter().rev() {
        if columns >= WIDE {
            break;
        }
        columns *= length;
    }
    let elements: usize = shape.iter().product();
    (columns > last).then(|| [elements / columns, columns])
}

#[cfg(test)]
mod tests {
    use super::wider_rows;

    #[test]
    fn narrow_rows_are_joined() {
        assert_eq!(wider_rows(&[7, 3, 40]), None);
        assert_eq!(wider_rows(&[8, 512, 1]), Some([8, 512]));
        assert_eq!(wider_rows(&[5, 4, 3, 6]), Some([5, 72]));
        assert_eq!(wider_rows(&[2, 3]), Some([1, 6]));
        assert_eq!(wider_rows(&[5]), None);
        assert_eq!(wider_rows(&[4, 0, 3]), None);
        assert_eq!(wider_rows(&[]), None);
    }
}
