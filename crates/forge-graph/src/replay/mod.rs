//! Running a graph.

mod activation;
mod boolean;
mod float;
mod int;
mod many;
mod module;
mod numeric;
mod shape;

pub use many::{Many, Tap, replay_many, tapped};

use burn::backend::tensor::{BoolTensor, FloatTensor, IntTensor};
use burn_ir::{OperationIr, TensorIr, TensorStatus};
use forge_nn::ForgeError;
use forge_nn::ops::STOP_GRADIENT;

use crate::capture::{slot, unsupported};
use crate::kinds::kind;
use crate::{Graph, Level, Slot, Step, Value};

/// Runs `graph` on `device` and gives its outputs, in order.
///
/// `values` are those of the parameters, inputs, draws and constants. On a level that
/// differentiates, gradients flow from the outputs to whichever of them require one. Where a
/// gradient can be differentiated again (two levels and more), operations whose gradient Burn
/// cannot differentiate are written as simpler ones.
///
/// # Errors
/// - an unsupported error for an operation outside of [`KINDS`](crate::KINDS), which graphs that
///   [`capture`](fn@crate::capture) gave do not have
/// - a weights error if a value is missing or of another element kind than the graph reads
///
/// # Panics
/// If a value has another shape than the graph was recorded with.
pub fn replay<B: Level>(
    graph: &Graph,
    values: impl IntoIterator<Item = (Slot, Value<B>)>,
    device: &B::Device,
) -> Result<Vec<Value<B>>, ForgeError> {
    let mut run = Run {
        values: vec![None; graph.slots],
        device,
        step: None,
    };
    for (slot, value) in values {
        run.put(slot, value);
    }
    for step in &graph.steps {
        run.step = Some(step);
        run.operation(&step.operation)?;
        for slot in &step.frees {
            run.values[*slot] = None;
        }
    }
    let outputs = graph.outputs.iter();
    outputs
        .map(|slot| {
            run.values
                .get_mut(*slot)
                .and_then(Option::take)
                .ok_or_else(|| ForgeError::weights("an output of the graph has no value"))
        })
        .collect()
}

/// A run in progress.
struct Run<'a, B: Level> {
    values: Vec<Option<Value<B>>>,
    device: &'a B::Device,
    step: Option<&'a Step>,
}

/// What a step comes to: nothing, or why not.
type Done = Result<(), ForgeError>;

impl<B: Level> Run<'_, B> {
    fn operation(&mut self, operation: &OperationIr) -> Done {
        match operation {
            OperationIr::BaseFloat(op) => self.base_float(op),
            OperationIr::BaseInt(op) => self.base_int(op),
            OperationIr::BaseBool(op) => self.base_bool(op),
            OperationIr::NumericFloat(_, op) => self.numeric_float(op),
            OperationIr::NumericInt(_, op) => self.numeric_int(op),
            OperationIr::Bool(op) => self.boolean(op),
            OperationIr::Int(op) => self.int(op),
            OperationIr::Float(_, op) => self.float_only(op),
            OperationIr::Module(op) => self.module(op),
            OperationIr::Activation(op) => self.activation(op),
            OperationIr::Custom(op) if op.id == STOP_GRADIENT => {
                let ([x], [y]) = op.as_fixed::<1, 1>();
                let x = self.float(x)?;
                self.put_float(y, B::stop_gradient(x));
                Ok(())
            }
            _ => Err(self.refuse()),
        }
    }

    /// The operation of this step is not one that can be replayed.
    fn refuse(&self) -> ForgeError {
        match self.step {
            Some(step) => unsupported(&kind(&step.operation), &step.path),
            None => ForgeError::unsupported("an operation outside of a graph"),
        }
    }

    fn value(&mut self, tensor: &TensorIr) -> Result<Value<B>, ForgeError> {
        let held = self.values.get_mut(slot(tensor));
        let value = held.and_then(|held| match tensor.status {
            TensorStatus::ReadWrite => held.take(),
            _ => held.clone(),
        });
        value.ok_or_else(|| self.wrong("has no value"))
    }

    fn wrong(&self, what: &str) -> ForgeError {
        let place = self.step.map_or("", |step| &*step.path);
        ForgeError::weights(format!("an operand at or after `{place}` {what}"))
    }

    fn float(&mut self, tensor: &TensorIr) -> Result<FloatTensor<B>, ForgeError> {
        match self.value(tensor)? {
            Value::Float(tensor) => Ok(tensor),
            _ => Err(self.wrong("is not of floats")),
        }
    }

    fn ints(&mut self, tensor: &TensorIr) -> Result<IntTensor<B>, ForgeError> {
        match self.value(tensor)? {
            Value::Int(tensor) => Ok(tensor),
            _ => Err(self.wrong("is not of integers")),
        }
    }

    fn bools(&mut self, tensor: &TensorIr) -> Result<BoolTensor<B>, ForgeError> {
        match self.value(tensor)? {
            Value::Bool(tensor) => Ok(tensor),
            _ => Err(self.wrong("is not of booleans")),
        }
    }

    fn put(&mut self, slot: Slot, value: Value<B>) {
        if let Some(place) = self.values.get_mut(slot) {
            *place = Some(value);
        }
    }

    fn put_float(&mut self, out: &TensorIr, value: FloatTensor<B>) {
        self.put(slot(out), Value::Float(value));
    }

    fn put_int(&mut self, out: &TensorIr, value: IntTensor<B>) {
        self.put(slot(out), Value::Int(value));
    }

    fn put_bool(&mut self, out: &TensorIr, value: BoolTensor<B>) {
        self.put(slot(out), Value::Bool(value));
    }
}

/// Whether gradients of gradients flow through an operation.
fn twice<B: Level>() -> bool {
    B::DEPTH >= 2
}

/// `y = f(x)` of floats.
macro_rules! unary {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.float(&$op.input)?;
        $run.put_float(&$op.out, $f(x));
    }};
}

/// `y = f(a, b)` of floats.
macro_rules! binary {
    ($run:ident, $op:ident, $f:expr) => {{
        let (a, b) = ($run.float(&$op.lhs)?, $run.float(&$op.rhs)?);
        $run.put_float(&$op.out, $f(a, b));
    }};
}

/// `y = f(x, number)` of floats.
macro_rules! scalar {
    ($run:ident, $op:ident, $f:expr) => {{
        let x = $run.float(&$op.lhs)?;
        $run.put_float(&$op.out, $f(x, $op.rhs.into()));
    }};
}

/// Booleans of two tensors of floats or integers.
macro_rules! compare {
    ($run:ident, $op:ident, $read:ident, $f:expr) => {{
        let (a, b) = ($run.$read(&$op.lhs)?, $run.$read(&$op.rhs)?);
        $run.put_bool(&$op.out, $f(a, b, $op.out.dtype.into()));
    }};
}

/// Booleans of a tensor of floats or integers and a number.
macro_rules! compare_scalar {
    ($run:ident, $op:ident, $read:ident, $f:expr) => {{
        let x = $run.$read(&$op.lhs)?;
        $run.put_bool(&$op.out, $f(x, $op.rhs.into(), $op.out.dtype.into()));
    }};
}

pub(crate) use {binary, compare, compare_scalar, scalar, unary};
