//! A recorded function.

use std::sync::Arc;

use burn::tensor::{DType, Device, Distribution, TensorData};
use burn_ir::{FloatOperationIr, ModuleOperationIr, OperationIr};

use crate::AnyTensor;

/// Where a value of a graph is kept: a number below [`Graph::slots`], the `TensorId` of the value
/// in the operations.
pub type Slot = usize;

/// A recorded function: what it computes of parameters, inputs and draws.
///
/// It holds no weights, and shapes and element types are those of the recording.
#[derive(Debug, Clone)]
pub struct Graph {
    /// The operations, in order. Draws and their slots are left out: see [`Graph::draws`].
    pub steps: Vec<Step>,
    /// How many values there are.
    pub slots: usize,
    /// The trainable float parameters of the module, in the order of its fields, those that the
    /// function does not read among them.
    pub parameters: Vec<Parameter>,
    /// Where each input goes, in order.
    pub inputs: Vec<Slot>,
    /// Where each output is found, in order.
    pub outputs: Vec<Slot>,
    /// Values that are the same at each replay: frozen parameters, buffers and tensors that the
    /// function makes of numbers.
    pub constants: Vec<(Slot, TensorData)>,
    /// Random values, to be drawn before each replay.
    pub draws: Vec<Draw>,
}

/// One operation of a [`Graph`].
#[derive(Debug, Clone)]
pub struct Step {
    /// What is computed, of which slots. A tensor of status `ReadWrite` is read for the last time.
    pub operation: OperationIr,
    /// Where in the module: the holder of the parameter that the operation reads, or of the one
    /// that was read last on the way to it. Empty before any.
    pub path: Arc<str>,
    /// Values that nobody reads after this step and that the operation does not take.
    pub frees: Vec<Slot>,
}

/// A parameter of a [`Graph`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    /// Its name, as [`StateDict`](forge_nn::StateDict) has it.
    pub path: String,
    /// Where it goes.
    pub slot: Slot,
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The element type.
    pub dtype: DType,
}

/// Random values that a [`Graph`] reads.
#[derive(Debug, Clone, PartialEq)]
pub struct Draw {
    /// Where they go.
    pub slot: Slot,
    /// The length of each axis.
    pub shape: Vec<usize>,
    /// The element type.
    pub dtype: DType,
    /// What they are drawn from.
    pub distribution: Distribution,
}

impl Graph {
    /// Shape and element type of each output.
    #[must_use]
    pub fn results(&self) -> Vec<(Vec<usize>, DType)> {
        let made = |output: &Slot| {
            let all = self
                .steps
                .iter()
                .rev()
                .flat_map(|step| step.operation.outputs().collect::<Vec<_>>());
            let mut all = all.filter(|tensor| tensor.id.value() as Slot == *output);
            all.next()
                .map(|tensor| (tensor.shape.to_vec(), tensor.dtype))
        };
        self.outputs.iter().filter_map(made).collect()
    }

    /// How many multiplications its products of matrices make, for a measure of its work.
    #[must_use]
    pub fn multiplications(&self) -> usize {
        let of_step = |step: &Step| match &step.operation {
            OperationIr::Module(ModuleOperationIr::Linear(layer)) => {
                layer.out.shape.num_elements() * layer.weight.shape[0]
            }
            OperationIr::Float(_, FloatOperationIr::Matmul(product)) => {
                let inner = product.lhs.shape.last().copied();
                product.out.shape.num_elements() * inner.unwrap_or_default()
            }
            _ => 0,
        };
        self.steps.iter().map(of_step).sum()
    }

    /// The constants on `device`.
    #[must_use]
    pub fn constants_on(&self, device: &Device) -> Vec<(Slot, AnyTensor)> {
        let constants = self.constants.iter();
        constants
            .map(|(slot, data)| (*slot, AnyTensor::from_data(data.clone(), device)))
            .collect()
    }
}
