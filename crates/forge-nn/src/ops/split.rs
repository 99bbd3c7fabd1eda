//! Tensors in pieces.

use burn::tensor::Tensor;

/// `x` in pieces of `size` along `dim`, the last one what is left: as Burn's `split`, whose gradient costs
/// as much as the whole tensor for each piece, so that the steps of a long sequence cost its square. Here
/// halves are halved, and it costs the whole tensor once for each doubling of their number.
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
    let mut pieces = vec![];
    halve(x, size, dim, &mut pieces);
    pieces
}

fn halve<const D: usize>(x: Tensor<D>, size: usize, dim: usize, pieces: &mut Vec<Tensor<D>>) {
    let length = x.dims()[dim];
    let count = length.div_ceil(size);
    if count <= 1 {
        pieces.push(x);
        return;
    }
    let first = count / 2 * size;
    halve(x.clone().narrow(dim, 0, first), size, dim, pieces);
    halve(x.narrow(dim, first, length - first), size, dim, pieces);
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, Tensor};

    use super::split;

    /// The pieces and their gradients are those of Burn's operation.
    #[test]
    fn pieces_and_gradients_are_those_of_split() {
        let device = Device::flex().autodiff();
        for (length, size) in [(1, 1), (7, 1), (7, 3), (16, 4), (5, 9), (33, 2)] {
            let run = |pieces: fn(Tensor<2>, usize, usize) -> Vec<Tensor<2>>| {
                let x = Tensor::<1>::ones([3 * length], &device).reshape([3, length]);
                let x = x.cumsum(1).detach().require_grad();
                let parts = pieces(x.clone(), size, 1);
                let shapes: Vec<_> = parts.iter().map(Tensor::dims).collect();
                let weighted = parts.into_iter().enumerate();
                let sum = weighted.map(|(i, part)| (part.square() * (i + 1) as f64).sum());
                let loss = sum.fold(Tensor::zeros([1], &device), |sum, next| sum + next);
                let gradients = loss.backward();
                (shapes, x.grad(&gradients).map(Tensor::into_data))
            };
            let (shapes, gradient) = run(split);
            assert!(gradient.is_some());
            assert_eq!((shapes, gradient), run(Tensor::split), "{length} by {size}");
        }
    }
}
