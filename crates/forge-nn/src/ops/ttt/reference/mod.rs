//! Test-time training made of Burn's operations, one mini-batch after the other.

mod inputs;
mod mini_batch;
mod norm;

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use crate::ops::expression::Expr;
use inputs::{Inputs, Layer};
use mini_batch::{answers, batch_backward, learned, lessons};
use norm::Norm;

pub(super) fn forward<B: Backend>(
    inputs: [FloatTensor<B>; 6],
    hidden: Option<usize>,
) -> FloatTensor<B> {
    let inputs = inputs.map(Expr::<B>);
    if inputs[0].is_empty() {
        return inputs[0].zeros_like(inputs[0].shape()).0;
    }
    let Inputs {
        batches,
        norm,
        mut layers,
    } = Inputs::new(inputs, hidden);
    let mut outputs = vec![];
    let count = batches.len();
    for (i, batch) in batches.into_iter().enumerate() {
        let lessons = lessons(&layers, &norm, &batch);
        if let Some(last) = answers(&layers, &lessons, &batch).pop() {
            outputs.push(norm.forward(last.output) + batch.q.clone());
        }
        // Nobody asks after the last ones.
        if i + 1 < count {
            layers = learned(&layers, &lessons, &batch);
        }
    }
    Expr::cat(outputs, 2).0
}

pub(super) fn backward<B: Backend>(
    inputs: [FloatTensor<B>; 6],
    dy: FloatTensor<B>,
    hidden: Option<usize>,
) -> [FloatTensor<B>; 6] {
    let (inputs, dy) = (inputs.map(Expr::<B>), Expr::<B>(dy));
    if inputs[0].is_empty() {
        return inputs.map(|x| x.zeros_like(x.shape()).0);
    }
    let [rows, heads, time, width] = inputs[0].shape().dims();
    let (like, scales) = (inputs[0].clone(), inputs[4].shape()[0]);
    let Inputs {
        batches,
        norm,
        mut layers,
    } = Inputs::new(inputs, hidden);
    let mut dlayers: Vec<Layer<B>> = layers
        .iter()
        .map(|layer| Layer {
            weight: like.zeros_like(layer.weight.shape()),
            bias: like.zeros_like(layer.bias.shape()),
        })
        .collect();
    let mut seen = vec![];
    for batch in batches {
        let lessons = lessons(&layers, &norm, &batch);
        let after = learned(&layers, &lessons, &batch);
        seen.push((batch, lessons, std::mem::replace(&mut layers, after)));
    }
    let nothing = || like.zeros_like([rows, heads, 1, width]);
    let mut dnorm = Norm {
        weight: nothing(),
        bias: nothing(),
    };
    let mut dscales = like.zeros_like([scales]);
    let [mut dq, mut dk, mut dv, mut drates] = [(); 4].map(|()| vec![]);
    let mut end = time;
    for (batch, lessons, layers) in seen.into_iter().rev() {
        let count = batch.scales.shape()[2];
        let dy = dy.clone().narrow(2, end - count, end);
        end -= count;
        let d = batch_backward(
            &layers,
            &lessons,
            &norm,
            &batch,
            dy,
            &mut dlayers,
            &mut dnorm,
        );
        dq.push(d.q);
        dk.push(d.k);
        dv.push(d.v);
        drates.push(d.rates);
        let sums = d.scales.reshape([rows * heads, count]).sum_dim(0);
        let sums = sums.reshape([count]);
        let sums = match scales - count {
            0 => sums,
            missing => Expr::cat(vec![sums, like.zeros_like([missing])], 0),
        };
        dscales = dscales + sums;
    }
    let all = |mut parts: Vec<Expr<B>>, dim: usize| {
        parts.reverse();
        Expr::cat(parts, dim)
    };
    // Per head, over all sequences.
    let of_head = |x: Expr<B>| {
        let numbers: usize = x.shape()[2..].iter().product();
        x.reshape([rows, heads * numbers])
            .sum_dim(0)
            .reshape([heads, numbers])
    };
    let mut parameters = vec![of_head(dnorm.weight), of_head(dnorm.bias)];
    for layer in dlayers {
        parameters.extend([of_head(layer.weight), of_head(layer.bias)]);
    }
    [
        all(dq, 2).0,
        all(dk, 2).0,
        all(dv, 2).0,
        all(drates, 3).reshape([rows, heads, time]).0,
        dscales.0,
        Expr::cat(parameters, 1).0,
    ]
}
