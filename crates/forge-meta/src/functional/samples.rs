//! Outputs and derivatives of many samples at once, at any level.

use std::collections::{BTreeMap, BTreeSet};

use burn::backend::autodiff::Autodiff;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::backend::{AutodiffBackend, Shape, TensorMetadata};
use forge_graph::{Level, Slot, Tap, Value, replay_many, tapped};
use forge_nn::ForgeError;

use super::bind::Values;
use super::derivative::{Results, Samples, lifted, lowered};

/// The outputs for each sample, with a leading axis.
pub(super) fn each_evaluated<L: Level>(
    values: Values<'_, L>,
    samples: &Samples,
) -> Result<Vec<Value<L>>, ForgeError> {
    let leaves = values.leaves.into_iter();
    let leaves = leaves.map(|(slot, tensor)| (slot, Value::Float(tensor)));
    let all = leaves.chain(values.rest);
    let all = all.map(|(slot, value)| (slot, value, samples.each.contains(&slot)));
    let none = BTreeSet::new();
    Ok(replay_many(values.graph, all, samples.count, &none, &values.device)?.outputs)
}

/// The gradients of the first output for the leaves, for each sample, with a leading axis.
///
/// The samples' losses do not depend on each other, so one backward pass of their sum gives all, once
/// each sample has leaves of its own: a view of the parameter, which costs nothing but in products with
/// it. Those of linear layers are avoided: the gradient of their weights for a sample is `xᵀ δ`.
pub(super) fn each_pulled_back<L: Level>(
    mut values: Values<'_, L>,
    samples: &Samples,
) -> Result<Results<L>, ForgeError> {
    let count = samples.count;
    let taps = tapped(values.graph);
    for (slot, leaf) in &mut values.leaves {
        if !taps.contains(slot) {
            let own = leaf.shape().to_vec();
            let row = Shape::from([vec![1], own.clone()].concat());
            let all = Shape::from([vec![count], own].concat());
            *leaf = L::float_expand(L::float_reshape(leaf.clone(), row), all);
        }
    }
    let shapes: Vec<(Slot, FloatTensor<L>)> = values.leaves.clone();
    let device = values.device.clone();
    let mut values = lifted::<L>(values, false);
    for (slot, leaf) in &mut values.leaves {
        if !taps.contains(slot) {
            *leaf = Autodiff::<L>::float_set_require_grad(leaf.clone(), true);
        }
    }
    let leaves: BTreeMap<Slot, _> = values.leaves.iter().cloned().collect();
    let given = values.leaves.into_iter().map(|(slot, leaf)| {
        let each = !taps.contains(&slot);
        (slot, Value::Float(leaf), each)
    });
    let rest = values.rest.into_iter();
    let rest = rest.map(|(slot, value)| (slot, value, samples.each.contains(&slot)));
    let many = replay_many(
        values.graph,
        given.chain(rest),
        count,
        &taps,
        &values.device,
    )?;
    let mut gradients = match many.outputs.first() {
        Some(Value::Float(loss)) => Some(Autodiff::<L>::backward(Autodiff::<L>::float_sum(
            loss.clone(),
        ))),
        _ => None,
    };
    let mut found = |tensor: &FloatTensor<Autodiff<L>>| {
        let gradients = gradients.as_mut()?;
        Autodiff::<L>::grad_remove(tensor, gradients)
    };
    let mut of_taps: BTreeMap<Slot, FloatTensor<L>> = BTreeMap::new();
    for tap in &many.taps {
        let Some(delta) = found(&tap.probe) else {
            continue;
        };
        for (slot, gradient) in of_tap::<L>(tap, delta) {
            let sum = match of_taps.remove(&slot) {
                Some(before) => L::float_add(before, gradient),
                None => gradient,
            };
            of_taps.insert(slot, sum);
        }
    }
    let derivatives = shapes.into_iter().map(|(slot, like)| {
        let own = match taps.contains(&slot) {
            true => of_taps.remove(&slot),
            false => leaves.get(&slot).and_then(&mut found),
        };
        own.unwrap_or_else(|| {
            let own = like.shape().to_vec();
            let shape = match taps.contains(&slot) {
                true => [vec![count], own].concat(),
                false => own,
            };
            L::float_zeros(Shape::from(shape), &device, like.dtype().into())
        })
    });
    let derivatives = derivatives.collect();
    let outputs = many.outputs.into_iter().map(lowered::<L>).collect();
    Ok((outputs, derivatives))
}

/// `xᵀ δ` of each sample for the weight, and `Σ δ` for the bias.
fn of_tap<L: Level>(tap: &Tap<Autodiff<L>>, delta: FloatTensor<L>) -> Vec<(Slot, FloatTensor<L>)> {
    let rows = |tensor: FloatTensor<L>| {
        let shape = tensor.shape().to_vec();
        let (count, width) = (shape[0], shape[shape.len() - 1]);
        let between = shape[1..shape.len() - 1].iter().product();
        L::float_reshape(tensor, Shape::from(vec![count, between, width]))
    };
    let (x, delta) = (rows(Autodiff::<L>::inner(tap.x.clone())), rows(delta));
    let shape = delta.shape().to_vec();
    let mut all = Vec::new();
    if let Some(bias) = tap.bias {
        let sum = L::float_sum_dim(delta.clone(), 1);
        let sum = L::float_reshape(sum, Shape::from(vec![shape[0], shape[2]]));
        all.push((bias, sum));
    }
    let gradient = match shape[1] {
        // An outer product.
        1 => {
            let d_in = x.shape()[2];
            let column = L::float_reshape(x, Shape::from(vec![shape[0], d_in, 1]));
            L::float_mul(column, delta)
        }
        _ => L::float_matmul(L::float_swap_dims(x, 1, 2), delta),
    };
    all.push((tap.weight, gradient));
    all
}
