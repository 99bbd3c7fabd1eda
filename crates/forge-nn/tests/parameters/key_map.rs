use burn::module::Module;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{Device, TensorData};
use forge_nn::parameters::KeyMap;
use forge_nn::{StateDict, burn};

use crate::checks::device;

fn state(tensors: impl IntoIterator<Item = (&'static str, TensorData)>) -> StateDict {
    let mut state = StateDict::default();
    let tensors = tensors.into_iter().map(|(name, data)| (name.into(), data));
    state.tensors = tensors.collect();
    state
}

#[test]
fn aliases_must_agree_and_are_written_back() {
    let map = KeyMap::new()
        .transposed("weight", "first")
        .alias("first", "second");
    let data = |values: [f64; 6]| TensorData::new(values.to_vec(), [2, 3]);
    let like = state([("weight", TensorData::zeros::<f64, _>([3, 2]))]);
    let first = data([1., 2., 3., 4., 5., 6.]);
    let checkpoint = |second| state([("first", first.clone()), ("second", data(second))]);
    let same = checkpoint([1., 2., 3., 4., 5., 6.]);
    let ours = map.to_module(&same, &like).unwrap();
    let values: Vec<f64> = ours.tensors["weight"].iter().collect();
    assert_eq!(values, [1., 4., 2., 5., 3., 6.]);
    assert_eq!(map.to_reference(&ours.tensors).unwrap(), same.tensors);
    let other = checkpoint([1., 2., 3., 4., 5., 7.]);
    let error = map.to_module(&other, &like).unwrap_err().to_string();
    assert!(error.contains("second differs from first"), "{error}");
}

#[derive(Module, Debug)]
struct Pair {
    inner: Linear,
    outer: Linear,
}

fn pair(device: &Device) -> Pair {
    Pair {
        inner: LinearConfig::new(2, 3).init(device),
        outer: LinearConfig::new(3, 1).with_bias(false).init(device),
    }
}

/// Weights of 1×1 convolutions, whose axes of length 1 are no axes here; one of them has other
/// axes of length 1 as well.
fn convolutions() -> StateDict {
    state([
        (
            "net.inner.weight",
            TensorData::new(vec![1., 2., 3., 4., 5., 6.], [3, 2, 1, 1]),
        ),
        (
            "net.inner.bias",
            TensorData::new(vec![7., 8., 9.], [1, 3, 1]),
        ),
        (
            "net.outer.weight",
            TensorData::new(vec![1., 2., 3.], [1, 3, 1]),
        ),
    ])
}

fn theirs(name: &str) -> String {
    format!("net.{name}")
}

#[test]
fn the_same_structure_maps_itself() {
    let (module, reference) = (pair(&device()), convolutions());
    let map = KeyMap::by_path(&module, &reference, theirs);
    assert!(!module.inner.weight.is_initialized(), "a map makes nothing");
    let like = StateDict::from_module(&module).unwrap();
    let ours = map.to_module(&reference, &like).unwrap();
    let values = |name: &str| ours.tensors[name].iter::<f64>().collect::<Vec<_>>();
    assert_eq!(values("inner.weight"), [1., 3., 5., 2., 4., 6.]);
    assert_eq!(values("inner.bias"), [7., 8., 9.]);
    assert_eq!(ours.tensors["outer.weight"].shape().as_slice(), [3, 1]);
    assert_eq!(map.to_reference(&ours.tensors).unwrap(), reference.tensors);
}

#[test]
fn what_differs_in_more_than_axes_of_length_one_is_refused() {
    let module = pair(&device());
    let like = StateDict::from_module(&module).unwrap();
    let problem = |reference: &StateDict| {
        let map = KeyMap::by_path(&module, reference, theirs);
        map.to_module(reference, &like).unwrap_err().to_string()
    };
    let mut turned = convolutions();
    let weight = TensorData::zeros::<f64, _>([2, 3, 1]);
    turned.tensors.insert("net.inner.weight".into(), weight);
    let text = problem(&turned);
    assert!(
        text.contains("net.inner.weight is [2, 3, 1], expected [3, 2]"),
        "{text}"
    );
    let mut odd = convolutions();
    let bias = odd.tensors.remove("net.inner.bias").unwrap();
    odd.tensors.insert("net.inner.shift".into(), bias);
    let text = problem(&odd);
    assert!(text.contains("net.inner.bias is missing"), "{text}");
    assert!(
        text.contains("net.inner.shift is not part of the model"),
        "{text}"
    );
}
