//! The differentiation rule of parts. A step of Burn's graph has one output, so each part is one, and what
//! they are parts of another behind them: it runs when all of them have, and puts their gradients
//! together.

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::{PartGradients, PartsOps};
use crate::ops::expression::Expr;

#[derive(Debug)]
struct WholeBackward;

impl<B: Backend> Backward<B, 1> for WholeBackward {
    type State = PartGradients;

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let ([Some(x)], parts) = (ops.parents, ops.state) else {
            return;
        };
        let gradients = parts.take::<FloatTensor<B>>();
        let Some(any) = gradients.iter().flatten().next() else {
            return;
        };
        let any = Expr::<B>(any.clone());
        let or_zeros = |(index, gradient): (usize, Option<FloatTensor<B>>)| match gradient {
            Some(gradient) => Expr(gradient),
            None => {
                let mut shape = any.shape();
                shape[parts.axis()] = parts.size(index);
                any.zeros_like(shape)
            }
        };
        let all = gradients.into_iter().enumerate().map(or_zeros).collect();
        grads.register::<B>(x.id, Expr::<B>::cat(all, parts.axis()).0);
    }
}

#[derive(Debug)]
struct PartBackward;

impl<B: Backend> Backward<B, 1> for PartBackward {
    type State = (PartGradients, usize);

    fn backward(self, ops: Ops<Self::State, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let (parts, index) = ops.state;
        parts.put(index, grads.consume::<B>(&ops.node));
    }
}

impl<B: Backend + PartsOps, C: CheckpointStrategy> PartsOps for Autodiff<B, C> {
    fn whole(x: FloatTensor<Self>, gradients: PartGradients) -> FloatTensor<Self> {
        let inner = gradients.inner();
        match WholeBackward
            .prepare::<C>([x.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => prep.finish(gradients, B::whole(x.into_primitive(), inner)),
            OpsKind::UnTracked(prep) => prep.finish(B::whole(x.into_primitive(), inner)),
        }
    }

    fn part(whole: FloatTensor<Self>, gradients: PartGradients, index: usize) -> FloatTensor<Self> {
        let inner = gradients.inner();
        match PartBackward
            .prepare::<C>([whole.node()])
            .compute_bound()
            .stateful()
        {
            OpsKind::Tracked(prep) => {
                let part = B::part(whole.into_primitive(), inner, index);
                prep.finish((gradients, index), part)
            }
            OpsKind::UnTracked(prep) => prep.finish(B::part(whole.into_primitive(), inner, index)),
        }
    }
}
