//! What the forward pass keeps for the backward pass, which would go through the weights for it once more.

use super::mini_batch::{Answer, Lesson};
use crate::ops::flex::Real;
use crate::ops::ttt::inner::Layer;

/// What a layer of the inner model said in a mini-batch.
pub(super) struct Said<'a, E> {
    /// At the tokens that teach.
    pub(super) output: &'a [E],
    /// What came back to that behind its activation; nothing for the last layer.
    pub(super) taught: &'a [E],
    /// Asked.
    pub(super) answer: &'a [E],
}

/// What the layers said in a mini-batch.
pub(super) struct Kept<'a, E>(pub(super) Vec<Said<'a, E>>);

/// Numbers of the parts of each layer, per token.
fn parts(layers: &[Layer]) -> impl Iterator<Item = [usize; 3]> {
    let last = layers.len() - 1;
    let layers = layers.iter().enumerate();
    layers.map(move |(l, Layer { output, .. })| match l == last {
        true => [*output, 0, *output],
        false => [*output; 3],
    })
}

/// Numbers kept per token.
pub(super) fn per_token(layers: &[Layer]) -> usize {
    parts(layers).flatten().sum()
}

impl<'a, E: Real> Kept<'a, E> {
    /// From the numbers of a mini-batch.
    pub(super) fn read(layers: &[Layer], numbers: &'a [E]) -> Self {
        let count = numbers.len() / per_token(layers);
        let mut rest = numbers;
        let mut next = |size: usize| {
            let (part, behind) = rest.split_at(count * size);
            rest = behind;
            part
        };
        let said = parts(layers).map(|sizes| {
            let [output, taught, answer] = sizes.map(&mut next);
            Said {
                output,
                taught,
                answer,
            }
        });
        Self(said.collect())
    }
}

/// Writes the numbers of a mini-batch.
pub(super) fn keep<E: Real>(mut to: &mut [E], lessons: &[Lesson<E>], answers: &[Answer<E>]) {
    for (lesson, answer) in lessons.iter().zip(answers) {
        for part in [&lesson.output, &lesson.taught, &answer.output] {
            let (here, behind) = std::mem::take(&mut to).split_at_mut(part.len());
            here.copy_from_slice(part);
            to = behind;
        }
    }
}
