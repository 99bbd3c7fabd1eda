//! Tensors in parts beside slices.

use burn::tensor::Tensor;
use forge_nn::ops;

use super::cases::{Case, case, part};
use super::evaluation::values;

/// Parts along each axis, one of them used twice and one not at all.
pub(crate) fn parts() -> Vec<Case> {
    let grid = [
        ([4, 2, 3], 0, [1, 2, 1]),
        ([2, 9, 5], 1, [3, 1, 5]),
        ([3, 2, 70], 2, [4, 65, 1]),
    ];
    let cases = grid.map(|(shape, axis, sizes)| {
        let used = |[first, _, last]: [Tensor<3>; 3]| {
            let first = first.clone() * first;
            Tensor::cat(vec![first.flatten(0, 2), last.flatten::<1>(0, 2)], 0)
        };
        case(
            format!("parts {sizes:?} of {shape:?} along {axis}"),
            vec![values(1, shape.iter().product())],
            true,
            move |t| used(ops::parts(part(&t, 0).reshape(shape), axis, sizes)),
            move |t| {
                let x: Tensor<3> = part(&t, 0).reshape(shape);
                let starts = [0, sizes[0], sizes[0] + sizes[1]];
                let narrowed = [0, 1, 2].map(|i| x.clone().narrow(axis, starts[i], sizes[i]));
                used(narrowed)
            },
        )
    });
    cases.into()
}
