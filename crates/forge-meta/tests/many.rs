//! Many samples or members at once: the same as one after the other.

use std::collections::BTreeSet;

use burn::backend::Flex;
use burn::module::Module;
use burn::nn::{Embedding, EmbeddingConfig, LayerNorm, LayerNormConfig, Linear, LinearConfig};
use burn::tensor::activation::tanh;
use burn::tensor::{DType, Device, Distribution, Int, Tensor, TensorData};
use forge_graph::{AnyTensor, Base, Graph, Value, capture, replay, replay_many};
use forge_meta::functional::{Functional, Params};
use forge_models::{Model, ModelConfig, TabularInput, TabularSpec};
use forge_nn::{Mode, ModuleConfig, Network, set_mode};

use crate::functional::{close, doubles, noise};
use crate::kinds::{CASES, Held, SHAPE, held, host, loss, values};

/// What has no form for many at once.
const ONE_BY_ONE: [&str; 2] = ["conv1d", "conv2d"];

/// Parameters of [`Held`].
fn member(seed: u64) -> AnyTensor {
    let data = TensorData::new(values(seed, 12), SHAPE);
    AnyTensor::float(Tensor::<2>::from_data(data, (&Device::flex(), DType::F64)))
}

fn take(tensor: AnyTensor) -> Value<Flex> {
    <Flex as Base>::take(tensor).unwrap()
}

fn numbers(outputs: Vec<Value<Flex>>) -> Vec<f64> {
    let each = outputs.into_iter().flat_map(|output| {
        let data = <Flex as Base>::give(output).into_data();
        data.iter::<f64>().collect::<Vec<_>>()
    });
    each.collect()
}

/// The outputs for three members, at once and one after the other; none where the former cannot be.
fn both(graph: &Graph) -> Option<[Vec<f64>; 2]> {
    let slot = graph.parameters[0].slot;
    let constants = graph.constants_on(&Device::flex());
    let constants = || {
        constants
            .iter()
            .map(|(at, value)| (*at, take(value.clone())))
    };
    let each = [1, 4, 8].map(|seed| {
        let own = [(slot, take(member(seed)))];
        numbers(
            replay::<Flex>(
                graph,
                own.into_iter().chain(constants()),
                &Default::default(),
            )
            .unwrap(),
        )
    });
    let rows = [1, 4, 8].map(|seed| match member(seed) {
        AnyTensor::Float(tensor) => Tensor::<2>::from_dispatch(tensor).unsqueeze::<3>(),
        _ => unreachable!(),
    });
    let stacked = take(AnyTensor::float(Tensor::cat(rows.to_vec(), 0)));
    let all = constants().map(|(at, value)| (at, value, false));
    let all = all.chain([(slot, stacked, true)]);
    match replay_many::<Flex>(graph, all, 3, &BTreeSet::new(), &Default::default()) {
        Ok(many) => Some([numbers(many.outputs), each.concat()]),
        Err(error) => {
            assert!(error.is_unsupported(), "{error}");
            None
        }
    }
}

#[test]
fn every_kind_runs_for_many_at_once() {
    let (module, device) = (held(), Device::flex());
    let (mut refused, mut problems) = (vec![], vec![]);
    for (name, function) in CASES {
        let function = *function;
        let graph = capture(
            &module,
            vec![],
            DType::F64,
            &device,
            |held: &Held, (): ()| function(held.x.val()),
        );
        match both(&graph.unwrap()) {
            None => refused.push(*name),
            Some([found, expected]) => {
                let same = found.len() == expected.len()
                    && found
                        .iter()
                        .zip(&expected)
                        .all(|(a, b)| (a - b).abs() <= 1e-12);
                if !same {
                    problems.push(format!("{name}: {found:?}, one by one {expected:?}"));
                }
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
    assert_eq!(refused, ONE_BY_ONE);
}

#[test]
fn gradients_of_every_kind_are_those_of_single_samples() {
    let module = held();
    let params = Params::of(&module);
    let scales = Tensor::<2>::from_data([[1.0], [0.9], [1.1]], (&Device::flex(), DType::F64));
    let mut problems = vec![];
    for (name, function) in CASES {
        let function = *function;
        let f = Functional::capture(&module, move |held: &Held, (scale,): (Tensor<2>,)| {
            loss(function(held.x.val() * scale))
        });
        let all = f.per_sample_grads(&params, (scales.clone(),)).unwrap();
        for row in 0..3 {
            let one = scales.clone().slice([row..row + 1, 0..1]);
            let expected = host(&f.grad(&params, (one,)).unwrap());
            let found = host(&all.row(row).unwrap());
            let size = expected.iter().fold(1.0f64, |size, x| size.max(x.abs()));
            let same = found
                .iter()
                .zip(&expected)
                .all(|(a, b)| (a - b).abs() <= 1e-12 * size);
            if !same || found.len() != expected.len() {
                problems.push(format!("{name}, row {row}: {found:?}, alone {expected:?}"));
            }
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n"));
}

/// Weights that are read once and twice, with and without bias, a norm and a table of rows.
#[derive(Module, Debug)]
struct Net {
    table: Embedding,
    twice: Linear,
    norm: LayerNorm,
    last: Linear,
}

type Rows = (Tensor<2>, Tensor<2, Int>);

impl Net {
    fn new(device: &Device) -> Self {
        doubles(Self {
            table: EmbeddingConfig::new(5, 3).init(device),
            twice: LinearConfig::new(3, 3).init(device),
            norm: LayerNormConfig::new(3).init(device),
            last: LinearConfig::new(3, 2).with_bias(false).init(device),
        })
    }

    fn loss(&self, (x, codes): Rows) -> Tensor<1> {
        let x = self.table.forward(codes) + x.unsqueeze_dim::<3>(1);
        let x = self.twice.forward(tanh(self.twice.forward(x)));
        self.last.forward(self.norm.forward(x)).square().sum()
    }
}

fn rows(device: &Device) -> Rows {
    let codes = [[0, 1], [4, 4], [2, 0], [1, 3]];
    (noise(1, [4, 3], device), Tensor::from_data(codes, device))
}

#[test]
fn tapped_weights_have_the_gradients_of_single_rows() {
    let device = Device::flex();
    let net = Net::new(&device);
    let params = Params::of(&net);
    let f = Functional::capture(&net, Net::loss);
    let all = f.per_sample_grads(&params, rows(&device)).unwrap();
    let (x, codes) = rows(&device);
    for row in 0..4 {
        let one = (
            x.clone().slice([row..row + 1, 0..3]),
            codes.clone().slice([row..row + 1, 0..2]),
        );
        let expected = f.grad(&params, one).unwrap();
        close(&host(&all.row(row).unwrap()), &host(&expected), 1e-13);
    }
    // They can be differentiated again: the gradient of |g|² is 2 H g.
    let leaves = params.require_grad();
    let each = f.per_sample_grads(&leaves, rows(&device)).unwrap();
    let second = leaves.gradients(&each.dot(&each).unwrap().backward());
    let mut expected = params.zeros_like();
    for row in 0..4 {
        let one = (
            x.clone().slice([row..row + 1, 0..3]),
            codes.clone().slice([row..row + 1, 0..2]),
        );
        let curved = f.hvp(&params, &all.row(row).unwrap(), one).unwrap();
        expected = expected.add_scaled(&curved, 2.0).unwrap();
    }
    close(&host(&second), &host(&expected), 1e-11);
    let error = f.per_sample_grads(&params, (x, codes.slice([0..3, 0..2])));
    assert!(error.unwrap_err().is_shape());
}

#[test]
fn members_answer_at_once_what_each_says() {
    let device = Device::flex();
    let net = Net::new(&device);
    let start = Params::of(&net);
    let members = [1.0, 0.7, 1.3].map(|factor| start.scale(factor));
    let stacked = Params::stack(&members).unwrap();
    let f = Functional::capture(&net, |net: &Net, (x, codes): Rows| {
        let x = net.table.forward(codes) + x.unsqueeze_dim::<3>(1);
        net.last.forward(net.norm.forward(net.twice.forward(x)))
    });
    let all: Tensor<4> = f.call_each(&stacked, rows(&device)).unwrap();
    assert_eq!(all.dims(), [3, 4, 2, 2]);
    let all: Vec<f64> = all.into_data().iter().collect();
    for (member, found) in members.iter().zip(all.chunks_exact(16)) {
        let one = f.call(member, rows(&device)).unwrap();
        close(
            found,
            &one.into_data().iter::<f64>().collect::<Vec<_>>(),
            1e-13,
        );
    }
    assert!(
        Params::stack(&[start.clone(), stacked.clone()])
            .unwrap_err()
            .is_weights()
    );
    assert!(Params::stack(&[]).unwrap_err().is_config());
    assert!(stacked.row(3).unwrap_err().is_config());
}

/// What our own linear layer is recorded as, a product and a sum, is one operation again, whose members run
/// at once; not where others read what is between.
#[test]
fn layers_are_joined_where_nobody_reads_between() {
    let device = Device::flex();
    let layer = forge_nn::LinearConfig::new(3, 2).init(&device);
    let layer = layer.materialize();
    let x = Tensor::<2>::from_data([[0.5, -1.0, 2.0], [1.5, 0.0, -0.5]], &device);
    let kinds = |apart: bool| {
        let inputs = vec![AnyTensor::float(x.clone())];
        let function = move |layer: &forge_nn::Linear, (x,): (Tensor<2>,)| {
            if !apart {
                return layer.forward(x);
            }
            let product = x.matmul(layer.weight.val());
            let bias = layer.bias.as_ref().unwrap().val().reshape([1, 2]);
            (product.clone() + bias) * product
        };
        let graph = capture(&layer, inputs, DType::F32, &device, function).unwrap();
        let steps = graph.steps.iter();
        steps
            .map(|step| forge_graph::kind(&step.operation))
            .collect::<Vec<_>>()
    };
    let has = |kinds: &[String], name: &str| kinds.iter().any(|kind| kind == name);
    let (joined, apart) = (kinds(false), kinds(true));
    assert!(
        has(&joined, "Module.Linear") && !has(&joined, "Float.Matmul"),
        "{joined:?}"
    );
    assert!(
        has(&apart, "Float.Matmul") && !has(&apart, "Module.Linear"),
        "{apart:?}"
    );

    let f = Functional::capture(&layer, |layer, (x,): (Tensor<2>,)| layer.forward(x));
    let start = Params::of(&layer);
    let members = [1.0, 0.7, -1.3].map(|factor| start.scale(factor));
    let stacked = Params::stack(&members).unwrap();
    let all: Tensor<3> = f.call_each(&stacked, (x.clone(),)).unwrap();
    let all: Vec<f64> = all.into_data().iter().collect();
    let expected = layer.forward(x).into_data();
    let expected: Vec<f64> = expected.iter().collect();
    for (factor, found) in [1.0, 0.7, -1.3].iter().zip(all.chunks_exact(4)) {
        let expected: Vec<f64> = expected.iter().map(|y| y * factor).collect();
        close(found, &expected, 1e-6);
    }
}

/// Members with much to compute go over the threads, those on a graph of derivatives do not: the same
/// answers, and the same gradients.
#[test]
fn large_members_answer_as_small_ones() {
    let device = Device::flex();
    device.seed(5);
    let layer = LinearConfig::new(70, 60).init(&device);
    let start = Params::of(&layer);
    let stacked = Params::stack(&[1.0, -0.7, 1.3].map(|factor| start.scale(factor))).unwrap();
    let x = noise::<2>(3, [300, 70], &device).cast(DType::F32);
    let f = Functional::capture(&layer, |layer: &Linear, (x,): (Tensor<2>,)| {
        layer.forward(x)
    });
    let numbers = |all: Tensor<3>| all.into_data().iter::<f64>().collect::<Vec<_>>();
    let rows = |from: usize, to: usize| {
        let x = x.clone().slice([from..to, 0..70]);
        f.call_each::<Tensor<3>>(&stacked, (x,)).unwrap()
    };
    let all = rows(0, 300);
    assert_eq!(all.dims(), [3, 300, 60]);
    let parts = [0, 150].map(|from| rows(from, from + 150));
    let expected = Tensor::cat(parts.to_vec(), 1);
    close(&numbers(all.clone()), &numbers(expected), 1e-5);

    let best = Functional::capture(&layer, |layer: &Linear, (x,): (Tensor<2>,)| {
        layer.forward(x).argmax(1)
    });
    let best: Tensor<3, Int> = best.call_each(&stacked, (x.clone(),)).unwrap();
    assert_eq!(best.into_data(), all.clone().argmax(2).into_data());

    let tracked = x.autodiff().require_grad();
    let again: Tensor<3> = f.call_each(&stacked, (tracked.clone(),)).unwrap();
    close(&numbers(again.clone()), &numbers(all), 1e-5);
    let grads = again.sum().backward();
    assert!(tracked.grad(&grads).is_some());
}

/// Each member and each sample has draws of its own, and none where they are held.
#[test]
fn draws_are_of_each_sample() {
    let module = held();
    let params = Params::of(&module);
    let noisy = |held: &Held, (_,): (Tensor<2>,)| {
        let device = held.x.val().device();
        let noise = Tensor::<2>::random(SHAPE, Distribution::Default, (&device, DType::F64));
        (held.x.val() * noise).sum()
    };
    let inputs = || (Tensor::<2>::ones([2, 1], (&Device::flex(), DType::F64)),);
    let f = Functional::capture(&module, noisy);
    let rows = |f: &Functional<(Tensor<2>,), Tensor<1>>| {
        let all = f.per_sample_grads(&params, inputs()).unwrap();
        [0, 1].map(|row| host(&all.row(row).unwrap()))
    };
    let [one, other] = rows(&f);
    assert_ne!(one, other);
    let [one, other] = rows(&f.hold_draws());
    assert_eq!(one, other);
}

/// Real networks, those with operations that go one by one among them.
#[test]
fn samples_of_models_are_those_of_single_rows() {
    let device = Device::flex();
    for name in [
        "tabular_mlp",
        "tabular_resnet",
        "ft_transformer",
        "tabm",
        "modern_tcn",
    ] {
        let spec = TabularSpec {
            n_num_features: 3,
            cat_cardinalities: vec![],
            d_out: 1,
        };
        let config = ModelConfig::narrow(name).unwrap().sized_for(&spec).unwrap();
        device.seed(1);
        let model = set_mode(config.init(&device).materialize(), Mode::Evaluate);
        let f = Functional::capture(&model, |model: &Model, (x,): (Tensor<2>,)| {
            model.forward(TabularInput::numeric(x)).square().sum()
        });
        let (params, x) = (
            Params::of(&model),
            noise::<2>(1, [3, 3], &device).cast(DType::F32),
        );
        let all = f.per_sample_grads(&params, (x.clone(),)).unwrap();
        for row in 0..3 {
            let one = x.clone().slice([row..row + 1, 0..3]);
            let expected = host(&f.grad(&params, (one,)).unwrap());
            close(&host(&all.row(row).unwrap()), &expected, 1e-4);
        }
    }
}
