//! Channels scaled and shifted beside their formula.

use burn::tensor::activation::{gelu, relu, silu};
use burn::tensor::{Device, Tensor};
use forge_nn::ops::{self, LinearActivation};

use super::batch_norms::SIZES;
use super::cases::{Case, View, case, part};
use super::evaluation::{tensor, values};

/// What is there beside the scale, and what follows.
const KINDS: [(bool, bool, LinearActivation); 5] = [
    (true, true, LinearActivation::Identity),
    (false, false, LinearActivation::Identity),
    (false, true, LinearActivation::Relu),
    (true, false, LinearActivation::Silu),
    (true, true, LinearActivation::Gelu),
];

pub(crate) fn channel_affines() -> Vec<Case> {
    let mut cases = Vec::new();
    // Rows that are wide, of which a task takes a few.
    let wide = [[1, 21, 9_001, 1]];
    for [groups, rows, width, _] in SIZES.into_iter().chain(wide) {
        let rows = groups * rows;
        for (kind, view) in KINDS.into_iter().zip(View::ALL.into_iter().cycle()) {
            cases.push(channel_affine(rows, width, view, kind));
        }
    }
    cases
}

fn channel_affine(
    rows: usize,
    width: usize,
    view: View,
    (has_origin, has_shift, activation): (bool, bool, LinearActivation),
) -> Case {
    let origin = move |like: &Tensor<2>| -> Option<Tensor<1>> {
        let origin = tensor(&values(9, width), like.dtype(), &Device::flex());
        has_origin.then(|| origin.to_device(&like.device()))
    };
    let name = format!("{rows}x{width} {view:?} {has_origin} {has_shift} {activation:?}");
    case(
        format!("channel_affine {name}"),
        vec![
            values(4, view.len(rows, width)),
            values(5, width),
            values(6, width),
        ],
        rows < 20 && activation != LinearActivation::Relu,
        move |t| {
            let x = view.of(part(&t, 0), rows, width);
            let (origin, shift) = (origin(&x), has_shift.then(|| part(&t, 2)));
            ops::channel_affine(x, origin, part(&t, 1), shift, activation).flatten(0, 1)
        },
        move |t| {
            let x = view.of(part(&t, 0), rows, width);
            let along = |of: Tensor<1>| of.reshape([1, width]);
            let mut z = match origin(&x) {
                Some(origin) => x - along(origin),
                None => x,
            };
            z = z * along(part(&t, 1));
            if has_shift {
                z = z + along(part(&t, 2));
            }
            let y = match activation {
                LinearActivation::Identity => z,
                LinearActivation::Relu => relu(z),
                LinearActivation::Gelu => gelu(z),
                LinearActivation::Silu => silu(z),
            };
            y.flatten(0, 1)
        },
    )
}
