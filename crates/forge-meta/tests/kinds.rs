//! Every kind of operation that can be replayed: the replay equals the direct call, and gradients
//! of gradients equal differences of gradients.

use std::collections::BTreeSet;

use burn::backend::ops::{BoolTensorOps, ModuleOps};
use burn::backend::{Capture, Dispatch, DispatchDevice, DispatchTensor};
use burn::module::{Module, Param};
use burn::tensor::activation::{
    gelu, hard_sigmoid, leaky_relu, log_sigmoid, log_softmax, prelu, relu, sigmoid, softmax,
    softmin,
};
use burn::tensor::ops::{ConvOptions, PadMode};
use burn::tensor::{
    Bool, BoolDType, DType, Device, Distribution, IndexingUpdateOp, Int, Shape, Tensor, TensorData,
    module, s,
};
use forge_graph::{KINDS, capture, kind};
use forge_meta::functional::{Functional, ParamTensor, Params};
use forge_nn::ops::stop_gradient;

pub(crate) const SHAPE: [usize; 2] = [3, 4];

/// A module that is one matrix.
#[derive(Module, Debug)]
pub(crate) struct Held {
    pub(crate) x: Param<Tensor<2>>,
}

pub(crate) type Function = fn(Tensor<2>) -> Tensor<1>;

fn flat<const D: usize>(y: Tensor<D>) -> Tensor<1> {
    let len = y.shape().num_elements();
    y.reshape([len])
}

fn ints<const D: usize>(values: &[i64], shape: [usize; D], like: &Tensor<2>) -> Tensor<D, Int> {
    Tensor::from_data(TensorData::new(values.to_vec(), shape), &like.device())
}

fn floats<const D: usize>(seed: u64, shape: [usize; D], like: &Tensor<2>) -> Tensor<D> {
    let len = shape.iter().product();
    Tensor::from_data(
        TensorData::new(values(seed, len), shape),
        (&like.device(), like.dtype()),
    )
}

/// Distinct values in `0.3..1.7`, without ties.
pub(crate) fn values(seed: u64, len: usize) -> Vec<f64> {
    let at = |i: usize| ((i as f64 + 1.0) * 0.754_877_666 + seed as f64 * 0.569_840_290).fract();
    (0..len).map(|i| 0.3 + 1.4 * at(i)).collect()
}

/// Which elements are above 1.
fn mask(x: &Tensor<2>) -> Tensor<2, Bool> {
    x.clone().greater_elem(1.0)
}

/// `x` where the mask says so, so that booleans count.
fn masked(x: Tensor<2>, mask: Tensor<2, Bool>) -> Tensor<1> {
    flat(x.clone() * x * mask.float().cast(DType::F64))
}

/// Rows of `x` by indices that a computation gave.
fn taken(x: Tensor<2>, rows: Tensor<1, Int>) -> Tensor<1> {
    flat(x.select(0, rows))
}

#[allow(
    clippy::disallowed_methods,
    reason = "Burn's own GELU is one of the kinds"
)]
pub(crate) const CASES: &[(&str, Function)] = &[
    ("reshape", |x| flat(x.reshape([2, 6]))),
    ("swap_dims", |x| flat(x.swap_dims(0, 1))),
    ("permute", |x| flat(x.reshape([3, 2, 2]).permute([2, 0, 1]))),
    ("flip", |x| flat(x.flip([0, 1]))),
    ("expand", |x| flat(x.expand([2, 3, 4]))),
    ("unfold", |x| flat(x.unfold::<3, _>(1, 2, 1))),
    ("slice", |x| flat(x.slice([1..3, 0..2]))),
    ("slice_assign", |x| {
        let part = x.clone().slice([0..2, 0..2]) * 2.0;
        flat(x.slice_assign([1..3, 2..4], part))
    }),
    ("select", |x| {
        let rows = ints(&[2, 0, 2], [3], &x);
        taken(x, rows)
    }),
    ("select_assign", |x| {
        let rows = ints(&[2, 0], [2], &x);
        let part = x.clone().slice([0..2, 0..4]) * 0.5;
        flat(x.select_assign(0, rows, part, IndexingUpdateOp::Add))
    }),
    ("mask_where", |x| {
        let other = x.clone() * x.clone();
        let mask = mask(&x);
        flat(x.mask_where(mask, other))
    }),
    ("mask_fill", |x| {
        let mask = mask(&x);
        flat(x.mask_fill(mask, 0.25))
    }),
    ("gather", |x| {
        let places = ints(&[0, 3, 1, 1, 2, 2], [3, 2], &x);
        flat(x.gather(1, places))
    }),
    ("scatter", |x| {
        let places = ints(&[0, 3, 1, 1, 2, 2], [3, 2], &x);
        let part = x.clone().slice([0..3, 1..3]);
        flat(x.scatter(1, places, part, IndexingUpdateOp::Add))
    }),
    ("float comparisons", |x| {
        let y = floats::<2>(7, SHAPE, &x);
        let all = x.clone().equal(y.clone()).float().cast(DType::F64)
            + x.clone().not_equal(y.clone()).float().cast(DType::F64)
            + x.clone().greater(y.clone()).float().cast(DType::F64)
            + x.clone().greater_equal(y.clone()).float().cast(DType::F64)
            + x.clone().lower(y.clone()).float().cast(DType::F64)
            + x.clone().lower_equal(y).float().cast(DType::F64);
        flat(x.clone() * x * all)
    }),
    ("float comparisons with numbers", |x| {
        let all = x.clone().equal_elem(1.0).float().cast(DType::F64)
            + x.clone().not_equal_elem(1.0).float().cast(DType::F64)
            + x.clone().greater_elem(0.9).float().cast(DType::F64)
            + x.clone().greater_equal_elem(0.8).float().cast(DType::F64)
            + x.clone().lower_elem(0.7).float().cast(DType::F64)
            + x.clone().lower_equal_elem(0.6).float().cast(DType::F64);
        flat(x.clone() * x * all)
    }),
    ("repeat_dim", |x| flat(x.repeat_dim(1, 2))),
    ("cat", |x| flat(Tensor::cat(vec![x.clone(), x * 2.0], 0))),
    ("cast", |x| {
        let ones = Tensor::<2>::ones(SHAPE, (&x.device(), DType::F64));
        let dtype = x.dtype();
        flat(x * ones.cast(DType::F32).cast(dtype))
    }),
    ("made of nothing", |x| {
        let device = x.device();
        let ones = Tensor::<2>::ones(SHAPE, (&device, x.dtype()));
        let zeros = Tensor::<2>::zeros(SHAPE, (&device, x.dtype()));
        let empty = Tensor::<2>::empty(SHAPE, (&device, x.dtype())) * 0.0;
        let full = Tensor::<2>::full(SHAPE, 1.5, (&device, x.dtype()));
        flat(x * full + ones + zeros + empty)
    }),
    ("add", |x| flat(x.clone() + x.clone() * x)),
    ("sub", |x| flat((x.clone() * x.clone() - x).sub_scalar(0.2))),
    ("div", |x| {
        let y = floats::<2>(3, SHAPE, &x);
        flat(y / (x + 1.0))
    }),
    ("div_scalar", |x| flat(x.clone() * x / 3.0)),
    ("rem_scalar", |x| flat(x.clone() * x.remainder_scalar(2.0))),
    ("mul", |x| flat(x.clone() * x * 1.5)),
    ("abs", |x| flat((x - 1.03).abs())),
    ("mean", |x| x.mean()),
    ("mean_dim", |x| flat(x.mean_dim(1))),
    ("sum", |x| x.sum()),
    ("sum_dim", |x| flat(x.sum_dim(0))),
    ("sum_dims", |x| flat(x.sum_dims(&[0, 1]))),
    ("prod", |x| x.prod()),
    ("prod_dim", |x| flat(x.prod_dim(1))),
    ("argmax", |x| {
        let rows = x.clone().argmax(1).reshape([3]).remainder_scalar(3);
        taken(x, rows)
    }),
    ("argmin", |x| {
        let rows = x.clone().argmin(1).reshape([3]).remainder_scalar(3);
        taken(x, rows)
    }),
    ("argtopk", |x| {
        let rows = x.clone().argtopk(2, 0).reshape([8]);
        taken(x, rows)
    }),
    ("topk", |x| flat(x.topk(2, 1))),
    ("topk_with_indices", |x| {
        let (y, places) = x.clone().topk_with_indices(2, 1);
        flat(y * x.gather(1, places))
    }),
    ("max", |x| x.max()),
    ("min", |x| x.min()),
    ("max_dim", |x| flat(x.max_dim(1))),
    ("min_dim", |x| flat(x.min_dim(0))),
    ("max_dim_with_indices", |x| {
        let (y, places) = x.clone().max_dim_with_indices(1);
        flat(y * x.gather(1, places))
    }),
    ("min_dim_with_indices", |x| {
        let (y, places) = x.clone().min_dim_with_indices(1);
        flat(y * x.gather(1, places))
    }),
    ("max_abs", |x| (x - 1.0).max_abs()),
    ("max_abs_dim", |x| flat((x - 1.0).max_abs_dim(1))),
    ("clamp", |x| flat(x.clone() * x.clamp(0.6, 1.3))),
    ("clamp_min", |x| flat(x.clone() * x.clamp_min(0.8))),
    ("clamp_max", |x| flat(x.clone() * x.clamp_max(1.1))),
    ("powi_scalar", |x| flat(x.powi_scalar(3))),
    ("cumsum", |x| flat(x.cumsum(1))),
    ("cumprod", |x| flat(x.cumprod(1))),
    ("neg", |x| flat(x.neg())),
    ("sign", |x| flat(x.clone() * (x - 1.0).sign())),
    ("sort", |x| flat(x.sort(1))),
    ("sort_with_indices", |x| {
        let (y, places) = x.clone().sort_with_indices(1);
        flat(y * x.gather(1, places))
    }),
    ("argsort", |x| {
        let places = x.clone().argsort(1);
        flat(x.gather(1, places))
    }),
    ("pad", |x| flat(x.pad((1, 0, 2, 1), PadMode::Reflect))),
    ("pad with a number", |x| {
        flat(x.pad((1, 0, 2, 1), PadMode::Constant(0.5)))
    }),
    ("exp", |x| flat(x.exp())),
    ("log", |x| flat(x.log())),
    ("log1p", |x| flat(x.log1p())),
    ("erf", |x| flat(x.erf())),
    ("powf_scalar", |x| flat(x.powf_scalar(1.7))),
    ("powf", |x| {
        let y = floats::<2>(5, SHAPE, &x);
        flat(x.powf(y))
    }),
    ("sqrt", |x| flat(x.sqrt())),
    ("cos", |x| flat(x.cos())),
    ("cosh", |x| flat(x.cosh())),
    ("sin", |x| flat(x.sin())),
    ("sinh", |x| flat(x.sinh())),
    ("tan", |x| flat((x * 0.5).tan())),
    ("tanh", |x| flat(x.tanh())),
    ("atan", |x| flat(x.atan())),
    ("atan2", |x| {
        let y = floats::<2>(5, SHAPE, &x);
        flat(x.atan2(y))
    }),
    ("rounding", |x| {
        let steps = (x.clone() * 3.1).round()
            + (x.clone() * 3.1).floor()
            + (x.clone() * 3.1).ceil()
            + (x.clone() * 3.1).trunc();
        flat(x.clone() * x * steps)
    }),
    ("into_int", |x| {
        let whole = (x.clone() * 3.1).int().float().cast(DType::F64);
        flat(x.clone() * x * whole)
    }),
    ("matmul", |x| {
        let w = floats::<2>(2, [4, 5], &x);
        flat(x.clone().matmul(w.clone()).matmul(w.transpose()) * x)
    }),
    ("recip", |x| flat(x.recip())),
    ("relu", |x| flat(relu(x - 1.0))),
    ("leaky_relu", |x| flat(leaky_relu(x - 1.0, 0.1))),
    ("prelu", |x| {
        let alpha = Tensor::<1>::full([1], 0.3, (&x.device(), x.dtype()));
        flat(prelu(x - 1.0, alpha))
    }),
    ("gelu", |x| flat(gelu(x))),
    ("sigmoid", |x| flat(sigmoid(x))),
    ("hard_sigmoid", |x| flat(hard_sigmoid(x - 1.0, 0.7, 0.5))),
    ("log_sigmoid", |x| flat(log_sigmoid(x - 1.0))),
    ("softmax", |x| flat(softmax(x, 1))),
    ("log_softmax", |x| flat(log_softmax(x, 1))),
    ("softmin", |x| flat(softmin(x, 1))),
    ("linear", |x| {
        let (w, b) = (floats::<2>(2, [4, 5], &x), floats::<1>(3, [5], &x));
        // Burn's own function records a product: the recording backend is asked itself.
        let linear = |x: Tensor<2>, w: Tensor<2>, b: Option<Tensor<1>>| {
            let recorded = x.clone().try_into_primitive::<Capture>();
            let (Ok(rows), Ok(weight)) = (recorded, w.clone().try_into_primitive::<Capture>())
            else {
                return module::linear(x, w, b);
            };
            let b = b.map(|b| b.try_into_primitive::<Capture>().unwrap());
            Tensor::from_primitive::<Capture>(Capture::linear(rows, weight, b))
        };
        let y = linear(x.clone(), w.clone(), Some(b));
        // As the weight too.
        let by_weight = linear(x.clone().swap_dims(0, 1), x, None);
        flat(linear(y, w.transpose(), None)) + by_weight.sum()
    }),
    ("layer_norm", |x| {
        let (w, b) = (floats::<1>(2, [4], &x), floats::<1>(3, [4], &x));
        flat(module::layer_norm(x, w, Some(b), 1e-5))
    }),
    ("batch_norm", |x| {
        let one = |seed| floats::<1>(seed, [4], &x);
        let (w, b, mean, variance) = (one(1), one(2), one(3), one(4));
        flat(module::batch_norm(x, w, b, mean, variance, 1e-5))
    }),
    ("embedding", |x| {
        let codes = ints(&[2, 0, 1, 1], [2, 2], &x);
        flat(module::embedding(x, codes))
    }),
    ("conv1d", |x| {
        let (w, b) = (floats::<3>(2, [2, 3, 2], &x), floats::<1>(3, [2], &x));
        let options = ConvOptions::new([1], [1], [1], 1);
        flat(module::conv1d(x.reshape([1, 3, 4]), w, Some(b), options))
    }),
    ("conv2d", |x| {
        let (w, b) = (floats::<4>(2, [2, 1, 2, 2], &x), floats::<1>(3, [2], &x));
        let options = ConvOptions::new([1, 1], [1, 1], [1, 1], 1);
        flat(module::conv2d(x.reshape([1, 1, 3, 4]), w, Some(b), options))
    }),
    ("shapes of integers", |x| {
        let i = ints(&[0, 1, 2, 3, 1, 0], [2, 3], &x);
        let i = i
            .swap_dims(0, 1)
            .flip([0])
            .reshape([1, 3, 2])
            .permute([2, 1, 0]);
        let i = i.expand([2, 3, 2]).slice([0..2, 0..3, 0..1]).reshape([6]);
        let rows = ints(&[5, 0, 3], [3], &x);
        let i = Tensor::cat(
            vec![i.clone().select(0, rows.clone()), i.gather(0, rows)],
            0,
        );
        let i = i.repeat_dim(0, 2).remainder_scalar(3);
        taken(x, i)
    }),
    ("integers put in place", |x| {
        let i = ints(&[0, 1, 2, 1], [4], &x);
        let i = i.clone().slice_assign(s![1..3], ints(&[2, 0], [2], &x));
        let i = i.clone().scatter(
            0,
            ints(&[0, 3], [2], &x),
            ints(&[1, 1], [2], &x),
            IndexingUpdateOp::Add,
        );
        let odd = i.clone().equal_elem(1);
        let i = i
            .clone()
            .mask_where(odd.clone(), i.zeros_like())
            .mask_fill(odd, 2);
        taken(x, i)
    }),
    ("integers made of nothing", |x| {
        let device = x.device();
        let i = Tensor::<1, Int>::ones([3], &device) + Tensor::<1, Int>::zeros([3], &device);
        let i = i + Tensor::<1, Int>::full([3], 1, &device);
        taken(x, i.cast(DType::I64).remainder_scalar(3))
    }),
    ("arithmetic of integers", |x| {
        let i = ints(&[3, 1, 2, 0], [4], &x);
        let j = ints(&[1, 2, 1, 1], [4], &x);
        let i = (i.clone() + j.clone() - j.clone()) * j.clone() / j;
        let i = ((i + 5 - 3) * 2 / 2)
            .neg()
            .abs()
            .clamp(0, 7)
            .clamp_min(1)
            .clamp_max(6);
        let i = i.clone().cumsum(0) + i.clone().sum().reshape([1]).repeat_dim(0, 4) + i.sum_dim(0);
        taken(x, i.remainder_scalar(3))
    }),
    ("comparisons of integers", |x| {
        let i = ints(&[3, 1, 2, 0], [1, 4], &x);
        let j = ints(&[1, 1, 2, 2], [1, 4], &x);
        let all = i.clone().equal(j.clone()).float().cast(DType::F64)
            + i.clone().not_equal(j.clone()).float().cast(DType::F64)
            + i.clone().greater(j.clone()).float().cast(DType::F64)
            + i.clone().greater_equal(j.clone()).float().cast(DType::F64)
            + i.clone().lower(j.clone()).float().cast(DType::F64)
            + i.clone().lower_equal(j).float().cast(DType::F64)
            + i.clone().equal_elem(1).float().cast(DType::F64)
            + i.clone().not_equal_elem(1).float().cast(DType::F64)
            + i.clone().greater_elem(1).float().cast(DType::F64)
            + i.clone().greater_equal_elem(1).float().cast(DType::F64)
            + i.clone().lower_elem(1).float().cast(DType::F64)
            + i.clone().lower_equal_elem(1).float().cast(DType::F64)
            + i.clone().argsort(1).float().cast(DType::F64)
            + i.float().cast(DType::F64);
        flat(x.clone() * x * all)
    }),
    ("shapes of booleans", |x| {
        let m = mask(&x)
            .swap_dims(0, 1)
            .flip([0])
            .reshape([2, 2, 3])
            .permute([2, 0, 1]);
        let m = m
            .reshape([3, 4])
            .reshape([1, 3, 4])
            .expand([2, 3, 4])
            .slice([0..1, 0..3, 0..4]);
        let m = m.reshape([3, 4]);
        let m = Tensor::cat(
            vec![m.clone().slice([0..3, 0..2]), m.slice([0..3, 2..4])],
            1,
        );
        masked(x, m.repeat_dim(0, 2).slice([1..4, 0..4]))
    }),
    ("logic", |x| {
        let (a, b) = (mask(&x), x.clone().lower_elem(0.8));
        let m = a
            .clone()
            .bool_or(b.clone())
            .bool_not()
            .bool_xor(a.clone().bool_and(b.clone()));
        let count = a.clone().int().float().cast(DType::F64)
            + a.clone().equal(b.clone()).float().cast(DType::F64);
        let count = count + a.clone().not_equal(b.clone()).float().cast(DType::F64);
        let reduced =
            a.clone().any().float().cast(DType::F64) + a.clone().all().float().cast(DType::F64);
        let by_row =
            a.clone().any_dim(1).float().cast(DType::F64) + b.all_dim(1).float().cast(DType::F64);
        masked(x, m) + flat(count * reduced.reshape([1, 1]) + by_row)
    }),
    ("booleans by place", |x| {
        let rows = ints(&[2, 0, 1], [3], &x);
        let places = ints(&[0, 3, 1, 1, 2, 2, 0, 0, 1, 2, 3, 3], [3, 4], &x);
        let m = mask(&x);
        masked(x.clone(), m.clone().select(0, rows)) + masked(x, m.gather(1, places))
    }),
    ("booleans made of nothing", |x| {
        let (device, dtype) = (x.device(), x.device().settings().bool_dtype);
        let made = |make: fn(Shape, &DispatchDevice, BoolDType) -> DispatchTensor| {
            Tensor::<2, Bool>::from_dispatch(make(SHAPE.into(), device.as_dispatch(), dtype))
        };
        let zeros = made(Dispatch::bool_zeros).bool_or(made(Dispatch::bool_empty));
        masked(x, zeros.bool_or(made(Dispatch::bool_ones)))
    }),
    ("stop_gradient", |x| flat(x.clone() * stop_gradient(x))),
];

/// Not linear in the operation's output.
pub(crate) fn loss(y: Tensor<1>) -> Tensor<1> {
    (y.clone() * y.clone() * (y * 0.5 + 0.3)).sum()
}

pub(crate) fn held() -> Held {
    let x = TensorData::new(values(1, 12), SHAPE);
    Held {
        x: Param::from_tensor(Tensor::from_data(x, (&Device::flex(), DType::F64))),
    }
}

pub(crate) fn host(params: &Params) -> Vec<f64> {
    let each = params.iter().flat_map(|(_, tensor)| {
        let data = tensor.clone().into_data();
        data.iter::<f64>().collect::<Vec<_>>()
    });
    each.collect()
}

/// `H v` exactly, and by central differences of the gradient.
pub(crate) fn curvature<I: forge_graph::Tensors + Clone + 'static>(
    f: &Functional<I, Tensor<1>>,
    params: &Params,
    direction: &Params,
    inputs: &I,
    step: f64,
) -> (Vec<f64>, Vec<f64>) {
    let exact = host(&f.hvp(params, direction, inputs.clone()).unwrap());
    let at = |by: f64| {
        let moved = params.add_scaled(direction, by).unwrap();
        host(&f.grad(&moved, inputs.clone()).unwrap())
    };
    let (up, down) = (at(step), at(-step));
    let numeric = up
        .iter()
        .zip(down)
        .map(|(up, down)| (up - down) / (2.0 * step));
    (exact, numeric.collect())
}

#[test]
fn every_kind_is_replayed_and_differentiated_twice() {
    let module = held();
    let params = Params::of(&module);
    let direction = params.map(|_, tensor| {
        let data = TensorData::new(values(9, 12), SHAPE);
        let device = tensor.device();
        ParamTensor::new(Tensor::<2>::from_data(data, (&device, DType::F64)))
    });
    let (mut seen, mut problems) = (BTreeSet::new(), vec![]);
    for (name, function) in CASES {
        let function = *function;
        let graph = capture(
            &module,
            vec![],
            DType::F64,
            &Device::flex(),
            |held: &Held, (): ()| loss(function(held.x.val())),
        );
        match graph {
            Ok(graph) => seen.extend(graph.steps.iter().map(|step| kind(&step.operation))),
            Err(error) => {
                problems.push(format!("{name}: {error}"));
                continue;
            }
        }
        let f = Functional::capture(&module, move |held: &Held, (): ()| {
            loss(function(held.x.val()))
        });
        let direct = loss(function(module.x.val())).into_scalar::<f64>();
        let replayed = f.call(&params, ()).unwrap().into_scalar::<f64>();
        if direct.to_bits() != replayed.to_bits() {
            problems.push(format!("{name}: {replayed}, directly {direct}"));
        }
        if *name == "stop_gradient" {
            continue;
        }
        let (exact, numeric) = curvature(&f, &params, &direction, &(), 1e-5);
        let size = exact.iter().fold(1.0f64, |size, x| size.max(x.abs()));
        let worst = exact
            .iter()
            .zip(&numeric)
            .map(|(a, b)| (a - b).abs() / size);
        let worst = worst.fold(0.0, f64::max);
        if worst.is_nan() || worst > 1e-6 {
            problems.push(format!("{name}: off by {worst:.1e}"));
        }
    }
    let known: BTreeSet<String> = KINDS.iter().map(|kind| (*kind).to_string()).collect();
    let unproven: Vec<_> = known.difference(&seen).collect();
    if !unproven.is_empty() {
        problems.push(format!("no case for {unproven:?}"));
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

#[test]
fn draws_are_new_at_each_call_or_held() {
    let module = held();
    let params = Params::of(&module);
    let noisy = |held: &Held, (): ()| {
        let device = held.x.val().device();
        let noise = Tensor::<2>::random(SHAPE, Distribution::Default, (&device, DType::F64));
        (held.x.val() * noise).sum()
    };
    let f = Functional::capture(&module, noisy);
    let value = |f: &Functional<(), Tensor<1>>| f.call(&params, ()).unwrap().into_scalar::<f64>();
    assert_ne!(value(&f), value(&f));
    let f = f.hold_draws();
    let first = value(&f);
    assert_eq!(first, value(&f));
    // Euler: the function is linear in the parameters, so the gradient with the same draws gives
    // the value back.
    let gradient = f.grad(&params, ()).unwrap();
    let again = params.dot(&gradient).unwrap().into_scalar::<f64>();
    assert!((first - again).abs() < 1e-12 * first.abs());
}
