//! The nodes that a block leaves on the graph.
//!
//! A block has as many inputs as it has parameters, and Burn's nodes have a fixed number. So it is a
//! chain: the origin, whose parent is the block's input, and one link per parameter, whose parents
//! are the link before it and the parameter. All of them stand for the same value. The backward pass
//! comes to the last link first; whoever comes first computes the block again, and each takes its
//! gradient from there.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use burn::backend::Backend;
use burn::backend::autodiff::Autodiff;
use burn::backend::autodiff::checkpoint::base::Checkpointer;
use burn::backend::autodiff::checkpoint::strategy::NoCheckpointing;
use burn::backend::autodiff::grads::Gradients;
use burn::backend::autodiff::ops::{Backward, Ops, OpsKind};
use burn::backend::tensor::FloatTensor;

/// The gradients of a block: of its input, and of its parameters in their order.
pub(super) struct BlockGradients<B: Backend> {
    pub(super) input: Option<FloatTensor<B>>,
    pub(super) parameters: Vec<Option<FloatTensor<B>>>,
}

/// Computes the block again and its gradients from that of its output.
pub(super) type Recompute<B> = Box<dyn FnOnce(FloatTensor<B>) -> BlockGradients<B> + Send>;

enum Stage<B: Backend> {
    Waiting(Recompute<B>),
    Done(BlockGradients<B>),
    /// Only while the block is computed.
    Running,
}

/// What the nodes of one block share.
pub(super) struct Shared<B: Backend>(Arc<Mutex<Stage<B>>>);

impl<B: Backend> Clone for Shared<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> fmt::Debug for Shared<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Shared")
    }
}

impl<B: Backend> Shared<B> {
    pub(super) fn new(recompute: Recompute<B>) -> Self {
        Self(Arc::new(Mutex::new(Stage::Waiting(recompute))))
    }

    /// Takes one gradient out, computing the block first where nobody has.
    fn take(
        &self,
        output: &FloatTensor<B>,
        which: impl FnOnce(&mut BlockGradients<B>) -> Option<FloatTensor<B>>,
    ) -> Option<FloatTensor<B>> {
        let mut stage = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut gradients = match std::mem::replace(&mut *stage, Stage::Running) {
            Stage::Waiting(recompute) => recompute(output.clone()),
            Stage::Done(gradients) => gradients,
            Stage::Running => return None,
        };
        let taken = which(&mut gradients);
        *stage = Stage::Done(gradients);
        taken
    }
}

#[derive(Debug)]
struct Origin;

impl<B: Backend> Backward<B, 1> for Origin {
    type State = Shared<B>;

    fn backward(self, ops: Ops<Shared<B>, 1>, grads: &mut Gradients, _: &mut Checkpointer) {
        let output = grads.consume::<B>(&ops.node);
        let [input] = ops.parents;
        if let Some(node) = input
            && let Some(gradient) = ops.state.take(&output, |all| all.input.take())
        {
            grads.register::<B>(node.id, gradient);
        }
    }
}

#[derive(Debug)]
struct Link;

impl<B: Backend> Backward<B, 2> for Link {
    type State = (Shared<B>, usize);

    fn backward(self, ops: Ops<Self::State, 2>, grads: &mut Gradients, _: &mut Checkpointer) {
        let output = grads.consume::<B>(&ops.node);
        let [before, parameter] = ops.parents;
        let (shared, place) = ops.state;
        if let Some(node) = parameter {
            let gradient = shared.take(&output, |all| all.parameters.get_mut(place)?.take());
            if let Some(gradient) = gradient {
                grads.register::<B>(node.id, gradient);
            }
        }
        if let Some(node) = before {
            grads.register::<B>(node.id, output);
        }
    }
}

type Tracked<B> = FloatTensor<Autodiff<B>>;

/// The output of a block as a node that depends on its input.
pub(super) fn origin<B: Backend>(
    input: &Tracked<B>,
    output: FloatTensor<B>,
    shared: &Shared<B>,
) -> Tracked<B> {
    let prepared = <Origin as Backward<B, 1>>::prepare::<NoCheckpointing>(Origin, [input.node()]);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(node) => node.finish(shared.clone(), output),
        OpsKind::UnTracked(node) => node.finish(output),
    }
}

/// The same value as a node that depends on one parameter more.
pub(super) fn link<B: Backend>(
    before: Tracked<B>,
    parameter: &Tracked<B>,
    place: usize,
    shared: &Shared<B>,
) -> Tracked<B> {
    let nodes = [before.node(), parameter.node()];
    let prepared = <Link as Backward<B, 2>>::prepare::<NoCheckpointing>(Link, nodes);
    match prepared.compute_bound().stateful() {
        OpsKind::Tracked(node) => node.finish((shared.clone(), place), before.into_primitive()),
        OpsKind::UnTracked(node) => node.finish(before.into_primitive()),
    }
}
