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

/// What a layer of the inner model saw at the tokens that teach, what it said, and the gradient of that.
pub(super) struct Lesson<E> {
    input: Vec<E>,
    output: Vec<E>,
    gradient: Vec<E>,
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
        let sizes = [self.input, x.len() / self.input, self.output];
        let weight = &mut sums[self.weight.clone()];
        multiply(sizes, weight, (x, Transposed), (dy, Plain), Add);
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
        let mut gradient = layers[l + 1].backward(state, &lessons[l + 1].gradient);
        gradient
            .iter_mut()
            .zip(slope)
            .for_each(|(d, slope)| *d *= slope);
        lessons[l].gradient = gradient;
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
        let mut dasked = layer.backward(state, &d);
        let input = (&lesson.input[..], Plain);
        multiply(sizes, &mut dasked, (&dnear, Plain), input, Add);
        layer.add(dstate, &answer.input, &d);
        d = match l {
            0 => dasked,
            _ => before_activation(&answers[l - 1].output, &dasked),
        };
    }
    out.q.copy_from_slice(dy);
    add(out.q, &d);
    // The lessons, from what is learned last to what is learned first, and back.
    let mut doutputs: Vec<Vec<E>> = vec![];
    for l in 0..last {
        let (layer, lesson, above) = (&layers[l + 1], &lessons[l], &lessons[l + 1].gradient);
        let taught = layer.backward(state, above);
        let mut doutput = vec![E::ZERO; taught.len()];
        let by_taught = product_of(&dgradients[l], &taught);
        slopes(&mut doutput, &lesson.output, &by_taught, GeluTanhSlope);
        doutputs.push(doutput);
        let mut slope = lesson.output.clone();
        activate(&mut slope, GeluTanhSlope);
        let dtaught = product_of(&dgradients[l], &slope);
        let sizes = [count, layer.input, layer.output];
        let weight = (&state[layer.weight.clone()], Plain);
        multiply(
            sizes,
            &mut dgradients[l + 1],
            (&dtaught, Plain),
            weight,
            Add,
        );
        let sizes = [layer.input, count, layer.output];
        let dweight = &mut dstate[layer.weight.clone()];
        multiply(sizes, dweight, (&dtaught, Transposed), (above, Plain), Add);
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
        layer.add(dstate, &lesson.input, &doutputs[l]);
        let mut dinput = layer.backward(state, &doutputs[l]);
        add(&mut dinput, &dinputs[l]);
        match l {
            0 => add(out.k, &dinput),
            _ => {
                let before = before_activation(&lessons[l - 1].output, &dinput);
                add(&mut doutputs[l - 1], &before);
            }
        }
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
