//! Derivatives of a graph, at any level.

use std::collections::BTreeSet;

use burn::backend::autodiff::Autodiff;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, TensorMetadata};
use forge_graph::{AnyTensor, Graph, Level, Slot, Value, replay};
use forge_nn::ForgeError;

use super::bind::{Bound, Port, Values, Work};
use super::samples::{each_evaluated, each_pulled_back};

/// What the transforms of one call give: outputs, and one tensor per leaf or output.
pub(super) struct Found {
    pub(super) outputs: Vec<AnyTensor>,
    pub(super) derivatives: Vec<AnyTensor>,
}

/// The outputs alone.
///
/// # Errors
/// As [`replay`].
pub(super) fn evaluate(bound: Bound<'_>) -> Result<Found, ForgeError> {
    bound.run(&[], Evaluate)
}

/// `Σₖ Jₖᵀ uₖ`: the derivatives of the float outputs `k` for the leaves, with weights `u`; without
/// weights those of the first output.
///
/// # Errors
/// As [`replay`].
pub(super) fn backward(
    bound: Bound<'_>,
    weights: Option<Vec<AnyTensor>>,
) -> Result<Found, ForgeError> {
    let others = weights.clone().unwrap_or_default();
    bound.run(&others, Backward { weights })
}

/// `Jₖ v` for each float output `k`.
///
/// # Errors
/// As [`replay`].
pub(super) fn forward(bound: Bound<'_>, direction: Vec<AnyTensor>) -> Result<Found, ForgeError> {
    bound.run(&direction.clone(), Forward { direction })
}

/// `H v` of the first output.
///
/// # Errors
/// As [`replay`].
pub(super) fn hessian(bound: Bound<'_>, direction: Vec<AnyTensor>) -> Result<Found, ForgeError> {
    bound.run(&direction.clone(), Hessian { direction })
}

/// Which values of a call have a leading axis over samples, and how many samples there are.
pub(super) struct Samples {
    pub(super) each: BTreeSet<Slot>,
    pub(super) count: usize,
}

/// The derivatives of the first output for the leaves, for each sample: with a leading axis.
///
/// # Errors
/// As [`replay_many`](forge_graph::replay_many).
pub(super) fn backward_each(bound: Bound<'_>, samples: Samples) -> Result<Found, ForgeError> {
    bound.run(&[], BackwardEach { samples })
}

/// The outputs for each sample: with a leading axis.
///
/// # Errors
/// As [`replay_many`](forge_graph::replay_many).
pub(super) fn evaluate_each(bound: Bound<'_>, samples: Samples) -> Result<Found, ForgeError> {
    bound.run(&[], EvaluateEach { samples })
}

fn found<P: Port>(outputs: Vec<Value<P::L>>, derivatives: Vec<FloatTensor<P::L>>) -> Found {
    Found {
        outputs: outputs.into_iter().map(P::give).collect(),
        derivatives: derivatives.into_iter().map(P::give_float).collect(),
    }
}

fn taken<P: Port>(tensors: Vec<AnyTensor>) -> Result<Vec<FloatTensor<P::L>>, ForgeError> {
    tensors.into_iter().map(P::take_float).collect()
}

struct Evaluate;

impl Work for Evaluate {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let leaves = values.leaves.into_iter();
        let leaves = leaves.map(|(slot, tensor)| (slot, Value::Float(tensor)));
        let outputs = replay(values.graph, leaves.chain(values.rest), &values.device)?;
        Ok(found::<P>(outputs, vec![]))
    }
}

struct Backward {
    weights: Option<Vec<AnyTensor>>,
}

impl Work for Backward {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let weights = self.weights.map(taken::<P>).transpose()?;
        let (outputs, gradients) = pulled_back(values, weights)?;
        Ok(found::<P>(outputs, gradients))
    }
}

struct Forward {
    direction: Vec<AnyTensor>,
}

impl Work for Forward {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let (outputs, products) = pushed_forward(values, taken::<P>(self.direction)?)?;
        Ok(found::<P>(outputs, products))
    }
}

struct Hessian {
    direction: Vec<AnyTensor>,
}

impl Work for Hessian {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let (outputs, products) = curved(values, taken::<P>(self.direction)?)?;
        Ok(found::<P>(outputs, products))
    }
}

struct BackwardEach {
    samples: Samples,
}

impl Work for BackwardEach {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let (outputs, gradients) = each_pulled_back(values, &self.samples)?;
        Ok(found::<P>(outputs, gradients))
    }
}

struct EvaluateEach {
    samples: Samples,
}

impl Work for EvaluateEach {
    type Output = Found;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Found, ForgeError> {
        let outputs = each_evaluated(values, &self.samples)?;
        Ok(found::<P>(outputs, vec![]))
    }
}

pub(super) type Results<L> = (Vec<Value<L>>, Vec<FloatTensor<L>>);

/// Values one level higher, where the leaves are leaves of a graph of their own if `tracked`.
pub(super) fn lifted<L: Level>(values: Values<'_, L>, tracked: bool) -> Values<'_, Autodiff<L>> {
    let leaf = |tensor: FloatTensor<L>| {
        let tensor = Autodiff::<L>::from_inner(tensor);
        match tracked {
            true => Autodiff::<L>::float_set_require_grad(tensor, true),
            false => tensor,
        }
    };
    let leaves = values.leaves.into_iter();
    let rest = values.rest.into_iter();
    Values {
        graph: values.graph,
        leaves: leaves.map(|(slot, tensor)| (slot, leaf(tensor))).collect(),
        rest: rest.map(|(slot, value)| (slot, value.lift())).collect(),
        device: values.device,
    }
}

/// A tensor of a level that differentiates, one level lower.
pub(super) fn lowered<L: Level>(value: Value<Autodiff<L>>) -> Value<L> {
    match value {
        Value::Float(tensor) => Value::Float(Autodiff::<L>::inner(tensor)),
        Value::Int(tensor) => Value::Int(Autodiff::<L>::int_inner(tensor)),
        Value::Bool(tensor) => Value::Bool(Autodiff::<L>::bool_inner(tensor)),
    }
}

/// `Σ aᵢ · bᵢ` over all elements of all pairs.
fn dot<L: Level>(a: Vec<FloatTensor<L>>, b: Vec<FloatTensor<L>>) -> Option<FloatTensor<L>> {
    let pairs = a.into_iter().zip(b);
    let sums = pairs.map(|(a, b)| L::float_sum(L::float_mul(a, b)));
    sums.reduce(L::float_add)
}

/// The gradients of `root` for the leaves, one level lower; zeros where it does not depend on one.
fn gradients<L: Level>(
    root: Option<FloatTensor<Autodiff<L>>>,
    leaves: Vec<FloatTensor<Autodiff<L>>>,
    device: &L::Device,
) -> Vec<FloatTensor<L>> {
    let mut gradients = root.map(Autodiff::<L>::backward);
    let leaves = leaves.into_iter();
    leaves
        .map(|leaf| {
            let found = gradients
                .as_mut()
                .and_then(|gradients| Autodiff::<L>::grad_remove(&leaf, gradients));
            found.unwrap_or_else(|| {
                let (shape, dtype) = (leaf.shape(), leaf.dtype());
                L::float_zeros(shape, device, dtype.into())
            })
        })
        .collect()
}

/// The float outputs.
fn floats<L: Level>(outputs: &[Value<L>]) -> Vec<FloatTensor<L>> {
    let float = |output: &Value<L>| match output {
        Value::Float(tensor) => Some(tensor.clone()),
        _ => None,
    };
    outputs.iter().filter_map(float).collect()
}

fn pulled_back<L: Level>(
    values: Values<'_, L>,
    weights: Option<Vec<FloatTensor<L>>>,
) -> Result<Results<L>, ForgeError> {
    let values = lifted::<L>(values, true);
    let leaves: Vec<_> = values.leaves.iter().map(|(_, leaf)| leaf.clone()).collect();
    let given = values.leaves.into_iter();
    let given = given.map(|(slot, leaf)| (slot, Value::Float(leaf)));
    let outputs = replay(values.graph, given.chain(values.rest), &values.device)?;
    let mut floats = floats::<Autodiff<L>>(&outputs);
    let root = match weights {
        Some(weights) => {
            let weights = weights.into_iter().map(Autodiff::<L>::from_inner).collect();
            dot::<Autodiff<L>>(floats, weights)
        }
        None => (!floats.is_empty()).then(|| Autodiff::<L>::float_sum(floats.swap_remove(0))),
    };
    let outputs = outputs.into_iter().map(lowered::<L>).collect();
    Ok((outputs, gradients::<L>(root, leaves, &values.device)))
}

/// By two backward passes: `g(u) = Σₖ Jₖᵀ uₖ` is linear in `u`, and the gradient of `g(u) · v` for
/// `u` is `J v`.
fn pushed_forward<L: Level>(
    values: Values<'_, L>,
    direction: Vec<FloatTensor<L>>,
) -> Result<Results<L>, ForgeError> {
    let device = values.device.clone();
    let values = lifted::<L>(values, false);
    let zeros = zeros::<L>(values.graph, &device);
    let (outputs, gradient) = pulled_back::<Autodiff<L>>(values, Some(zeros.clone()))?;
    let direction = direction
        .into_iter()
        .map(Autodiff::<L>::from_inner)
        .collect();
    let products = gradients::<L>(dot::<Autodiff<L>>(gradient, direction), zeros, &device);
    Ok((outputs.into_iter().map(lowered::<L>).collect(), products))
}

/// Tracked zeros of the shapes of the float outputs.
fn zeros<L: Level>(graph: &Graph, device: &L::Device) -> Vec<FloatTensor<Autodiff<L>>> {
    let results = graph.results();
    let floats = results.into_iter().filter(|(_, dtype)| dtype.is_float());
    floats
        .map(|(shape, dtype)| {
            let zeros = L::float_zeros(shape.into(), device, dtype.into());
            Autodiff::<L>::float_set_require_grad(Autodiff::<L>::from_inner(zeros), true)
        })
        .collect()
}

fn curved<L: Level>(
    values: Values<'_, L>,
    direction: Vec<FloatTensor<L>>,
) -> Result<Results<L>, ForgeError> {
    let device = values.device.clone();
    let values = lifted::<L>(values, true);
    let leaves: Vec<_> = values.leaves.iter().map(|(_, leaf)| leaf.clone()).collect();
    let (outputs, gradient) = pulled_back::<Autodiff<L>>(values, None)?;
    let direction = direction
        .into_iter()
        .map(Autodiff::<L>::from_inner)
        .collect();
    let products = gradients::<L>(dot::<Autodiff<L>>(gradient, direction), leaves, &device);
    Ok((outputs.into_iter().map(lowered::<L>).collect(), products))
}
