//! SSD from a state to a state.

use burn::tensor::Tensor;

use super::ssd;
use crate::ops::axes::Axes;

/// [`ssd`] from a state other than 0, and the state after the last token, from which the next ones can go
/// on.
///
/// # Shapes
/// - the inputs and the outputs as there, of at least one token
/// - state: `[B, H, N, P]`
///
/// # Panics
/// As there, and if the state does not fit or there is no token.
#[must_use]
pub fn ssd_with_state(
    x: Tensor<4>,
    gain: Tensor<3>,
    log_decay: Tensor<3>,
    b: Tensor<4>,
    c: Tensor<4>,
    skip: Option<Tensor<1>>,
    state: Tensor<4>,
) -> (Tensor<4>, Tensor<4>) {
    let ([batch, heads, time, width], [_, groups, _, states]) = (x.dims(), b.dims());
    assert!(
        state.dims() == [batch, heads, states, width] && time > 0,
        "ssd: the state {:?} does not fit x {:?} and b {:?}, or there is no token",
        state.dims(),
        x.dims(),
        b.dims()
    );
    let no_decay = Tensor::zeros([batch, heads, 1], (&x.device(), x.dtype()));
    let (first, rest) = match time {
        1 => (no_decay.clone(), no_decay.clone()),
        _ => {
            let rest = log_decay.clone().narrow(2, 1, time - 1);
            let joined = |parts: [&Tensor<3>; 2]| Tensor::cat(parts.map(Tensor::clone).into(), 2);
            (joined([&no_decay, &rest]), joined([&rest, &no_decay]))
        }
    };
    // Heads of a group beside each other: they share `b` and `c`.
    let each = heads / groups.max(1);
    let beside = |x: Tensor<4>| {
        let [_, _, rows, width] = x.dims();
        let x = x.reshape([batch, groups, each, rows, width]);
        x.swapped(2, 3).reshape([batch, groups, rows, each * width])
    };
    let apart = |x: Tensor<4>| {
        let [_, _, rows, _] = x.dims();
        let x = x.reshape([batch, groups, rows, each, width]);
        x.swapped(2, 3).reshape([batch, heads, rows, width])
    };
    // What is left of the state at each token, and of each token's input after the last one. Where these
    // sums are large, and their rounding with them, nothing is left.
    let left = log_decay.cumsum(2).exp();
    let of_state = apart(c.clone().matmul(beside(state.clone()))) * left.clone().unsqueeze_dim(3);
    let after = rest.flip([2]).cumsum(2).flip([2]).exp() * gain.clone();
    let inputs = beside(x.clone() * after.unsqueeze_dim(3));
    let written = apart(b.clone().transposed().matmul(inputs));
    let kept = state * left.narrow(2, time - 1, 1).unsqueeze_dim::<4>(3);
    // Before the first token there is nothing that could decay, and its factor may be as good as 0.
    let y = ssd(x, gain, first, b, c, skip);
    (y + of_state, kept + written)
}
