//! Labels as vectors.

use burn::module::{Module, Param};
use burn::nn::Initializer;
use burn::tensor::{Device, Int, Tensor};
use forge_nn::{Linear, LinearConfig, ModuleConfig};

use crate::Labels;

/// Labels as vectors: a linear map of numbers, a vector for each class.
#[derive(Module, Debug)]
pub enum TabRLabelEncoder {
    /// Of numbers, from `S` to `D`.
    Numbers(Linear),
    /// Of classes.
    Classes(TabRClassVectors),
}

/// A vector for each class.
#[derive(Module, Debug)]
pub struct TabRClassVectors {
    /// `[C, D]`.
    pub weight: Param<Tensor<2>>,
}

impl TabRLabelEncoder {
    /// Starts uniform: numbers in `±1/√2`, classes in `±1`, as the reference.
    pub(super) fn new(labels: Labels, width: usize, device: &Device) -> Self {
        let uniform = |bound: f64| Initializer::Uniform {
            min: -bound,
            max: bound,
        };
        match labels {
            Labels::Numbers(columns) => Self::Numbers(
                LinearConfig::new(columns, width)
                    .with_initializer(uniform(0.5_f64.sqrt()))
                    .build(device),
            ),
            Labels::Classes(classes) => Self::Classes(TabRClassVectors {
                weight: uniform(1.0).init([classes, width], device),
            }),
        }
    }

    /// # Shapes
    /// - target: `[N, S]`, class numbers as floats
    /// - output: `[N, D]`
    pub(super) fn forward(&self, target: Tensor<2>) -> Tensor<2> {
        match self {
            Self::Numbers(linear) => linear.forward(target),
            Self::Classes(vectors) => {
                let classes: Tensor<1, Int> = target.int().squeeze_dim(1);
                vectors.weight.val().select(0, classes)
            }
        }
    }
}
