//! The differentiation rule of operations of inputs, weights and perhaps a bias.

use std::fmt::Debug;

use burn::backend::Backend;
use burn::backend::autodiff::{
    Autodiff, NodeId,
    checkpoint::{base::Checkpointer, strategy::CheckpointStrategy},
    grads::Gradients,
    ops::{Backward, Ops, OpsKind},
};
use burn::backend::tensor::FloatTensor;

use super::optional::{OptionalFloat, node_or_constant};

/// An operation that is linear in its inputs, in its weights and in its bias: its gradients need the first
/// two.
pub(crate) trait Weighted<B: Backend>: Debug + Send + 'static {
    /// The operation itself.
    fn forward(x: FloatTensor<B>, weight: FloatTensor<B>, bias: OptionalFloat<B>)
    -> FloatTensor<B>;

    /// The gradients of x, weight and bias.
    fn backward(
        x: FloatTensor<B>,
        weight: FloatTensor<B>,
        dy: FloatTensor<B>,
    ) -> (FloatTensor<B>, FloatTensor<B>, FloatTensor<B>);
}

#[derive(Debug)]
struct WeightedBackward<O>(O);

impl<B: Backend, O: Weighted<B>> Backward<B, 3> for WeightedBackward<O> {
    type State = [NodeId; 2];

    fn backward(
        self,
        ops: Ops<Self::State, 3>,
        grads: &mut Gradients,
        checkpointer: &mut Checkpointer,
    ) {
        let dy = grads.consume::<B>(&ops.node);
        let [x, weight] = ops.state.map(|id| checkpointer.retrieve_node_output(id));
        let (dx, dweight, dbias) = O::backward(x, weight, dy);
        let [x, weight, bias] = ops.parents;
        for (node, gradient) in [(x, dx), (weight, dweight), (bias, dbias)] {
            if let Some(node) = node {
                grads.register::<B>(node.id, gradient);
            }
        }
    }
}

/// The operation on tensors that record.
pub(crate) fn weighted<B: Backend, C: CheckpointStrategy, O: Weighted<B>>(
    rule: O,
    x: FloatTensor<Autodiff<B, C>>,
    weight: FloatTensor<Autodiff<B, C>>,
    bias: OptionalFloat<Autodiff<B, C>>,
) -> FloatTensor<Autodiff<B, C>> {
    let bias = bias.into_option();
    let nodes = [x.node(), weight.node(), node_or_constant(bias.as_ref(), &x)];
    let prepared = WeightedBackward(rule).prepare::<C>(nodes).compute_bound();
    let inner = |x: FloatTensor<Autodiff<B, C>>, weight: FloatTensor<Autodiff<B, C>>| {
        let bias = bias.map(|bias| bias.into_primitive()).into();
        O::forward(x.into_primitive(), weight.into_primitive(), bias)
    };
    match prepared.stateful() {
        OpsKind::Tracked(mut prep) => {
            let saved = [prep.checkpoint(&x), prep.checkpoint(&weight)];
            prep.finish(saved, inner(x, weight))
        }
        OpsKind::UnTracked(prep) => prep.finish(inner(x, weight)),
    }
}
