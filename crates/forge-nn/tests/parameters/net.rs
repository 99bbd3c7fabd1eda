//! A module with everything that a walk meets: nested structs, an enum, a list, ranks 1 to 3,
//! running statistics, integers, a frozen parameter, parameters that are not made yet.

use std::collections::BTreeMap;

use burn::module::{Initializer, Module, Param, ParamId};
use burn::nn::{Linear, LinearConfig};
use burn::tensor::{DType, Device, Int, Tensor};
use forge_nn::norm::{BatchNorm, BatchNormConfig, LayerNorm, LayerNormConfig};
use forge_nn::{ModuleConfig, StateDict, burn};
use forge_testkit::Noise;

#[derive(Module, Debug)]
pub(super) enum Either {
    Plain(LayerNorm),
    Deep(Linear),
}

#[derive(Module, Debug)]
pub(super) struct Net {
    pub(super) first: Linear,
    pub(super) norm: BatchNorm,
    pub(super) either: Either,
    pub(super) list: Vec<Linear>,
    pub(super) cube: Param<Tensor<3>>,
    pub(super) frozen: Param<Tensor<1>>,
    pub(super) counts: Param<Tensor<1, Int>>,
}

/// The float buffers and frozen parameters; all other floats are trainable.
pub(super) const FIXED: [&str; 3] = ["frozen", "norm.running_mean", "norm.running_var"];

/// Nothing of it that can be lazy has been made.
pub(super) fn lazy(device: &Device) -> Net {
    let linear = |from, to| LinearConfig::new(from, to).init(device);
    Net {
        first: linear(2, 3),
        norm: BatchNormConfig::new(3).init(device),
        either: Either::Plain(LayerNormConfig::new(3).init(device)),
        list: vec![linear(3, 2), linear(2, 5)],
        cube: Initializer::Normal {
            mean: 0.0,
            std: 1.0,
        }
        .init([2, 3, 2], device),
        frozen: Param::from_tensor(Tensor::from_data([1.5, -2.5], device)).set_require_grad(false),
        counts: Param::initialized(ParamId::new(), Tensor::from_data([1, 2, 3], device)),
    }
}

/// Every float of it drawn from `seed`, of type `dtype`.
pub(super) fn filled(device: &Device, seed: u64, dtype: DType) -> Net {
    let net = lazy(device);
    let mut state = StateDict::from_module(&net).unwrap();
    let mut noise = Noise::new(seed);
    for data in state.tensors.values_mut() {
        if data.dtype().is_float() {
            let shape = data.shape().to_vec();
            *data = noise.tensor(&shape).convert_dtype(dtype);
        }
    }
    state.load_into(net).unwrap()
}

/// Its floats as plain numbers.
pub(super) fn floats<M: Module>(module: &M) -> BTreeMap<String, Vec<f64>> {
    let state = StateDict::from_module(module).unwrap();
    let tensors = state.tensors.into_iter();
    tensors
        .filter(|(_, data)| data.dtype().is_float())
        .map(|(name, data)| (name, data.iter::<f64>().collect()))
        .collect()
}
