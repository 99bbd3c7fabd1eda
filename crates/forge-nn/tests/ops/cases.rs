//! Every operation beside the same formula in Burn's tensor operations.

use burn::tensor::activation::{gelu, relu, sigmoid, silu, softmax};
use burn::tensor::{Device, Tensor};
use forge_nn::ops;
use forge_nn::ops::{AttentionMask, AttentionOptions, GluKind, LinearActivation, RotaryLayout};

use super::evaluation::values;

type Boxed = Box<dyn Fn(Vec<Tensor<1>>) -> Tensor<1>>;

/// An operation, its formula and inputs for both.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) op: Boxed,
    pub(crate) formula: Boxed,
    pub(crate) inputs: Vec<Vec<f64>>,
    /// Whether finite differences make sense at these inputs (no kink nearby, moderate size).
    pub(crate) smooth: bool,
}

pub(super) fn case(
    name: impl Into<String>,
    inputs: Vec<Vec<f64>>,
    smooth: bool,
    op: impl Fn(Vec<Tensor<1>>) -> Tensor<1> + 'static,
    formula: impl Fn(Vec<Tensor<1>>) -> Tensor<1> + 'static,
) -> Case {
    Case {
        name: name.into(),
        op: Box::new(op),
        formula: Box::new(formula),
        inputs,
        smooth,
    }
}

pub(super) fn scaled(seed: u64, len: usize, by: f64) -> Vec<f64> {
    values(seed, len).into_iter().map(|x| x * by).collect()
}

pub(super) fn part(inputs: &[Tensor<1>], i: usize) -> Tensor<1> {
    inputs[i].clone()
}

/// How the flat input becomes `[rows, width]`.
#[derive(Clone, Copy, Debug)]
pub(super) enum View {
    Plain,
    Transposed,
    /// The middle of a wider tensor.
    Sliced,
    /// One row seen `rows` times.
    Expanded,
}

impl View {
    pub(super) const ALL: [Self; 4] = [Self::Plain, Self::Transposed, Self::Sliced, Self::Expanded];

    pub(super) fn len(self, rows: usize, width: usize) -> usize {
        match self {
            View::Plain | View::Transposed => rows * width,
            View::Sliced => rows * (width + 3),
            View::Expanded => width,
        }
    }

    pub(super) fn of(self, flat: Tensor<1>, rows: usize, width: usize) -> Tensor<2> {
        match self {
            View::Plain => flat.reshape([rows, width]),
            View::Transposed => flat.reshape([width, rows]).transpose(),
            View::Sliced => flat
                .reshape([rows, width + 3])
                .slice([0..rows, 2..width + 2]),
            View::Expanded => flat.reshape([1, width]).expand([rows, width]),
        }
    }
}

pub(crate) fn linear() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, inputs, outputs) in [
        (7, 5, 3),
        (1, 1, 1),
        (131, 37, 67),
        (2, 192, 1),
        (300, 64, 96),
    ] {
        for activation in [
            LinearActivation::Identity,
            LinearActivation::Relu,
            LinearActivation::Gelu,
            LinearActivation::Silu,
        ] {
            for view in View::ALL {
                let act = move |z: Tensor<2>| match activation {
                    LinearActivation::Identity => z,
                    LinearActivation::Relu => relu(z),
                    LinearActivation::Gelu => exact_gelu(z),
                    LinearActivation::Silu => silu(z),
                };
                cases.push(case(
                    format!("linear {rows}x{inputs}x{outputs} {activation:?} {view:?}"),
                    vec![
                        values(1, view.len(rows, inputs)),
                        values(2, inputs * outputs),
                        values(3, outputs),
                    ],
                    rows < 10 && activation != LinearActivation::Relu,
                    move |t| {
                        let x = view.of(part(&t, 0), rows, inputs);
                        let w = part(&t, 1).reshape([inputs, outputs]);
                        let y = ops::linear_activation(
                            x.reshape([1, rows, inputs]),
                            w,
                            Some(part(&t, 2)),
                            activation,
                        );
                        y.flatten(0, 2)
                    },
                    move |t| {
                        let x = view.of(part(&t, 0), rows, inputs);
                        let w = part(&t, 1).reshape([inputs, outputs]);
                        act(x.matmul(w) + part(&t, 2).reshape([1, outputs])).flatten(0, 1)
                    },
                ));
            }
        }
        cases.push(linear_without_bias(rows, inputs, outputs));
    }
    cases
}

/// The weight lies transposed.
pub(crate) fn linear_without_bias(rows: usize, inputs: usize, outputs: usize) -> Case {
    case(
        format!("linear without bias {rows}x{inputs}x{outputs}, weight transposed"),
        vec![values(1, rows * inputs), values(2, inputs * outputs)],
        rows * inputs * outputs < 1_000,
        move |t| {
            let w = part(&t, 1).reshape([outputs, inputs]).transpose();
            ops::linear(part(&t, 0).reshape([rows, inputs]), w, None).flatten(0, 1)
        },
        move |t| {
            let w = part(&t, 1).reshape([outputs, inputs]).transpose();
            part(&t, 0).reshape([rows, inputs]).matmul(w).flatten(0, 1)
        },
    )
}

/// With a bias and an activation, of which a gradient is put together elsewhere.
pub(crate) fn linear_activated(rows: usize, inputs: usize, outputs: usize) -> Case {
    case(
        format!("linear with GELU {rows}x{inputs}x{outputs}"),
        vec![
            values(1, rows * inputs),
            scaled(2, inputs * outputs, 0.1),
            values(3, outputs),
        ],
        false,
        move |t| {
            let (x, w) = (part(&t, 0).reshape([rows, inputs]), part(&t, 1));
            let (w, bias) = (w.reshape([inputs, outputs]), Some(part(&t, 2)));
            ops::linear_activation(x, w, bias, LinearActivation::Gelu).flatten(0, 1)
        },
        move |t| {
            let (x, w) = (part(&t, 0).reshape([rows, inputs]), part(&t, 1));
            let z = x.matmul(w.reshape([inputs, outputs]));
            exact_gelu(z + part(&t, 2).reshape([1, outputs])).flatten(0, 1)
        },
    )
}

/// Burn's own GELU has the slope of the tanh approximation on some backends.
fn exact_gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    let cdf = (x.clone() * core::f64::consts::FRAC_1_SQRT_2)
        .erf()
        .add_scalar(1.0)
        * 0.5;
    x * cdf
}

pub(crate) fn norms() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, width) in [(7, 5), (1, 1), (3, 3), (131, 37), (2, 192), (13, 257)] {
        for (view, size) in View::ALL.into_iter().zip([1.0, 30.0, 1e-2, 1.0]) {
            for affine in [true, false] {
                let inputs = vec![
                    scaled(4, view.len(rows, width), size),
                    values(5, width),
                    values(6, width),
                ];
                let smooth = rows < 10 && size == 1.0 && width > 2;
                cases.push(case(
                    format!("layer_norm {rows}x{width} {view:?} affine {affine}"),
                    inputs.clone(),
                    smooth,
                    move |t| {
                        let x = view.of(part(&t, 0), rows, width);
                        let (w, b) = if affine {
                            (Some(part(&t, 1)), Some(part(&t, 2)))
                        } else {
                            (None, None)
                        };
                        ops::layer_norm(x, w, b, 1e-5).flatten(0, 1)
                    },
                    move |t| {
                        let x = view.of(part(&t, 0), rows, width);
                        let centred = x.clone() - x.mean_dim(1);
                        let variance = (centred.clone() * centred.clone()).mean_dim(1);
                        let mut y = centred / (variance + 1e-5).sqrt();
                        if affine {
                            y = y * part(&t, 1).reshape([1, width])
                                + part(&t, 2).reshape([1, width]);
                        }
                        y.flatten(0, 1)
                    },
                ));
                cases.push(case(
                    format!("rms_norm {rows}x{width} {view:?} affine {affine}"),
                    inputs[..2].to_vec(),
                    smooth,
                    move |t| {
                        let x = view.of(part(&t, 0), rows, width);
                        let w = affine.then(|| part(&t, 1));
                        ops::rms_norm(x, w, 1e-6).flatten(0, 1)
                    },
                    move |t| {
                        let x = view.of(part(&t, 0), rows, width);
                        let square = (x.clone() * x.clone()).mean_dim(1);
                        let mut y = x / (square + 1e-6).sqrt();
                        if affine {
                            y = y * part(&t, 1).reshape([1, width]);
                        }
                        y.flatten(0, 1)
                    },
                ));
            }
        }
    }
    cases
}

pub(crate) fn gates() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, width) in [(7, 5), (1, 1), (131, 37), (40, 256)] {
        for (view, size) in View::ALL.into_iter().zip([1.0, 8.0, 60.0, 3.0]) {
            for kind in [
                GluKind::Sigmoid,
                GluKind::Relu,
                GluKind::Gelu,
                GluKind::Silu,
            ] {
                let halves = move |t: &[Tensor<1>]| {
                    let x = view.of(part(t, 0), rows, 2 * width);
                    let value = x.clone().slice([0..rows, 0..width]);
                    (value, x.slice([0..rows, width..2 * width]))
                };
                let formula = move |t: Vec<Tensor<1>>| {
                    let (value, gate) = halves(&t);
                    let gate = match kind {
                        GluKind::Sigmoid => sigmoid(gate),
                        GluKind::Relu => relu(gate),
                        GluKind::Gelu => exact_gelu(gate),
                        GluKind::Silu => silu(gate),
                    };
                    (value * gate).flatten(0, 1)
                };
                let name = format!("{rows}x{width} {view:?} up to {size}");
                let inputs = vec![scaled(7, view.len(rows, 2 * width), size)];
                let smooth = rows < 10 && kind != GluKind::Relu && size < 10.0;
                cases.push(case(
                    format!("{kind:?} glu {name}"),
                    inputs.clone(),
                    smooth,
                    move |t| {
                        let x = view.of(part(&t, 0), rows, 2 * width);
                        ops::glu(x, kind).flatten(0, 1)
                    },
                    formula,
                ));
                // Of two tensors: parts of a wider one, and as sequences.
                cases.push(case(
                    format!("{kind:?} gated {name}"),
                    inputs,
                    smooth,
                    move |t| {
                        let (value, gate) = halves(&t);
                        let (value, gate) = (value.unsqueeze::<3>(), gate.unsqueeze::<3>());
                        ops::gated(value, gate, kind).flatten(0, 2)
                    },
                    formula,
                ));
            }
        }
    }
    cases
}

pub(crate) fn softmaxes() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, width) in [(7, 5), (1, 1), (131, 37), (3, 1), (5, 1031)] {
        for (view, size) in View::ALL.into_iter().zip([1.0, 10.0, 500.0, 2.0]) {
            for dim in [0, 1] {
                cases.push(case(
                    format!("softmax {rows}x{width} dim {dim} {view:?} up to {size}"),
                    vec![scaled(8, view.len(rows, width), size)],
                    rows < 10 && size < 20.0 && width < 100,
                    move |t| ops::softmax(view.of(part(&t, 0), rows, width), dim).flatten(0, 1),
                    move |t| softmax(view.of(part(&t, 0), rows, width), dim).flatten(0, 1),
                ));
            }
        }
    }
    cases
}

pub(crate) fn waves() -> Vec<Case> {
    let mut cases = Vec::new();
    for (rows, width) in [(7, 5), (1, 1), (131, 37), (40, 256)] {
        for (view, size) in View::ALL.into_iter().zip([1.0, 10.0, 500.0, 2.0]) {
            cases.push(case(
                format!("cos_sin {rows}x{width} {view:?} up to {size}"),
                vec![scaled(11, view.len(rows, width), size)],
                rows < 10 && size < 3.0,
                move |t| ops::cos_sin(view.of(part(&t, 0), rows, width)).flatten(0, 1),
                move |t| {
                    let x = view.of(part(&t, 0), rows, width);
                    Tensor::cat(vec![x.clone().cos(), x.sin()], 1).flatten(0, 1)
                },
            ));
        }
    }
    cases
}

/// Heads beside each other, as projections leave them, and one after the other; features that stay; tables
/// that learn.
pub(crate) fn rotations() -> Vec<Case> {
    let mut cases = Vec::new();
    let shapes = [
        ([2, 3, 5, 6], 3),
        ([1, 1, 1, 2], 1),
        ([3, 2, 4, 7], 2),
        ([2, 4, 70, 64], 32),
    ];
    for (shape, pairs) in shapes {
        for layout in [RotaryLayout::HalfSplit, RotaryLayout::Interleaved] {
            for beside in [false, true] {
                let [batch, heads, time, width] = shape;
                let place = move |x: Tensor<1>| match beside {
                    false => x.reshape(shape),
                    true => x.reshape([batch, time, heads, width]).swap_dims(1, 2),
                };
                let tables =
                    move |t: &[Tensor<1>]| [1, 2].map(|i| part(t, i).reshape([time, pairs]));
                cases.push(case(
                    format!("rotary {shape:?} of {pairs} pairs, {layout:?}, beside: {beside}"),
                    vec![
                        scaled(3, batch * heads * time * width, 2.0),
                        scaled(4, time * pairs, 1.0),
                        scaled(5, time * pairs, 1.0),
                    ],
                    time < 10,
                    move |t| {
                        let [cos, sin] = tables(&t);
                        ops::rotary(place(part(&t, 0)), cos, sin, layout).flatten(0, 3)
                    },
                    move |t| {
                        let x = place(part(&t, 0));
                        let [cos, sin] = tables(&t).map(|table| table.unsqueeze::<4>());
                        let side = |i: usize| match layout {
                            RotaryLayout::HalfSplit => x.clone().narrow(3, i * pairs, pairs),
                            RotaryLayout::Interleaved => {
                                let columns = (0..pairs).map(|p| x.clone().narrow(3, 2 * p + i, 1));
                                Tensor::cat(columns.collect(), 3)
                            }
                        };
                        let (a, b) = (side(0), side(1));
                        let first = a.clone() * cos.clone() - b.clone() * sin.clone();
                        let second = b * cos + a * sin;
                        let mut columns = Vec::new();
                        for p in 0..pairs {
                            columns.push(first.clone().narrow(3, p, 1));
                            columns.push(second.clone().narrow(3, p, 1));
                        }
                        let mut parts = match layout {
                            RotaryLayout::HalfSplit => vec![first, second],
                            RotaryLayout::Interleaved => columns,
                        };
                        if width > 2 * pairs {
                            parts.push(x.clone().narrow(3, 2 * pairs, width - 2 * pairs));
                        }
                        Tensor::cat(parts, 3).flatten(0, 3)
                    },
                ));
            }
        }
    }
    cases
}

pub(crate) fn residuals() -> Vec<Case> {
    View::ALL
        .into_iter()
        .flat_map(|view| [(7, 5), (1, 1), (131, 37), (997, 211)].map(|(r, w)| (view, r, w)))
        .map(|(view, rows, width)| {
            case(
                format!("dropout_residual {rows}x{width} {view:?} without dropout"),
                vec![values(9, view.len(rows, width)), values(10, rows * width)],
                rows < 10,
                move |t| {
                    let x = view.of(part(&t, 0), rows, width);
                    let residual = part(&t, 1).reshape([rows, width]);
                    ops::dropout_residual(x, residual, 0.0).flatten(0, 1)
                },
                move |t| {
                    let x = view.of(part(&t, 0), rows, width);
                    (x + part(&t, 1).reshape([rows, width])).flatten(0, 1)
                },
            )
        })
        .collect()
}

/// Shape and options of one attention case.
#[derive(Clone, Debug)]
pub(crate) struct AttentionCase {
    pub(crate) batch: usize,
    pub(crate) heads: usize,
    pub(crate) groups: usize,
    pub(crate) queries: usize,
    pub(crate) keys: usize,
    pub(crate) width: usize,
    pub(crate) value_width: usize,
    pub(crate) bias: bool,
    /// 0 none, 1 key validity, 2 full mask with a fully masked row, 3 both.
    pub(crate) mask: usize,
    /// Inputs of `[B, T, H, D]` memory seen as `[B, H, T, D]`.
    pub(crate) swapped: bool,
    pub(crate) size: f64,
    pub(crate) options: AttentionOptions,
}

impl AttentionCase {
    pub(crate) fn plain(
        batch: usize,
        heads: usize,
        queries: usize,
        keys: usize,
        width: usize,
    ) -> Self {
        Self {
            batch,
            heads,
            groups: heads,
            queries,
            keys,
            width,
            value_width: width,
            bias: false,
            mask: 0,
            swapped: false,
            size: 1.0,
            options: AttentionOptions::default(),
        }
    }

    pub(crate) fn visible(&self, b: usize, h: usize, i: usize, j: usize) -> bool {
        let own = i as i64 + self.keys as i64 - self.queries as i64;
        let j = j as i64;
        let o = &self.options;
        let structural = !(o.causal && j > own
            || o.window_left.is_some_and(|w| j < own - w as i64)
            || o.window_right.is_some_and(|w| j > own + w as i64));
        let valid = self.mask & 1 == 0 || self.valid(b, j as usize);
        let full = self.mask & 2 == 0 || self.full(b, h, i, j as usize);
        structural && valid && full
    }

    fn valid(&self, b: usize, j: usize) -> bool {
        // The last sample has no valid key at all.
        (b + 1 < self.batch || self.batch == 1) && !(b + j).is_multiple_of(3)
    }

    fn full(&self, b: usize, h: usize, i: usize, j: usize) -> bool {
        i != 1 && !(b + 2 * h + 3 * i + 5 * j).is_multiple_of(4)
    }

    pub(crate) fn tensors(
        &self,
        t: &[Tensor<1>],
    ) -> (Tensor<4>, Tensor<4>, Tensor<4>, Option<Tensor<3>>) {
        let shaped = |i: usize, heads: usize, len: usize, width: usize| {
            if self.swapped {
                part(t, i)
                    .reshape([self.batch, len, heads, width])
                    .swap_dims(1, 2)
            } else {
                part(t, i).reshape([self.batch, heads, len, width])
            }
        };
        (
            shaped(0, self.heads, self.queries, self.width),
            shaped(1, self.groups, self.keys, self.width),
            shaped(2, self.groups, self.keys, self.value_width),
            self.bias
                .then(|| part(t, 3).reshape([self.heads, self.queries, self.keys])),
        )
    }

    fn bools<const D: usize>(
        &self,
        device: &Device,
        shape: [usize; D],
        f: impl Fn(&[usize]) -> bool,
    ) -> Tensor<D, burn::tensor::Bool> {
        let total: usize = shape.iter().product();
        let values: Vec<bool> = (0..total)
            .map(|flat| {
                let mut rest = flat;
                let mut index = vec![0; D];
                for axis in (0..D).rev() {
                    index[axis] = rest % shape[axis];
                    rest /= shape[axis];
                }
                f(&index)
            })
            .collect();
        Tensor::from_data(burn::tensor::TensorData::new(values, shape), device)
    }

    pub(crate) fn masks(&self, device: &Device) -> AttentionMask {
        AttentionMask {
            key_valid: (self.mask & 1 == 1)
                .then(|| self.bools(device, [self.batch, self.keys], |i| self.valid(i[0], i[1]))),
            full: (self.mask & 2 == 2).then(|| {
                self.bools(
                    device,
                    [self.batch, self.heads, self.queries, self.keys],
                    |i| self.full(i[0], i[1], i[2], i[3]),
                )
            }),
        }
    }

    fn formula(&self, t: &[Tensor<1>]) -> Tensor<1> {
        let (q, k, v, bias) = self.tensors(t);
        let [b, h, tq, tk] = [self.batch, self.heads, self.queries, self.keys];
        let repeat = |x: Tensor<4>| {
            let [b, g, n, d] = x.dims();
            x.reshape([b, g, 1, n, d])
                .expand([b, g, h / g, n, d])
                .reshape([b, h, n, d])
        };
        let scale = self
            .options
            .scale
            .unwrap_or(1.0 / (self.width as f64).sqrt());
        let mut s = q.matmul(repeat(k).swap_dims(2, 3)) * scale;
        if let Some(cap) = self.options.softcap {
            // Not `s / cap`: the slope of Burn's division by a scalar is rounded to f32.
            s = (s * (1.0 / cap)).tanh() * cap;
        }
        if let Some(bias) = bias {
            s = s + bias.reshape([1, h, tq, tk]);
        }
        let hidden = self.bools(&s.device(), [b, h, tq, tk], |i| {
            !self.visible(i[0], i[1], i[2], i[3])
        });
        let s = s.mask_fill(hidden.clone(), -1e30);
        // Rows without a key come out uniform and are zeroed.
        let p = softmax(s, 3).mask_fill(hidden, 0.0);
        p.matmul(repeat(v)).flatten(0, 3)
    }

    pub(crate) fn into_case(self) -> Case {
        let mut inputs = vec![
            scaled(
                11,
                self.batch * self.heads * self.queries * self.width,
                self.size,
            ),
            scaled(
                12,
                self.batch * self.groups * self.keys * self.width,
                self.size,
            ),
            values(13, self.batch * self.groups * self.keys * self.value_width),
        ];
        if self.bias {
            inputs.push(values(14, self.heads * self.queries * self.keys));
        }
        let smooth = self.size <= 1.0 && self.queries * self.keys < 400;
        let (ours, formula) = (self.clone(), self.clone());
        case(
            format!("attention {self:?}"),
            inputs,
            smooth,
            move |t| {
                let (q, k, v, bias) = ours.tensors(&t);
                let device = q.device();
                ops::attention(q, k, v, ours.masks(&device), bias, &ours.options).flatten(0, 3)
            },
            move |t| formula.formula(&t),
        )
    }
}

pub(crate) fn attentions() -> Vec<Case> {
    let plain = AttentionCase::plain;
    let options = AttentionOptions::default();
    let mut list = vec![
        plain(1, 1, 1, 1, 1),
        plain(2, 3, 5, 7, 11),
        plain(3, 2, 41, 41, 24),
        plain(2, 2, 13, 131, 8),
        plain(1, 2, 150, 149, 19),
        plain(1, 1, 300, 70, 64),
        // More than one block of keys in the backward pass, and a large tile of queries.
        plain(1, 1, 139, 523, 5),
        plain(1, 1, 2053, 3, 2),
        AttentionCase {
            groups: 1,
            options: AttentionOptions {
                causal: true,
                window_left: Some(400),
                ..options.clone()
            },
            ..plain(1, 2, 131, 787, 3)
        },
        AttentionCase {
            groups: 2,
            heads: 6,
            value_width: 5,
            ..plain(2, 6, 17, 19, 7)
        },
        AttentionCase {
            groups: 1,
            heads: 4,
            ..plain(2, 4, 140, 137, 8)
        },
        // Shared heads, in tasks of their own and, with enough samples, together.
        AttentionCase {
            groups: 1,
            bias: true,
            value_width: 5,
            ..plain(2, 4, 13, 29, 7)
        },
        AttentionCase {
            groups: 2,
            value_width: 5,
            ..plain(11, 4, 13, 11, 7)
        },
        AttentionCase {
            size: 30.0,
            ..plain(2, 2, 23, 29, 16)
        },
        AttentionCase {
            size: 30.0,
            ..plain(1, 2, 160, 163, 16)
        },
    ];
    for (queries, keys) in [(7, 7), (5, 11), (11, 5), (137, 139), (150, 131)] {
        for (mask, swapped) in [(0, true), (1, false), (2, true), (3, false)] {
            list.push(AttentionCase {
                mask,
                swapped,
                bias: mask != 1,
                ..plain(2, 2, queries, keys, 6)
            });
            list.push(AttentionCase {
                mask,
                swapped,
                options: AttentionOptions {
                    causal: true,
                    window_left: (mask != 0).then_some(4),
                    ..options.clone()
                },
                ..plain(2, 2, queries, keys, 6)
            });
            list.push(AttentionCase {
                mask,
                bias: true,
                groups: 1,
                options: AttentionOptions {
                    scale: Some(0.7),
                    softcap: Some(1.5),
                    window_left: Some(3),
                    window_right: Some(2),
                    ..options.clone()
                },
                ..plain(2, 2, queries, keys, 6)
            });
        }
    }
    list.into_iter().map(AttentionCase::into_case).collect()
}

/// Packed attention beside attention on the three parts.
pub(crate) fn packed_attentions() -> Vec<Case> {
    let mut cases = Vec::new();
    for (batch, tokens, heads, groups, width) in [
        (2, 7, 3, 3, 5),
        (1, 1, 1, 1, 1),
        (3, 41, 4, 4, 24),
        (2, 139, 4, 2, 6),
        (2, 11, 4, 1, 3),
    ] {
        for (causal, masked) in [(false, false), (true, false), (false, true), (true, true)] {
            let case_ = AttentionCase {
                mask: usize::from(masked),
                ..AttentionCase::plain(batch, heads, tokens, tokens, width)
            };
            let options = AttentionOptions {
                causal,
                ..AttentionOptions::default()
            };
            let features = (heads + 2 * groups) * width;
            let (ours, formula) = ((case_.clone(), options.clone()), (case_, options));
            cases.push(case(
                format!("packed attention {ours:?}"),
                vec![values(15, batch * tokens * features)],
                tokens < 20,
                move |t| {
                    let qkv = part(&t, 0).reshape([batch, tokens, features]);
                    let heads = ops::PackedHeads { heads, groups };
                    let masks = ours.0.masks(&qkv.device());
                    ops::attention_packed(qkv, heads, masks, &ours.1).flatten(0, 2)
                },
                move |t| {
                    let qkv = part(&t, 0).reshape([batch, tokens, features]);
                    let mut from = 0;
                    let [q, k, v] = [heads, groups, groups].map(|count| {
                        let to = from + count * width;
                        let x = qkv.clone().slice([0..batch, 0..tokens, from..to]);
                        from = to;
                        x.reshape([batch, tokens, count, width]).swap_dims(1, 2)
                    });
                    let masks = formula.0.masks(&q.device());
                    let y = ops::attention_with_weights(q, k, v, masks, None, &formula.1);
                    y.0.swap_dims(1, 2).flatten(0, 3)
                },
            ));
        }
    }
    cases
}

/// The value halves of Burn's GELU and ours are the same function.
#[test]
#[allow(clippy::disallowed_methods, reason = "it is what is compared with")]
fn exact_gelu_is_burns_gelu() {
    let device = Device::flex();
    let x = super::evaluation::tensor(&values(20, 101), burn::tensor::DType::F64, &device) * 4.0;
    let a: Vec<f64> = exact_gelu(x.clone()).into_data().iter().collect();
    let b: Vec<f64> = gelu(x).into_data().iter().collect();
    assert!(super::evaluation::relative_error(&a, &b) < 1e-12);
}
