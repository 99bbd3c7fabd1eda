//! Axes in another order, right on every device.

use burn::backend::Shape;
use burn::tensor::Tensor;
use burn::tensor::kind::Basic;

/// Axes in another order: what `Tensor::swap_dims`, `transpose` and `permute` give, right on every device.
///
/// With Burn's fusion (0.22.1; wgpu, CUDA and the others), element-wise operations on what one of those gave,
/// or their gradients, are wrong where the last axis had length 1 and became another: a column `[N, 1]` turned
/// into a row `[1, N]`. Here axes of length 1 change places by a reshape.
pub trait Axes<const D: usize> {
    /// Two axes swapped.
    ///
    /// # Panics
    /// If there is no such axis.
    #[must_use]
    fn swapped(self, axis: usize, other: usize) -> Self;

    /// The last two axes swapped.
    ///
    /// # Panics
    /// If there are fewer than two.
    #[must_use]
    fn transposed(self) -> Self;

    /// `axes[i]` becomes axis `i`.
    ///
    /// # Panics
    /// If `axes` does not name each axis once.
    #[must_use]
    fn permuted(self, axes: [usize; D]) -> Self;
}

impl<const D: usize, K: Basic> Axes<D> for Tensor<D, K> {
    fn swapped(self, axis: usize, other: usize) -> Self {
        let mut axes: [usize; D] = core::array::from_fn(|i| i);
        axes.swap(axis, other);
        #[allow(clippy::disallowed_methods)]
        reordered(self, axes, |x| x.swap_dims(axis, other))
    }

    fn transposed(self) -> Self {
        self.swapped(D - 2, D - 1)
    }

    fn permuted(self, axes: [usize; D]) -> Self {
        reordered(self, axes, |x| permute(x, &axes))
    }
}

fn reordered<const D: usize, K: Basic>(
    x: Tensor<D, K>,
    axes: [usize; D],
    plain: impl FnOnce(Tensor<D, K>) -> Tensor<D, K>,
) -> Tensor<D, K> {
    let order = Order::of(&x.shape(), &axes);
    order.apply(x, plain, |x, shape| x.reshape(shape), permute)
}

fn permute<const D: usize, K: Basic>(x: Tensor<D, K>, axes: &[usize]) -> Tensor<D, K> {
    let axes: [usize; D] = core::array::from_fn(|i| axes[i]);
    #[allow(clippy::disallowed_methods)]
    x.permute(axes)
}

/// How axes change places, so that no last axis of length 1 does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// As the axes say.
    Plain,
    /// Only axes of length 1 move: by a reshape to this shape.
    Reshaped(Shape),
    /// By a reshape to `first`, where axes of length 1 are in front and stay there, by `axes`, and by a
    /// reshape to `last`.
    ShortFirst {
        /// The shape before.
        first: Shape,
        /// Which axis of it becomes axis `i`.
        axes: Vec<usize>,
        /// The shape after.
        last: Shape,
    },
}

impl Order {
    /// What it takes until `axes[i]` is axis `i` of a tensor of this shape.
    #[must_use]
    pub fn of(shape: &Shape, axes: &[usize]) -> Self {
        let last: Vec<usize> = axes.iter().map(|axis| shape[*axis]).collect();
        let is_long = |axis: &&usize| shape[**axis] != 1;
        // Backends refuse to reshape what is empty.
        if last.contains(&0) {
            return Self::Plain;
        }
        if axes.iter().filter(is_long).is_sorted() {
            return Self::Reshaped(last.into());
        }
        if shape.as_slice().last() != Some(&1) {
            return Self::Plain;
        }
        let long: Vec<usize> = axes.iter().filter(is_long).copied().collect();
        let short = axes.len() - long.len();
        let place = |axis: &usize| long.iter().filter(|other| *other < axis).count();
        let mut first = vec![1; short];
        first.extend(shape.as_slice().iter().filter(|length| **length != 1));
        let moved = long.iter().map(|axis| short + place(axis));
        Self::ShortFirst {
            first: first.into(),
            axes: (0..short).chain(moved).collect(),
            last: last.into(),
        }
    }

    /// `x` in this order: by `plain`, or by `reshape` and `permute`.
    pub fn apply<T>(
        self,
        x: T,
        plain: impl FnOnce(T) -> T,
        reshape: impl Fn(T, Shape) -> T,
        permute: impl FnOnce(T, &[usize]) -> T,
    ) -> T {
        match self {
            Self::Plain => plain(x),
            Self::Reshaped(shape) => reshape(x, shape),
            Self::ShortFirst { first, axes, last } => {
                reshape(permute(reshape(x, first), &axes), last)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_of_length_one_change_places_by_a_reshape() {
        let order = |shape: &[usize], axes: &[usize]| Order::of(&shape.to_vec().into(), axes);
        assert_eq!(order(&[2, 3, 4], &[0, 2, 1]), Order::Plain);
        assert_eq!(order(&[2, 1, 4], &[2, 1, 0]), Order::Plain);
        assert_eq!(order(&[0, 4, 1], &[0, 2, 1]), Order::Plain);
        let reshaped = Order::Reshaped(vec![2, 1, 4].into());
        assert_eq!(order(&[2, 4, 1], &[0, 2, 1]), reshaped);
        let reshaped = Order::Reshaped(vec![2, 4, 1].into());
        assert_eq!(order(&[2, 1, 4], &[0, 2, 1]), reshaped);
        let short_first = Order::ShortFirst {
            first: vec![1, 4, 5, 8].into(),
            axes: vec![0, 2, 1, 3],
            last: vec![5, 1, 4, 8].into(),
        };
        assert_eq!(order(&[4, 5, 8, 1], &[1, 3, 0, 2]), short_first);
    }
}
