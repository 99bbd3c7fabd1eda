//! What is learned from a mini-batch and how it is answered, forth and back.

use burn::backend::Backend;

use super::inputs::{Batch, Layer};
use super::norm::Norm;
use crate::ops::activation::Activation::{GeluTanh, GeluTanhSlope};
use crate::ops::activation::reference::{activated, before_activation};
use crate::ops::expression::Expr;

/// What a layer of the inner model saw at the tokens that teach, what it said, and the gradient of that.
pub(super) struct Lesson<B: Backend> {
    pub(super) input: Expr<B>,
    pub(super) output: Expr<B>,
    pub(super) gradient: Expr<B>,
}

pub(super) fn lessons<B: Backend>(
    layers: &[Layer<B>],
    norm: &Norm<B>,
    batch: &Batch<B>,
) -> Vec<Lesson<B>> {
    let mut x = batch.k.clone();
    let mut seen = vec![];
    for layer in layers {
        let z = layer.forward(x.clone());
        seen.push((x, z.clone()));
        x = activated(z, GeluTanh);
    }
    let mut lessons: Vec<Lesson<B>> = vec![];
    for (l, (input, output)) in seen.into_iter().enumerate().rev() {
        let gradient = match lessons.last() {
            Some(above) => {
                layers[l + 1].backward(above.gradient.clone())
                    * activated(output.clone(), GeluTanhSlope)
            }
            None => norm.lesson(output.clone(), batch.v.clone() - batch.k.clone()),
        };
        lessons.push(Lesson {
            input,
            output,
            gradient,
        });
    }
    lessons.reverse();
    lessons
}

/// What a layer is asked, how near to what it has learned that is (plus 1, for the bias), and what it says.
pub(super) struct Answer<B: Backend> {
    pub(super) input: Expr<B>,
    pub(super) near: Expr<B>,
    pub(super) output: Expr<B>,
}

pub(super) fn answers<B: Backend>(
    layers: &[Layer<B>],
    lessons: &[Lesson<B>],
    batch: &Batch<B>,
) -> Vec<Answer<B>> {
    let shares = batch.shares();
    let mut x = batch.q.clone();
    let mut answers = vec![];
    for (layer, lesson) in layers.iter().zip(lessons) {
        let near = x.clone().matmul(lesson.input.clone().transpose());
        let near = near.add_scalar(1.0);
        let learned = (near.clone() * shares.clone()).matmul(lesson.gradient.clone());
        let output = layer.forward(x.clone()) - learned;
        answers.push(Answer {
            input: x,
            near,
            output: output.clone(),
        });
        x = activated(output, GeluTanh);
    }
    answers
}

/// The layers after the mini-batch.
pub(super) fn learned<B: Backend>(
    layers: &[Layer<B>],
    lessons: &[Lesson<B>],
    batch: &Batch<B>,
) -> Vec<Layer<B>> {
    let handed_on = batch.handed_on();
    let both = layers.iter().zip(lessons);
    both.map(|(layer, lesson)| {
        let mut layer = layer.clone();
        let gradient = -(lesson.gradient.clone() * handed_on.clone());
        layer.add(lesson.input.clone(), gradient);
        layer
    })
    .collect()
}

/// The gradients of a mini-batch's inputs.
pub(super) struct BatchGradients<B: Backend> {
    pub(super) q: Expr<B>,
    pub(super) k: Expr<B>,
    pub(super) v: Expr<B>,
    /// `[B, H, 1, K]`.
    pub(super) rates: Expr<B>,
    /// `[B, H, K, 1]`.
    pub(super) scales: Expr<B>,
}

/// One mini-batch back: `dlayers` are the gradients of the layers after it, and become those before it.
pub(super) fn batch_backward<B: Backend>(
    layers: &[Layer<B>],
    lessons: &[Lesson<B>],
    norm: &Norm<B>,
    batch: &Batch<B>,
    dy: Expr<B>,
    dlayers: &mut [Layer<B>],
    dnorm: &mut Norm<B>,
) -> BatchGradients<B> {
    let last = layers.len() - 1;
    // What was handed on.
    let handed_on = batch.handed_on();
    let mut dhanded_on = batch.rates.zeros_like(handed_on.shape());
    let (mut dinputs, mut dgradients) = (vec![], vec![]);
    for (lesson, dlayer) in lessons.iter().zip(dlayers.iter()) {
        let ahead = dlayer.forward(lesson.input.clone());
        dhanded_on = dhanded_on - (lesson.gradient.clone() * ahead.clone()).sum_dim(3);
        dgradients.push(-(ahead * handed_on.clone()));
        dinputs.push(-(dlayer.backward(lesson.gradient.clone()) * handed_on.clone()));
    }
    // The answers.
    let answers = answers(layers, lessons, batch);
    let shares = batch.shares();
    let mut dshares = shares.zeros_like(shares.shape());
    let mut d = norm.backward(answers[last].output.clone(), dy.clone(), dnorm);
    for l in (0..=last).rev() {
        let (answer, lesson) = (&answers[l], &lessons[l]);
        let dlearned = -d.clone().matmul(lesson.gradient.clone().transpose());
        let weighted = answer.near.clone() * shares.clone();
        dgradients[l] = dgradients[l].clone() - weighted.transpose().matmul(d.clone());
        dshares = dshares + dlearned.clone() * answer.near.clone();
        let dnear = dlearned * shares.clone();
        dinputs[l] = dinputs[l].clone() + dnear.clone().transpose().matmul(answer.input.clone());
        dlayers[l].add(answer.input.clone(), d.clone());
        d = layers[l].backward(d) + dnear.matmul(lesson.input.clone());
        if l > 0 {
            d = before_activation(answers[l - 1].output.clone(), d, GeluTanh);
        }
    }
    let dq = dy + d;
    // The lessons, from what is learned last to what is learned first, and back.
    let mut doutputs = vec![];
    for l in 0..last {
        let (lesson, above) = (&lessons[l], lessons[l + 1].gradient.clone());
        let taught = layers[l + 1].backward(above.clone());
        let dgradient = dgradients[l].clone();
        let dtaught = dgradient.clone() * activated(lesson.output.clone(), GeluTanhSlope);
        doutputs.push(before_activation(
            lesson.output.clone(),
            dgradient * taught,
            GeluTanhSlope,
        ));
        dgradients[l + 1] =
            dgradients[l + 1].clone() + dtaught.clone().matmul(layers[l + 1].weight.clone());
        let dweight = dtaught.transpose().matmul(above);
        dlayers[l + 1].weight = dlayers[l + 1].weight.clone() + dweight;
    }
    let target = batch.v.clone() - batch.k.clone();
    let output = lessons[last].output.clone();
    let (doutput, dtarget) = norm.lesson_backward(output, target, dgradients[last].clone(), dnorm);
    doutputs.push(doutput);
    let mut dk = -dtarget.clone();
    for l in (0..=last).rev() {
        let doutput = doutputs[l].clone();
        dlayers[l].add(lessons[l].input.clone(), doutput.clone());
        let dinput = dinputs[l].clone() + layers[l].backward(doutput);
        if l == 0 {
            dk = dk + dinput;
        } else {
            let before = before_activation(lessons[l - 1].output.clone(), dinput, GeluTanh);
            doutputs[l - 1] = doutputs[l - 1].clone() + before;
        }
    }
    // The rates.
    let dshares = dshares * batch.known.clone();
    let dhanded_on = dhanded_on.transpose();
    let drates = (dshares.clone() * batch.scales.clone()).sum_dim(2)
        + dhanded_on.clone() * batch.last_scale();
    let dscales = (dshares * batch.rates.clone()).sum_dim(3);
    let dlast = (dhanded_on * batch.rates.clone()).sum_dim(3);
    let count = dscales.shape()[2];
    let dscales = match count {
        1 => dscales + dlast,
        _ => {
            let but_last = dscales.clone().narrow(2, 0, count - 1);
            let dlast = dscales.narrow(2, count - 1, count) + dlast;
            Expr::cat(vec![but_last, dlast], 2)
        }
    };
    BatchGradients {
        q: dq,
        k: dk,
        v: dtarget,
        rates: drates,
        scales: dscales,
    }
}
