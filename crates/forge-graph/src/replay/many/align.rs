//! Operands of different ranks beside each other.

use std::collections::BTreeMap;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn::backend::{Shape, TensorMetadata};
use burn_ir::{IrVisitorMut, OperationIr, TensorId, TensorIr};
use forge_nn::ForgeError;

use super::Batch;
use crate::capture::slot;
use crate::{Level, Slot, Value};

/// How the operands of an operation must lie for many samples.
pub(super) enum Alignment {
    /// As they are.
    Keep,
    /// Those of all samples with a leading axis of length 1.
    Broadcast,
    /// Those of all samples repeated, but for one of integers.
    Repeat { but: Option<Slot> },
    /// Axes of length 1 between the samples and the rest, up to so many in all.
    Rank(usize),
    /// Each sample as a vector.
    Flat,
}

/// The same value in another shape.
pub(super) fn reshaped<B: Level>(value: Value<B>, shape: Vec<usize>) -> Value<B> {
    let shape = Shape::from(shape);
    match value {
        Value::Float(tensor) => Value::Float(B::float_reshape(tensor, shape)),
        Value::Int(tensor) => Value::Int(B::int_reshape(tensor, shape)),
        Value::Bool(tensor) => Value::Bool(B::bool_reshape(tensor, shape)),
    }
}

fn shape<B: Level>(value: &Value<B>) -> Vec<usize> {
    match value {
        Value::Float(tensor) => tensor.shape().to_vec(),
        Value::Int(tensor) => tensor.shape().to_vec(),
        Value::Bool(tensor) => tensor.shape().to_vec(),
    }
}

/// A value of all samples, once for each.
pub(super) fn repeated<B: Level>(value: Value<B>, samples: usize) -> Value<B> {
    match value {
        Value::Float(tensor) => Value::Float(repeated_float::<B>(tensor, samples)),
        Value::Int(tensor) => Value::Int(repeated_int::<B>(tensor, samples)),
        Value::Bool(tensor) => {
            let [row, wanted] = row_and_all(&tensor.shape(), samples);
            Value::Bool(B::bool_expand(B::bool_reshape(tensor, row), wanted))
        }
    }
}

/// Floats of all samples, once for each.
pub(super) fn repeated_float<B: Level>(tensor: FloatTensor<B>, samples: usize) -> FloatTensor<B> {
    let [row, wanted] = row_and_all(&tensor.shape(), samples);
    B::float_expand(B::float_reshape(tensor, row), wanted)
}

/// Integers of all samples, once for each.
pub(super) fn repeated_int<B: Level>(tensor: IntTensor<B>, samples: usize) -> IntTensor<B> {
    let [row, wanted] = row_and_all(&tensor.shape(), samples);
    B::int_expand(B::int_reshape(tensor, row), wanted)
}

fn row_and_all(own: &Shape, samples: usize) -> [Shape; 2] {
    [1, samples].map(|first| Shape::from([vec![first], own.to_vec()].concat()))
}

/// Reads other slots instead of some.
struct Instead(BTreeMap<Slot, Slot>);

impl IrVisitorMut for Instead {
    fn visit_tensor_mut(&mut self, tensor: &mut TensorIr) {
        if let Some(other) = self.0.get(&slot(tensor)) {
            tensor.id = TensorId::new(*other as u64);
        }
    }
}

impl<B: Level> Batch<'_, B> {
    /// `operation` with its operands in places behind the graph's own, where they lie as `alignment` says.
    pub(super) fn aligned(
        &mut self,
        mut operation: OperationIr,
        alignment: &Alignment,
    ) -> Result<OperationIr, ForgeError> {
        let mut places = BTreeMap::new();
        for tensor in operation.inputs() {
            let at = slot(tensor);
            let each = self.has_each(tensor);
            let moves = match alignment {
                Alignment::Keep => false,
                Alignment::Broadcast => !each,
                Alignment::Repeat { but } => !each && *but != Some(at),
                Alignment::Rank(_) | Alignment::Flat => each,
            };
            if !moves || places.contains_key(&at) {
                continue;
            }
            let value = self.run.value(tensor)?;
            let own = shape(&value);
            let value = match alignment {
                Alignment::Rank(rank) => {
                    let ones = vec![1; (rank + 1).saturating_sub(own.len())];
                    reshaped(value, [vec![own[0]], ones, own[1..].to_vec()].concat())
                }
                Alignment::Flat => {
                    let len = own[1..].iter().product();
                    reshaped(value, vec![own[0], len])
                }
                Alignment::Repeat { .. } => repeated(value, self.samples),
                Alignment::Keep | Alignment::Broadcast => reshaped(value, [vec![1], own].concat()),
            };
            places.insert(at, self.run.values.len());
            self.run.values.push(Some(value));
        }
        operation.visit_mut(&mut Instead(places));
        Ok(operation)
    }
}
