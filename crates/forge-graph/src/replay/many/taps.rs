//! Parameters whose gradients for each sample need no copy of them.

use std::collections::BTreeSet;

use burn::backend::TensorMetadata;
use burn::backend::tensor::FloatTensor;
use burn_ir::{FloatOperationIr, ModuleOperationIr, OperationIr};

use super::{Batch, Tap};
use crate::capture::slot;
use crate::joined::is_layer;
use crate::{Graph, Level, Slot};

/// A product with a matrix.
#[derive(Clone, Copy)]
struct Layer {
    x: Slot,
    weight: Slot,
    bias: Option<Slot>,
}

/// The product with a matrix that an operation is: a linear layer, or one written out.
fn layer(operation: &OperationIr) -> Option<Layer> {
    match operation {
        OperationIr::Module(ModuleOperationIr::Linear(op)) => Some(Layer {
            x: slot(&op.x),
            weight: slot(&op.weight),
            bias: op.bias.as_ref().map(slot),
        }),
        OperationIr::Float(_, FloatOperationIr::Matmul(op)) if is_layer(op) => Some(Layer {
            x: slot(&op.lhs),
            weight: slot(&op.rhs),
            bias: None,
        }),
        _ => None,
    }
}

/// The slots of the parameters of `graph` that products of rows with them alone read, and of the biases
/// of such linear layers: those that can be tapped.
#[must_use]
pub fn tapped(graph: &Graph) -> BTreeSet<Slot> {
    let parameters = graph.parameters.iter().map(|parameter| parameter.slot);
    let mut found: BTreeSet<Slot> = parameters.collect();
    for step in &graph.steps {
        let layer = layer(&step.operation);
        for read in step.operation.inputs().map(slot) {
            let own = |layer: Layer| {
                layer.x != read && (layer.weight == read || layer.bias == Some(read))
            };
            if !layer.is_some_and(own) {
                found.remove(&read);
            }
        }
    }
    let layers = || graph.steps.iter().filter_map(|step| layer(&step.operation));
    // A parameter that nothing reads has no layer to tap.
    let read: BTreeSet<Slot> = layers()
        .flat_map(|layer| [Some(layer.weight), layer.bias])
        .flatten()
        .collect();
    found.retain(|slot| read.contains(slot));
    // A bias goes with its weight.
    for layer in layers() {
        if let Some(bias) = layer.bias
            && !found.contains(&layer.weight)
        {
            found.remove(&bias);
        }
    }
    found
}

impl<B: Level> Batch<'_, B> {
    /// Whether an operation is a product that is tapped.
    pub(super) fn has_tap(&self, operation: &OperationIr) -> bool {
        layer(operation).is_some_and(|layer| self.tapped.contains(&layer.weight))
    }

    /// `y` with zeros added whose gradient tells that of the weight, given what was multiplied by it.
    pub(super) fn tap(
        &mut self,
        operation: &OperationIr,
        x: FloatTensor<B>,
        y: FloatTensor<B>,
    ) -> FloatTensor<B> {
        let Some(layer) = layer(operation) else {
            return y;
        };
        let zeros = B::float_zeros(y.shape(), self.run.device, y.dtype().into());
        let probe = B::float_set_require_grad(zeros, true);
        let y = B::float_add(y, probe.clone());
        self.taps.push(Tap {
            weight: layer.weight,
            bias: layer.bias.filter(|bias| self.tapped.contains(bias)),
            x,
            probe,
        });
        y
    }
}
