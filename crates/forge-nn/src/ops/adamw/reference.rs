//! The AdamW step made of Burn's operations.

use burn::backend::Backend;
use burn::backend::tensor::FloatTensor;

use super::AdamWStep;
use crate::ops::expression::Expr;

pub(super) fn step<B: Backend>(
    parameter: FloatTensor<B>,
    gradient: FloatTensor<B>,
    moment_1: FloatTensor<B>,
    moment_2: FloatTensor<B>,
    step: &AdamWStep,
) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>) {
    let (p, g) = (Expr::<B>(parameter), Expr::<B>(gradient));
    let m = Expr::<B>(moment_1).mul_scalar(step.beta_1) + g.clone().mul_scalar(1.0 - step.beta_1);
    let v =
        Expr::<B>(moment_2).mul_scalar(step.beta_2) + (g.clone() * g).mul_scalar(1.0 - step.beta_2);
    let root = v
        .clone()
        .sqrt()
        .mul_scalar(1.0 / step.correction_2().sqrt())
        .add_scalar(step.epsilon);
    let update = (m.clone() / root).mul_scalar(step.learning_rate / step.correction_1());
    let p = p.mul_scalar(1.0 - step.learning_rate * step.weight_decay) - update;
    (p.0, m.0, v.0)
}
