//! Tensors in pieces.

mod backward;
mod gradients;

use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, Dispatch, backend_extension};
use burn::tensor::Tensor;

use super::dispatch::has_traits;
use super::expression::Expr;
pub use gradients::PartGradients;

/// Consecutive parts of a tensor on backend primitives: [`whole`](Self::whole) once, then
/// [`part`](Self::part) of that for each, all with the same `gradients`.
#[backend_extension(
    Autodiff,
    Flex: cfg(feature = "flex"),
    NdArray: cfg(feature = "ndarray"),
    Cube: cfg(feature = "cube"),
    Fusion: cfg(feature = "fusion"),
)]
pub trait PartsOps: Backend {
    /// The identity. Its gradient are the gradients of the parts beside each other.
    #[fusion(default)]
    fn whole(x: FloatTensor<Self>, gradients: PartGradients) -> FloatTensor<Self> {
        let _ = gradients;
        x
    }

    /// The part `index` of `whole`. Its gradient goes to `gradients`.
    #[fusion(default)]
    fn part(whole: FloatTensor<Self>, gradients: PartGradients, index: usize) -> FloatTensor<Self> {
        narrowed::<Self>(whole, &gradients, index)
    }
}

fn narrowed<B: Backend>(
    whole: FloatTensor<B>,
    gradients: &PartGradients,
    index: usize,
) -> FloatTensor<B> {
    let [from, to] = gradients.range(index);
    Expr::<B>(whole).narrow(gradients.axis(), from, to).0
}

#[cfg(feature = "flex")]
impl PartsOps for burn::backend::Flex {}

#[cfg(feature = "ndarray")]
impl PartsOps for burn::backend::NdArray {}

#[cfg(feature = "cube")]
impl PartsOps for burn_cubecl::CubeBackend {}

/// `x` in consecutive parts of `sizes` along `dim`: what Burn's `narrow` gives, whose gradient costs the
/// whole tensor several times for each part. Here it is the parts' gradients, put beside each other once.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::ops::parts;
///
/// let x = Tensor::<2>::from_data([[1.0, 2.0, 3.0]], &Device::flex());
/// let [first, rest] = parts(x, 1, [1, 2]);
/// assert_eq!((first.dims(), rest.dims()), ([1, 1], [1, 2]));
/// ```
///
/// # Shapes
/// - x: `[…, N, …]`
/// - outputs: `[…, sizes[i], …]`
///
/// # Panics
/// If there is no axis `dim`, or the sizes are not N together or one of them is 0.
#[must_use]
pub fn parts<const D: usize, const COUNT: usize>(
    x: Tensor<D>,
    dim: usize,
    sizes: [usize; COUNT],
) -> [Tensor<D>; COUNT] {
    let shape = x.dims();
    assert!(
        dim < D && sizes.iter().sum::<usize>() == shape[dim] && !sizes.contains(&0),
        "parts: {sizes:?} along {dim} are not {shape:?}"
    );
    let mut pieces = in_parts(x, dim, sizes.into()).into_iter();
    core::array::from_fn(|_| match pieces.next() {
        Some(piece) => piece,
        None => unreachable!("one piece for each size"),
    })
}

/// `x` in pieces of `size` along `dim`, the last one what is left: as Burn's `split`, at the cost of
/// [`parts`].
///
/// # Shapes
/// - x: `[…, N, …]`
/// - outputs: `[…, size, …]`, `N / size` of them, rounded up; `x` itself where `N` is at most `size`
///
/// # Panics
/// If `size` is 0 or there is no axis `dim`.
#[must_use]
pub fn split<const D: usize>(x: Tensor<D>, size: usize, dim: usize) -> Vec<Tensor<D>> {
    assert!(size > 0, "split: pieces of size 0");
    let length = x.dims()[dim];
    let starts = (0..length).step_by(size);
    in_parts(x, dim, starts.map(|from| size.min(length - from)).collect())
}

fn in_parts<const D: usize>(x: Tensor<D>, dim: usize, sizes: Vec<usize>) -> Vec<Tensor<D>> {
    if sizes.len() < 2 {
        return vec![x];
    }
    let traits = has_traits(&x.device());
    let gradients = PartGradients::new(dim, sizes);
    let whole = match traits {
        true => <Dispatch as PartsOps>::whole(x.into_dispatch(), gradients.clone()),
        false => x.into_dispatch(),
    };
    let part = |index| {
        Tensor::from_dispatch(match traits {
            true => <Dispatch as PartsOps>::part(whole.clone(), gradients.clone(), index),
            false => narrowed::<Dispatch>(whole.clone(), &gradients, index),
        })
    };
    (0..gradients.count()).map(part).collect()
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::split;

    /// The pieces and their gradients are those of Burn's operation, also where some lead nowhere and the
    /// whole is used besides.
    #[test]
    fn pieces_and_gradients_are_those_of_split() {
        let device = Device::flex().autodiff();
        for (length, size) in [(1, 1), (7, 1), (7, 3), (16, 4), (5, 9), (33, 2)] {
            for axis in [0, 1] {
                let run = |pieces: fn(Tensor<2>, usize, usize) -> Vec<Tensor<2>>| {
                    let mut shape = [3, 3];
                    shape[axis] = length;
                    let x = Tensor::<1>::ones([3 * length], &device).cumsum(0);
                    let x = x.reshape(shape).detach().require_grad();
                    let parts = pieces(x.clone(), size, axis);
                    let shapes: Vec<_> = parts.iter().map(Tensor::dims).collect();
                    let weighted = parts.into_iter().enumerate().filter(|(i, _)| i % 3 != 1);
                    let sum = weighted.map(|(i, part)| (part.square() * (i + 1) as f64).sum());
                    let loss = sum.fold(x.clone().powi_scalar(3).sum(), |sum, next| sum + next);
                    let gradients = loss.backward();
                    (shapes, x.grad(&gradients).map(Tensor::into_data))
                };
                let (shapes, gradient) = run(split);
                assert!(gradient.is_some());
                assert_eq!((shapes, gradient), run(Tensor::split), "{length} by {size}");
            }
        }
    }
}
