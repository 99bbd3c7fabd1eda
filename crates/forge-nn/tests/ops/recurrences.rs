//! Recurrences beside the same formula token by token.

use burn::tensor::Tensor;
use burn::tensor::activation::log_sigmoid;
use forge_nn::ops;

use super::cases::{Case, case, part, scaled};
use super::evaluation::values;

/// At most 0, so that nothing grows.
pub(super) fn decays<const D: usize>(x: Tensor<D>, size: f64) -> Tensor<D> {
    x.clone() * x * -size
}

fn at<const D: usize, const R: usize>(x: &Tensor<D>, dim: usize, t: usize) -> Tensor<R> {
    x.clone().narrow(dim, t, 1).squeeze_dim(dim)
}

/// Inputs in the layout of time first, so that the op sees them strided.
pub(super) fn heads(x: Tensor<1>, [batch, heads, time, width]: [usize; 4]) -> Tensor<4> {
    x.reshape([batch, time, heads, width]).swap_dims(1, 2)
}

fn ssd_by_token(x: Tensor<4>, log_decay: Tensor<3>, b: Tensor<4>, c: Tensor<4>) -> Tensor<4> {
    let ([batch, heads, time, p], [_, groups, _, n]) = (x.dims(), b.dims());
    let each = |x: Tensor<4>| {
        let x = x.unsqueeze_dim::<5>(2);
        let x = x.expand([batch, groups, heads / groups, time, n]);
        x.reshape([batch, heads, time, n])
    };
    let (b, c) = (each(b), each(c));
    let mut state = Tensor::<4>::zeros([batch, heads, n, p], (&x.device(), x.dtype()));
    let mut outputs = vec![];
    for t in 0..time {
        let decay = at::<3, 2>(&log_decay, 2, t).exp().unsqueeze_dim::<3>(2);
        let added =
            at::<4, 3>(&b, 2, t).unsqueeze_dim::<4>(3) * at::<4, 3>(&x, 2, t).unsqueeze_dim::<4>(2);
        state = state * decay.unsqueeze_dim::<4>(3) + added;
        let read = at::<4, 3>(&c, 2, t).unsqueeze_dim::<4>(3) * state.clone();
        outputs.push(read.sum_dim(2));
    }
    Tensor::cat(outputs, 2)
}

/// From no state in two pieces: the outputs and the state after the last token, `[B, H, N, P]`.
pub(crate) fn ssd_in_pieces() -> Vec<Case> {
    let sizes = [
        (2, 6, 2, 7, 3, 5),
        (1, 2, 1, 67, 5, 3),
        (1, 2, 2, 131, 2, 7),
    ];
    let case = |(batch, count, groups, time, p, n): (usize, usize, usize, usize, usize, usize)| {
        let inputs = move |t: &[Tensor<1>]| {
            let groups = [batch, groups, time, n];
            let of_tokens = |i| part(t, i).reshape([batch, count, time]);
            (
                heads(part(t, 0), [batch, count, time, p]),
                of_tokens(4),
                decays(of_tokens(1), 0.5),
                heads(part(t, 2), groups),
                heads(part(t, 3), groups),
            )
        };
        case(
            format!("ssd in pieces {batch}x{count}/{groups}x{time}, {p} by {n}"),
            vec![
                values(1, batch * count * time * p),
                values(2, batch * count * time),
                values(3, batch * groups * time * n),
                values(4, batch * groups * time * n),
                values(5, batch * count * time),
            ],
            time < 10,
            move |t| {
                let (x, gain, log_decay, b, c) = inputs(&t);
                let options = (&x.device(), x.dtype());
                let mut state = Tensor::zeros([batch, count, n, p], options);
                let mut outputs = vec![];
                for (from, length) in [(0, time / 3), (time / 3, time - time / 3)] {
                    let rows = |x: &Tensor<4>| x.clone().narrow(2, from, length);
                    let numbers = |x: &Tensor<3>| x.clone().narrow(2, from, length);
                    let (gain, log_decay) = (numbers(&gain), numbers(&log_decay));
                    let (b, c) = (rows(&b), rows(&c));
                    let (y, next) =
                        ops::ssd_with_state(rows(&x), gain, log_decay, b, c, None, state);
                    outputs.push(y);
                    state = next;
                }
                let y: Tensor<1> = Tensor::cat(outputs, 2).flatten(0, 3);
                Tensor::cat(vec![y, state.flatten(0, 3)], 0)
            },
            move |t| {
                let (x, gain, log_decay, b, c) = inputs(&t);
                let x = x * gain.unsqueeze_dim::<4>(3);
                // Read by each unit vector after the last token, which decays nothing.
                let unit = |i| {
                    let one = Tensor::<1>::ones([1], (&c.device(), c.dtype()));
                    let before = Tensor::zeros([i], (&c.device(), c.dtype()));
                    let after = Tensor::zeros([n - 1 - i], (&c.device(), c.dtype()));
                    let mut all = vec![];
                    all.extend((i > 0).then_some(before));
                    all.push(one);
                    all.extend((i + 1 < n).then_some(after));
                    Tensor::cat(all, 0).reshape([1, 1, 1, n])
                };
                let y: Tensor<1> =
                    ssd_by_token(x.clone(), log_decay.clone(), b.clone(), c.clone()).flatten(0, 3);
                let read = |i| {
                    let c = unit(i).expand(c.dims());
                    let y = ssd_by_token(x.clone(), log_decay.clone(), b.clone(), c);
                    y.narrow(2, time - 1, 1)
                };
                let state = Tensor::cat((0..n).map(read).collect(), 2);
                Tensor::cat(vec![y, state.flatten(0, 3)], 0)
            },
        )
    };
    sizes.map(case).into()
}

pub(crate) fn ssd() -> Vec<Case> {
    let mut cases = vec![];
    for (batch, count, groups, time, p, n) in [
        (2, 6, 2, 7, 3, 5),
        (1, 1, 1, 1, 1, 1),
        (1, 2, 1, 3, 2, 2),
        (1, 2, 1, 67, 5, 3),
        (1, 2, 2, 131, 2, 7),
        // More heads of a group than there are parts.
        (1, 40, 1, 5, 2, 3),
    ] {
        for size in [0.5, 30.0] {
            let inputs = move |t: &[Tensor<1>]| {
                let groups = [batch, groups, time, n];
                let of_tokens = |i| part(t, i).reshape([batch, count, time]);
                (
                    heads(part(t, 0), [batch, count, time, p]),
                    decays(of_tokens(1), size),
                    heads(part(t, 2), groups),
                    heads(part(t, 3), groups),
                    of_tokens(4),
                    // With and without.
                    (size < 1.0).then(|| part(t, 5)),
                )
            };
            cases.push(case(
                format!("ssd {batch}x{count}/{groups}x{time}, {p} by {n}, decays to {size}"),
                vec![
                    values(1, batch * count * time * p),
                    values(2, batch * count * time),
                    values(3, batch * groups * time * n),
                    values(4, batch * groups * time * n),
                    values(5, batch * count * time),
                    values(6, count),
                ],
                time < 10 && size < 1.0,
                move |t| {
                    let (x, log_decay, b, c, gain, skip) = inputs(&t);
                    ops::ssd(x, gain, log_decay, b, c, skip).flatten(0, 3)
                },
                move |t| {
                    let (x, log_decay, b, c, gain, skip) = inputs(&t);
                    let y = ssd_by_token(x.clone() * gain.unsqueeze_dim::<4>(3), log_decay, b, c);
                    let y = match skip {
                        Some(skip) => y + x * skip.reshape([1, count, 1, 1]),
                        None => y,
                    };
                    y.flatten(0, 3)
                },
            ));
        }
    }
    cases
}

fn scan_by_token(
    u: Tensor<3>,
    step: Tensor<3>,
    a: Tensor<2>,
    b: Tensor<3>,
    c: Tensor<3>,
    state: Option<Tensor<3>>,
) -> (Tensor<3>, Tensor<3>) {
    let ([batch, time, width], [_, n]) = (u.dims(), a.dims());
    let nothing = || Tensor::<3>::zeros([batch, width, n], (&u.device(), u.dtype()));
    let mut state = state.unwrap_or_else(nothing);
    let mut outputs = vec![];
    for t in 0..time {
        let step = at::<3, 2>(&step, 1, t).unsqueeze_dim::<3>(2);
        let input = step.clone() * at::<3, 2>(&u, 1, t).unsqueeze_dim::<3>(2);
        let decay = (step * a.clone().unsqueeze_dim::<3>(0)).exp();
        state = decay * state + input * at::<3, 2>(&b, 1, t).unsqueeze_dim::<3>(1);
        let read = state.clone() * at::<3, 2>(&c, 1, t).unsqueeze_dim::<3>(1);
        outputs.push(read.sum_dim(2).swap_dims(1, 2));
    }
    (Tensor::cat(outputs, 1), state)
}

pub(crate) fn selective_scans() -> Vec<Case> {
    let mut cases = vec![];
    for (batch, time, width, n) in [(2, 7, 5, 3), (1, 1, 1, 1), (2, 37, 19, 4), (1, 67, 70, 2)] {
        let inputs = move |t: &[Tensor<1>]| {
            let step = part(t, 1).reshape([batch, time, width]);
            (
                // Strided.
                part(t, 0).reshape([batch, width, time]).swap_dims(1, 2),
                step.clone() * step,
                decays(part(t, 2).reshape([width, n]), 3.0),
                part(t, 3).reshape([batch, time, n]),
                part(t, 4).reshape([batch, time, n]),
            )
        };
        cases.push(case(
            format!("selective scan {batch}x{time}x{width}, {n} states"),
            vec![
                values(1, batch * time * width),
                values(2, batch * time * width),
                values(3, width * n),
                values(4, batch * time * n),
                values(5, batch * time * n),
            ],
            time < 10,
            move |t| {
                let (u, step, a, b, c) = inputs(&t);
                ops::selective_scan(u, step, a, b, c, None).flatten(0, 2)
            },
            move |t| {
                let (u, step, a, b, c) = inputs(&t);
                scan_by_token(u, step, a, b, c, None).0.flatten(0, 2)
            },
        ));
        // From a state, and the one after it.
        let start = move |t: &[Tensor<1>]| Some(part(t, 5).reshape([batch, width, n]));
        let flat = |(y, state): (Tensor<3>, Tensor<3>)| {
            Tensor::cat(vec![y.flatten(0, 2), state.flatten(0, 2)], 0)
        };
        cases.push(case(
            format!("selective scan {batch}x{time}x{width}, {n} states, going on"),
            vec![
                values(1, batch * time * width),
                values(2, batch * time * width),
                values(3, width * n),
                values(4, batch * time * n),
                values(5, batch * time * n),
                values(6, batch * width * n),
            ],
            time < 10,
            move |t| {
                let (u, step, a, b, c) = inputs(&t);
                flat(ops::selective_scan_with_state(u, step, a, b, c, start(&t)))
            },
            move |t| {
                let (u, step, a, b, c) = inputs(&t);
                flat(scan_by_token(u, step, a, b, c, start(&t)))
            },
        ));
    }
    cases
}

pub(crate) fn max_scans() -> Vec<Case> {
    let sizes = [(3, 7), (1, 1), (5, 67)];
    let case = |(rows, time): (usize, usize)| {
        case(
            format!("max scan {rows}x{time}"),
            vec![values(1, rows * time), values(2, rows * time)],
            time < 10,
            move |t| {
                let decay = decays(part(&t, 0).reshape([rows, time]), 1.0);
                ops::max_scan(decay, part(&t, 1).reshape([rows, time])).flatten(0, 1)
            },
            move |t| {
                let decay = decays(part(&t, 0).reshape([rows, time]), 1.0);
                let x = part(&t, 1).reshape([rows, time]);
                let mut m = vec![x.clone().narrow(1, 0, 1)];
                for t in 1..time {
                    let before = m[t - 1].clone() + decay.clone().narrow(1, t, 1);
                    m.push(before.max_pair(x.clone().narrow(1, t, 1)));
                }
                Tensor::cat(m, 1).flatten(0, 1)
            },
        )
    };
    sizes.map(case).into()
}

/// All outputs, and the last cell and normaliser without a stabiliser.
fn slstm_by_token(
    gates: Tensor<4>,
    recurrent: Tensor<3>,
    state: Option<[Tensor<3>; 4]>,
) -> Tensor<4> {
    let [heads, batch, time, width] = gates.dims();
    let d = width / 4;
    let zeros = Tensor::<3>::zeros([heads, batch, d], (&gates.device(), gates.dtype()));
    let fresh = state.is_none();
    let state = state.unwrap_or_else(|| [(); 4].map(|()| zeros.clone()));
    let [mut h, mut c, mut n, mut m] = state;
    let mut outputs = vec![];
    for t in 0..time {
        let raw = at::<4, 3>(&gates, 2, t) + h.matmul(recurrent.clone());
        let part = |k: usize| raw.clone().narrow(2, k * d, d);
        let log = log_sigmoid(part(1)) + m;
        m = match t {
            0 if fresh => part(0),
            _ => part(0).max_pair(log.clone()),
        };
        let (i, f) = ((part(0) - m.clone()).exp(), (log - m.clone()).exp());
        c = f.clone() * c + i.clone() * part(2).tanh();
        n = f * n + i;
        let o = burn::tensor::activation::sigmoid(part(3));
        h = o * c.clone() / n.clone();
        outputs.push(h.clone().unsqueeze_dim::<4>(2));
    }
    let size = m.exp();
    let memory = [c * size.clone(), n * size].map(|part| part.unsqueeze_dim::<4>(2));
    outputs.extend(memory);
    Tensor::cat(outputs, 2)
}

/// The same of the operation.
fn slstm(gates: Tensor<4>, recurrent: Tensor<3>, state: Option<[Tensor<3>; 4]>) -> Tensor<4> {
    let [heads, batch, time, width] = gates.dims();
    let options = (&gates.device(), gates.dtype());
    let state = match state {
        Some(rows) => Tensor::cat(rows.map(|row| row.unsqueeze_dim::<4>(2)).into(), 2),
        None => ops::slstm_start(heads, batch, width / 4, options),
    };
    let y = ops::slstm(gates, recurrent, state);
    let (h, memory) = (y.clone().narrow(2, 0, time), y.clone().narrow(2, time, 2));
    // A constant: the operation has no gradient for it.
    let size = y.narrow(2, time + 2, 1).exp();
    Tensor::cat(vec![h, memory * size], 2)
}

pub(crate) fn slstms() -> Vec<Case> {
    let sizes = [(2, 3, 5, 3), (1, 1, 1, 1), (3, 11, 13, 5)];
    let case = |((heads, batch, time, d), going_on): ((usize, usize, usize, usize), bool)| {
        let inputs = move |t: &[Tensor<1>]| {
            let state = |i: usize| part(t, i).reshape([heads, batch, d]);
            let state = going_on.then(|| {
                let (c, n) = (state(3), state(4).exp());
                [state(2), c, n.clone(), n.detach() * 0.0 + 0.5]
            });
            let gates = part(t, 0).reshape([batch, time, heads, 4 * d]);
            (
                gates.swap_dims(0, 2).swap_dims(1, 2),
                part(t, 1).reshape([heads, 4 * d, d]).swap_dims(1, 2),
                state,
            )
        };
        let state = |seed| values(seed, heads * batch * d);
        let mut given = vec![
            scaled(1, heads * batch * time * 4 * d, 3.0),
            values(2, heads * 4 * d * d),
        ];
        if going_on {
            given.extend([3, 4, 5].map(state));
        }
        case(
            format!("slstm {heads}x{batch}x{time}x{d}, going on: {going_on}"),
            given,
            time < 10,
            move |t| {
                let (gates, recurrent, state) = inputs(&t);
                slstm(gates, recurrent, state).flatten(0, 3)
            },
            move |t| {
                let (gates, recurrent, state) = inputs(&t);
                slstm_by_token(gates, recurrent, state).flatten(0, 3)
            },
        )
    };
    let both = sizes
        .into_iter()
        .flat_map(|size| [(size, false), (size, true)]);
    both.map(case).collect()
}

fn lstm_by_token(
    gates: Tensor<3>,
    recurrent: Tensor<2>,
    mut h: Tensor<2>,
    mut c: Tensor<2>,
) -> Tensor<3> {
    use burn::tensor::activation::{sigmoid, tanh};

    let [_, time, width] = gates.dims();
    let mut outputs = vec![];
    for t in 0..time {
        let raw = at::<3, 2>(&gates, 1, t) + h.matmul(recurrent.clone());
        let part = |k: usize| raw.clone().narrow(1, k * (width / 4), width / 4);
        c = sigmoid(part(1)) * c + sigmoid(part(0)) * tanh(part(2));
        h = sigmoid(part(3)) * tanh(c.clone());
        outputs.push(h.clone().unsqueeze_dim::<3>(1));
    }
    outputs.push(c.unsqueeze_dim::<3>(1));
    Tensor::cat(outputs, 1)
}

pub(crate) fn lstms() -> Vec<Case> {
    // The last is wider than a block of sums.
    let sizes = [(3, 5, 3), (1, 1, 1), (11, 13, 5), (6, 4, 18)];
    let case = |(batch, time, d): (usize, usize, usize)| {
        let inputs = move |t: &[Tensor<1>]| {
            (
                // Strided.
                part(t, 0).reshape([time, batch, 4 * d]).swap_dims(0, 1),
                part(t, 1).reshape([4 * d, d]).swap_dims(0, 1),
                part(t, 2).reshape([batch, d]),
                part(t, 3).reshape([batch, d]),
            )
        };
        case(
            format!("lstm {batch}x{time}x{d}"),
            vec![
                scaled(1, batch * time * 4 * d, 3.0),
                values(2, 4 * d * d),
                values(3, batch * d),
                values(4, batch * d),
            ],
            time < 10,
            move |t| {
                let (gates, recurrent, h, c) = inputs(&t);
                ops::lstm(gates, recurrent, h, c).flatten(0, 2)
            },
            move |t| {
                let (gates, recurrent, h, c) = inputs(&t);
                lstm_by_token(gates, recurrent, h, c).flatten(0, 2)
            },
        )
    };
    sizes.map(case).into()
}
