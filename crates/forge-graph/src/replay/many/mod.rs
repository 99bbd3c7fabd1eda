//! Running a graph once for many samples.

mod align;
mod layers;
mod lift;
mod taps;

use std::collections::BTreeSet;

use burn::backend::tensor::{FloatTensor, IntTensor};
use burn_ir::{OperationIr, TensorIr};
use forge_nn::ForgeError;

use super::{Done, Run};
use crate::capture::slot;
use crate::{Graph, Level, Slot, Value};

pub use taps::tapped;

/// What a linear layer read, and where the gradients of its outputs arrive.
#[derive(Debug)]
pub struct Tap<B: Level> {
    /// The slot of its weight.
    pub weight: Slot,
    /// The slot of its bias, where that is tapped.
    pub bias: Option<Slot>,
    /// What it read, `[N, …, D_in]`.
    pub x: FloatTensor<B>,
    /// Zeros `[N, …, D_out]` that were added to what it gave, a leaf of their own.
    pub probe: FloatTensor<B>,
}

/// What a graph gives for many samples.
#[derive(Debug)]
pub struct Many<B: Level> {
    /// The outputs, in order, each with a leading axis over the samples.
    pub outputs: Vec<Value<B>>,
    /// One for each time that a linear layer with tapped parameters was run.
    pub taps: Vec<Tap<B>>,
}

/// Runs `graph` for `samples` samples at once: what [`replay`](fn@crate::replay) gives for each of them,
/// stacked.
///
/// Each value is one for all samples, or (`true`) has a leading axis over them. The parameters of
/// `taps`, a part of what [`tapped`] names, stay one for all; their gradient for a sample is
/// `xᵀ δ` of its rows, with `δ` the gradient of [`Tap::probe`], which costs no copy of the weights.
///
/// # Errors
/// As [`replay`](fn@crate::replay); an unsupported error for what cannot be run for many at once:
/// convolutions, rows placed by computed indices. One sample after the other can.
///
/// # Panics
/// As [`replay`](fn@crate::replay).
pub fn replay_many<B: Level>(
    graph: &Graph,
    values: impl IntoIterator<Item = (Slot, Value<B>, bool)>,
    samples: usize,
    taps: &BTreeSet<Slot>,
    device: &B::Device,
) -> Result<Many<B>, ForgeError> {
    let mut many = Batch {
        run: Run {
            values: vec![None; graph.slots],
            device,
            step: None,
        },
        each: vec![false; graph.slots],
        samples,
        tapped: taps,
        taps: vec![],
    };
    for (slot, value, each) in values {
        many.run.put(slot, value);
        if let Some(place) = many.each.get_mut(slot) {
            *place = each;
        }
    }
    for step in &graph.steps {
        many.run.step = Some(step);
        many.operation(&step.operation)?;
        for slot in &step.frees {
            many.run.values[*slot] = None;
        }
    }
    let outputs = graph.outputs.iter().map(|slot| {
        let value = many.run.values.get_mut(*slot).and_then(Option::take);
        let value = value.ok_or_else(|| ForgeError::weights("an output of the graph has no value"));
        value.map(|value| match many.each[*slot] {
            true => value,
            false => align::repeated(value, samples),
        })
    });
    Ok(Many {
        outputs: outputs.collect::<Result<_, _>>()?,
        taps: many.taps,
    })
}

/// A run for many samples in progress.
struct Batch<'a, B: Level> {
    run: Run<'a, B>,
    /// Which values have the leading axis.
    each: Vec<bool>,
    samples: usize,
    tapped: &'a BTreeSet<Slot>,
    taps: Vec<Tap<B>>,
}

impl<B: Level> Batch<'_, B> {
    fn operation(&mut self, operation: &OperationIr) -> Done {
        let read_each = operation.inputs().any(|tensor| self.has_each(tensor));
        if !read_each && !self.has_tap(operation) {
            return self.run.operation(operation);
        }
        if !self.layer(operation)? {
            let lifted = lift::lifted(operation, self.samples, &|tensor| self.has_each(tensor));
            let Some((operation, alignment)) = lifted else {
                return Err(self.run.refuse());
            };
            let operation = self.aligned(operation, &alignment)?;
            self.run.operation(&operation)?;
            // What was aligned lies behind the graph's own values.
            self.run.values.truncate(self.each.len());
        }
        for out in operation.outputs() {
            self.each[slot(out)] = true;
        }
        Ok(())
    }

    fn has_each(&self, tensor: &TensorIr) -> bool {
        self.each.get(slot(tensor)).copied().unwrap_or_default()
    }

    /// A float operand and whether it has the leading axis.
    fn float(&mut self, tensor: &TensorIr) -> Result<(FloatTensor<B>, bool), ForgeError> {
        let each = self.has_each(tensor);
        Ok((self.run.float(tensor)?, each))
    }

    /// An operand of integers and whether it has the leading axis.
    fn ints(&mut self, tensor: &TensorIr) -> Result<(IntTensor<B>, bool), ForgeError> {
        let each = self.has_each(tensor);
        Ok((self.run.ints(tensor)?, each))
    }
}
