//! A linear map over time.

use burn::module::Module;
use burn::tensor::{Device, Tensor};
use forge_nn::ops::split;
use forge_nn::parameters::KeyMap;
use forge_nn::{Linear, LinearConfig, ModuleConfig};

/// Each variable of x, `[B, N, …]`, through the one map that all share, or through its own.
pub(crate) fn by_map<M>(
    maps: &[M],
    x: Tensor<3>,
    forward: impl Fn(&M, Tensor<3>) -> Tensor<3>,
) -> Tensor<3> {
    if let [shared] = maps {
        return forward(shared, x);
    }
    let each = split(x, 1, 1).into_iter().zip(maps);
    Tensor::cat(each.map(|(x, map)| forward(map, x)).collect(), 1)
}

/// A linear map over the time axis: one for all variables, or one for each.
#[derive(Module, Debug)]
pub struct StepsLinear {
    /// One, or as many as there are variables.
    layers: Vec<Linear>,
}

impl StepsLinear {
    pub(crate) fn new(from: usize, to: usize, each: Option<usize>, device: &Device) -> Self {
        let layer = |_| LinearConfig::new(from, to).init(device);
        Self {
            layers: (0..each.unwrap_or(1)).map(layer).collect(),
        }
    }

    /// # Shapes
    /// - x: `[B, N, T]`
    /// - output: `[B, N, T']`
    pub(crate) fn forward(&self, x: Tensor<3>) -> Tensor<3> {
        by_map(&self.layers, x, Linear::forward)
    }

    /// Values of one that maps `from` steps to `to`.
    pub(crate) fn parameter_count(from: usize, to: usize, each: Option<usize>) -> usize {
        each.unwrap_or(1) * (from + 1) * to
    }

    /// The reference's names: `theirs`, or `theirs.0` to `theirs.N-1` where each variable has its
    /// own.
    pub(crate) fn key_map(map: KeyMap, ours: &str, theirs: &str, each: Option<usize>) -> KeyMap {
        match each {
            None => map.linear(&format!("{ours}.layers.0"), theirs),
            Some(n) => (0..n).fold(map, |map, i| {
                map.linear(&format!("{ours}.layers.{i}"), &format!("{theirs}.{i}"))
            }),
        }
    }
}
