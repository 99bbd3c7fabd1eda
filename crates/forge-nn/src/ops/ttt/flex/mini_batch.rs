//! What is learned from a mini-batch and how it is answered, forth and back, for one head.

use super::norm::{Norm, NormGradients};
use crate::ops::activation::Activation::{GeluTanh, GeluTanhSlope};
use crate::ops::activation::flex::{activate, slopes};
use crate::ops::flex::Real;
use crate::ops::flex::in_place::{add, add_rows, scale_rows, times};
use crate::ops::flex::product::Side::{Plain, Transposed};
use crate::ops::flex::product::Update::{Add, Set, Subtract};
use crate::ops::flex::product::multiply;
use crate::ops::flex::row::reduce;
use crate::ops::ttt::inner::Layer;

/// The tokens of a mini-batch: `K D` numbers each, then `K`.
#[derive(Clone, Copy)]
pub(super) struct Tokens<'a, E> {
    pub(super) q: &'a [E],
    pub(super) k: &'a [E],
    pub(super) v: &'a [E],
    pub(super) rates: &'a [E],
    pub(super) scales: &'a [E],
}

impl<E: Real> Tokens<'_, E> {
    fn count(self) -> usize {
        self.rates.len()
    }

    /// How much token i learns from token j, `[K, K]`.
    fn shares(self) -> Vec<E> {
        let count = self.count();
        let mut shares = vec![E::ZERO; count * count];
        for (i, (row, &scale)) in shares.chunks_exact_mut(count).zip(self.scales).enumerate() {
            for (share, &rate) in row[..=i].iter_mut().zip(self.rates) {
                *share = scale * rate;
            }
        }
        shares
    }

    /// How much those after the mini-batch have learned from each token.
    fn handed_on(self) -> Vec<E> {
        let last = self.scales[self.count() - 1];
        self.rates.iter().map(|&rate| rate * last).collect()
    }
}

/// What a layer of the inner model saw at the tokens that teach, what it said, and the gradient of that: the
/// gradient behind the activation, `taught`, times its slope. The last layer has no activation.
pub(super) struct Lesson<E> {
    input: Vec<E>,
    output: Vec<E>,
    gradient: Vec<E>,
    taught: Vec<E>,
    slope: Vec<E>,
}

/// Rows of inputs of a layer and of gradients of its outputs, whose products its weights take up together: one
/// product of many rows goes through the weights once.
struct Rows<E> {
    inputs: Vec<E>,
    gradients: Vec<E>,
}

impl<E: Real> Rows<E> {
    #[inline(always)]
    fn of(x: &[E], dy: &[E]) -> Self {
        Self {
            inputs: x.to_vec(),
            gradients: dy.to_vec(),
        }
    }

    #[inline(always)]
    fn push(&mut self, x: &[E], dy: &[E]) {
        self.inputs.extend_from_slice(x);
        self.gradients.extend_from_slice(dy);
    }
}

#[inline(always)]
fn product_of<E: Real>(x: &[E], y: &[E]) -> Vec<E> {
    let mut out = x.to_vec();
    times(&mut out, y);
    out
}

impl Layer {
    /// `x W + b` with the numbers of all layers.
    #[inline(always)]
    fn forward<E: Real>(&self, state: &[E], x: &[E]) -> Vec<E> {
        let count = x.len() / self.input;
        let mut out = state[self.bias.clone()].repeat(count);
        let weight = (&state[self.weight.clone()], Plain);
        let sizes = [count, self.input, self.output];
        multiply(sizes, &mut out, (x, Plain), weight, Add);
        out
    }

    /// `dy Wᵀ`.
    #[inline(always)]
    fn backward<E: Real>(&self, state: &[E], dy: &[E]) -> Vec<E> {
        let count = dy.len() / self.output;
        let mut out = vec![E::ZERO; count * self.input];
        let weight = (&state[self.weight.clone()], Transposed);
        let sizes = [count, self.output, self.input];
        multiply(sizes, &mut out, (dy, Plain), weight, Set);
        out
    }

    /// Takes the gradient `dy` of `x W + b` up.
    #[inline(always)]
    fn add<E: Real>(&self, sums: &mut [E], x: &[E], dy: &[E]) {
        self.add_to_weight(sums, x, dy);
        self.add_to_bias(sums, dy);
    }

    #[inline(always)]
    fn add_to_weight<E: Real>(&self, sums: &mut [E], x: &[E], dy: &[E]) {
        let sizes = [self.input, x.len() / self.input, self.output];
        let weight = &mut sums[self.weight.clone()];
        multiply(sizes, weight, (x, Transposed), (dy, Plain), Add);
    }

    #[inline(always)]
    fn add_to_bias<E: Real>(&self, sums: &mut [E], dy: &[E]) {
        add_rows(&mut sums[self.bias.clone()], dy);
    }
}

#[inline(always)]
fn activated<E: Real>(mut x: Vec<E>) -> Vec<E> {
    activate(&mut x, GeluTanh);
    x
}

#[inline(always)]
pub(super) fn lessons<E: Real>(
    layers: &[Layer],
    state: &[E],
    norm: Norm<'_, E>,
    tokens: Tokens<'_, E>,
) -> Vec<Lesson<E>> {
    let mut lessons: Vec<Lesson<E>> = vec![];
    for layer in layers {
        let input = match lessons.last() {
            Some(below) => activated(below.output.clone()),
            None => tokens.k.to_vec(),
        };
        let output = layer.forward(state, &input);
        lessons.push(Lesson {
            input,
            gradient: vec![E::ZERO; output.len()],
            output,
            taught: vec![],
            slope: vec![],
        });
    }
    let last = layers.len() - 1;
    let Lesson {
        output, gradient, ..
    } = &mut lessons[last];
    norm.lesson(output, tokens.k, tokens.v, gradient);
    for l in (0..last).rev() {
        let mut slope = lessons[l].output.clone();
        activate(&mut slope, GeluTanhSlope);
        let taught = layers[l + 1].backward(state, &lessons[l + 1].gradient);
        lessons[l].gradient = product_of(&taught, &slope);
        (lessons[l].taught, lessons[l].slope) = (taught, slope);
    }
    lessons
}

/// What a layer is asked, how near to what it has learned that is (plus 1, for the bias), and what it says.
struct Answer<E> {
    input: Vec<E>,
    near: Vec<E>,
    output: Vec<E>,
}

#[inline(always)]
fn answers<E: Real>(
    layers: &[Layer],
    state: &[E],
    lessons: &[Lesson<E>],
    tokens: Tokens<'_, E>,
    shares: &[E],
) -> Vec<Answer<E>> {
    let count = tokens.count();
    let mut answers: Vec<Answer<E>> = vec![];
    for (layer, lesson) in layers.iter().zip(lessons) {
        let input = match answers.last() {
            Some(below) => activated(below.output.clone()),
            None => tokens.q.to_vec(),
        };
        let mut near = vec![E::ONE; count * count];
        let sizes = [count, layer.input, count];
        let keys = (&lesson.input[..], Transposed);
        multiply(sizes, &mut near, (&input, Plain), keys, Add);
        let mut output = layer.forward(state, &input);
        let weights = product_of(&near, shares);
        let sizes = [count, count, layer.output];
        let gradient = (&lesson.gradient[..], Plain);
        multiply(sizes, &mut output, (&weights, Plain), gradient, Subtract);
        answers.push(Answer {
            input,
            near,
            output,
        });
    }
    answers
}

/// `out` are the answers.
#[inline(always)]
pub(super) fn answer<E: Real>(
    layers: &[Layer],
    state: &[E],
    norm: Norm<'_, E>,
    lessons: &[Lesson<E>],
    tokens: Tokens<'_, E>,
    out: &mut [E],
) {
    let shares = tokens.shares();
    let answers = answers(layers, state, lessons, tokens, &shares);
    norm.answer(&answers[layers.len() - 1].output, tokens.q, out);
}

/// The state after the mini-batch.
#[inline(always)]
pub(super) fn learn<E: Real>(
    layers: &[Layer],
    state: &mut [E],
    lessons: &[Lesson<E>],
    tokens: Tokens<'_, E>,
) {
    let steps: Vec<E> = tokens.handed_on().into_iter().map(|step| -step).collect();
    for (layer, lesson) in layers.iter().zip(lessons) {
        let mut gradient = lesson.gradient.clone();
        scale_rows(&mut gradient, &steps);
        layer.add(state, &lesson.input, &gradient);
    }
}

/// Where the gradients of a mini-batch go.
pub(super) struct TokenGradients<'a, E> {
    pub(super) q: &'a mut [E],
    pub(super) k: &'a mut [E],
    pub(super) v: &'a mut [E],
    pub(super) rates: &'a mut [E],
    /// Added up over the mini-batches.
    pub(super) scales: &'a mut [E],
}

/// One mini-batch back: `dstate` is the gradient of the state after it, and becomes that of the state before
/// it.
#[inline(always)]
#[allow(clippy::too_many_arguments)]
pub(super) fn backward<E: Real>(
    layers: &[Layer],
    state: &[E],
    norm: Norm<'_, E>,
    lessons: &[Lesson<E>],
    tokens: Tokens<'_, E>,
    dy: &[E],
    dstate: &mut [E],
    dnorm: &mut NormGradients<'_, E>,
    out: TokenGradients<'_, E>,
) {
    let (count, last) = (tokens.count(), layers.len() - 1);
    // What was handed on.
    let steps: Vec<E> = tokens.handed_on().into_iter().map(|step| -step).collect();
    let mut dhanded_on = vec![E::ZERO; count];
    let (mut dinputs, mut dgradients) = (vec![], vec![]);
    for (layer, lesson) in layers.iter().zip(lessons) {
        let mut ahead = layer.forward(dstate, &lesson.input);
        let rows = ahead.chunks_exact(layer.output);
        let rows = rows.zip(lesson.gradient.chunks_exact(layer.output));
        for (sum, (ahead, gradient)) in dhanded_on.iter_mut().zip(rows) {
            *sum += -reduce(ahead, gradient, |x, y| x * y);
        }
        scale_rows(&mut ahead, &steps);
        dgradients.push(ahead);
        let mut dinput = layer.backward(dstate, &lesson.gradient);
        scale_rows(&mut dinput, &steps);
        dinputs.push(dinput);
    }
    // The answers.
    let shares = tokens.shares();
    let answers = answers(layers, state, lessons, tokens, &shares);
    let mut dshares = vec![E::ZERO; count * count];
    let mut d = vec![E::ZERO; dy.len()];
    norm.backward(&answers[last].output, dy, &mut d, dnorm);
    // From the last layer to the first.
    let mut rows: Vec<Rows<E>> = vec![];
    for l in (0..=last).rev() {
        let (layer, answer, lesson) = (&layers[l], &answers[l], &lessons[l]);
        let weights = product_of(&answer.near, &shares);
        let sizes = [count, count, layer.output];
        let dgradient = &mut dgradients[l];
        multiply(
            sizes,
            dgradient,
            (&weights, Transposed),
            (&d, Plain),
            Subtract,
        );
        let mut dlearned = vec![E::ZERO; count * count];
        let gradient = (&lesson.gradient[..], Transposed);
        let sizes = [count, layer.output, count];
        multiply(sizes, &mut dlearned, (&d, Plain), gradient, Subtract);
        add(&mut dshares, &product_of(&dlearned, &answer.near));
        let dnear = product_of(&dlearned, &shares);
        let sizes = [count, count, layer.input];
        let input = (&answer.input[..], Plain);
        multiply(sizes, &mut dinputs[l], (&dnear, Transposed), input, Add);
        layer.add_to_bias(dstate, &d);
        rows.push(Rows::of(&answer.input, &d));
        let keys = (&lesson.input[..], Plain);
        if l == 0 {
            // What goes through the weights waits for the lessons.
            out.q.copy_from_slice(dy);
            multiply(sizes, out.q, (&dnear, Plain), keys, Add);
        } else {
            let mut dasked = layer.backward(state, &d);
            multiply(sizes, &mut dasked, (&dnear, Plain), keys, Add);
            d = before_activation(&answers[l - 1].output, &dasked);
        }
    }
    rows.reverse();
    // The lessons, from what is learned last to what is learned first, and back.
    let mut doutputs: Vec<Vec<E>> = vec![];
    for l in 0..last {
        let (layer, lesson, above) = (&layers[l + 1], &lessons[l], &lessons[l + 1].gradient);
        let mut doutput = vec![E::ZERO; lesson.taught.len()];
        let by_taught = product_of(&dgradients[l], &lesson.taught);
        slopes(&mut doutput, &lesson.output, &by_taught, GeluTanhSlope);
        doutputs.push(doutput);
        let dtaught = product_of(&dgradients[l], &lesson.slope);
        let sizes = [count, layer.input, layer.output];
        let weight = (&state[layer.weight.clone()], Plain);
        multiply(
            sizes,
            &mut dgradients[l + 1],
            (&dtaught, Plain),
            weight,
            Add,
        );
        rows[l + 1].push(&dtaught, above);
    }
    let lesson = &lessons[last];
    let mut doutput = vec![E::ZERO; dy.len()];
    norm.lesson_backward(
        &lesson.output,
        tokens.k,
        tokens.v,
        &lesson.gradient,
        &dgradients[last],
        &mut doutput,
        out.v,
        dnorm,
    );
    doutputs.push(doutput);
    for (dk, &dv) in out.k.iter_mut().zip(out.v.iter()) {
        *dk = -dv;
    }
    for l in (0..=last).rev() {
        let (layer, lesson) = (&layers[l], &lessons[l]);
        layer.add_to_bias(dstate, &doutputs[l]);
        rows[l].push(&lesson.input, &doutputs[l]);
        if l == 0 {
            // Through the first layer's weights, what was asked and what was taught.
            let both = layer.backward(state, &rows[0].gradients);
            let (asked, taught) = both.split_at(out.q.len());
            add(out.q, asked);
            add(out.k, taught);
            add(out.k, &dinputs[0]);
        } else {
            let mut dinput = layer.backward(state, &doutputs[l]);
            add(&mut dinput, &dinputs[l]);
            let before = before_activation(&lessons[l - 1].output, &dinput);
            add(&mut doutputs[l - 1], &before);
        }
    }
    for (layer, rows) in layers.iter().zip(&rows) {
        layer.add_to_weight(dstate, &rows.inputs, &rows.gradients);
    }
    of_shares(tokens, &dshares, &dhanded_on, out.rates, out.scales);
}

/// The gradient before a GELU.
#[inline(always)]
fn before_activation<E: Real>(z: &[E], dy: &[E]) -> Vec<E> {
    let mut out = vec![E::ZERO; z.len()];
    slopes(&mut out, z, dy, GeluTanh);
    out
}

/// From those of who learns how much from whom to those of rates (set) and scales (added).
#[inline(always)]
fn of_shares<E: Real>(
    tokens: Tokens<'_, E>,
    dshares: &[E],
    dhanded_on: &[E],
    drates: &mut [E],
    dscales: &mut [E],
) {
    let count = tokens.count();
    let last = tokens.scales[count - 1];
    for (drate, &d) in drates.iter_mut().zip(dhanded_on) {
        *drate = d * last;
    }
    dscales[count - 1] += reduce(dhanded_on, tokens.rates, |x, y| x * y);
    for (i, row) in dshares.chunks_exact(count).enumerate() {
        let row = &row[..=i];
        dscales[i] += reduce(row, tokens.rates, |x, y| x * y);
        for (drate, &d) in drates.iter_mut().zip(row) {
            *drate += d * tokens.scales[i];
        }
    }
}
