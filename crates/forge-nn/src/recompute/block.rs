//! One block of a stack, computed again in the backward pass.

use std::collections::HashSet;

use burn::backend::autodiff::Autodiff;
use burn::backend::tensor::FloatTensor;
use burn::backend::{Backend, DispatchDevice, DispatchKindConversion, DispatchTensor};
use burn::module::{Module, ModuleMapper, ModuleVisitor, Param, ParamId};
use burn::tensor::{Gradients, Tensor};

use super::graph::{BlockGradients, Shared, link, origin};
use super::scope::{next_seed, without_recomputation};
use crate::regularisation::{current_dropout_factor, with_dropout_factor};

/// `pass(block, x)`, of which only `x` is kept for the backward pass where
/// [`with_recomputation`](super::with_recomputation) says so. Elsewhere it is the call itself.
///
/// For backbones: one call per block of the stack makes the memory of a training step that of one
/// block and one tensor per block.
///
/// `pass` must be a function of the block, `x`, what it owns and the device's random numbers: no
/// gradient flows into tensors that it owns (masks have none). A block with batch normalisation is
/// computed as usual, since its running statistics would move twice; so is one on a device that
/// keeps its operations in another form (capture, another strategy of checkpointing).
///
/// ```
/// use forge_nn::burn::nn::LinearConfig;
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::{recomputed, with_recomputation};
///
/// let device = Device::flex().autodiff();
/// let block = LinearConfig::new(2, 2).init(&device);
/// let x = Tensor::<2>::from_data([[1.0, 2.0]], &device).require_grad();
/// let loss = || recomputed(&block, x.clone(), |block, x| block.forward(x).tanh()).sum();
/// let (kept, again) = (loss().backward(), with_recomputation(0, loss).backward());
/// let gradient = |of| x.grad(of).map(|g| g.into_data());
/// assert_eq!(gradient(&kept), gradient(&again));
/// ```
///
/// # Shapes
/// - x, output: any
pub fn recomputed<M, const D: usize, const E: usize>(
    block: &M,
    x: Tensor<D>,
    pass: impl Fn(&M, Tensor<D>) -> Tensor<E> + Send + 'static,
) -> Tensor<E>
where
    M: Module + 'static,
{
    let device = x.device();
    if !device.is_autodiff() || has_batch_statistics(block) {
        return pass(block, x);
    }
    let Some(seed) = next_seed() else {
        return pass(block, x);
    };
    let block = Block { block, pass, seed };
    match device.as_dispatch().clone().inner() {
        #[cfg(feature = "flex")]
        DispatchDevice::Flex(_) => block.on::<burn::backend::Flex, D, E>(x),
        #[cfg(feature = "ndarray")]
        DispatchDevice::NdArray(_) => block.on::<burn::backend::NdArray, D, E>(x),
        #[cfg(feature = "cube")]
        DispatchDevice::Cube(_) => block.on::<burn::backend::Cube, D, E>(x),
        _ => (block.pass)(block.block, x),
    }
}

struct Block<'a, M, P> {
    block: &'a M,
    pass: P,
    seed: u64,
}

impl<M: Module + 'static, P: Send + 'static> Block<'_, M, P> {
    fn on<B: Backend, const D: usize, const E: usize>(self, x: Tensor<D>) -> Tensor<E>
    where
        P: Fn(&M, Tensor<D>) -> Tensor<E>,
        DispatchTensor: DispatchKindConversion<B> + DispatchKindConversion<Autodiff<B>>,
    {
        let Self { block, pass, seed } = self;
        let Ok(input) = x.clone().try_into_primitive::<Autodiff<B>>() else {
            return pass(block, x);
        };
        // A parameter that takes gradients lies on the graph, as a leaf or as the result of
        // something (a cast to half precision).
        let mut parameters = Parameters::<B>::default();
        block.visit(&mut parameters);
        if parameters.refused {
            return pass(block, x);
        }
        let plain = block.clone().map(&mut OffGraph);
        let (device, x) = (x.device(), x.inner());
        device.seed(seed);
        let y = without_recomputation(|| pass(&plain, x.clone()));
        let y = if y.is_autodiff() { y.inner() } else { y };
        let Ok(y) = y.try_into_primitive::<B>() else {
            unreachable!("a block leads from {device:?} to another backend");
        };
        let factor = current_dropout_factor();
        let ids = parameters.ids;
        let shared = Shared::new(Box::new(move |output| {
            let block = plain.map(&mut Leaves(&ids));
            let x = Tensor::from_inner(x).require_grad();
            device.seed(seed);
            let y =
                without_recomputation(|| with_dropout_factor(factor, || pass(&block, x.clone())));
            let output = Tensor::<E>::from_inner(Tensor::from_primitive::<B>(output));
            let gradients = y.mul(output).sum().backward();
            let mut found = Found::<B> {
                ids: &ids,
                gradients: &gradients,
                parameters: Vec::new(),
            };
            block.visit(&mut found);
            let parameters = found.parameters;
            let input = x.grad(&gradients);
            BlockGradients {
                input: input.and_then(|g| g.try_into_primitive::<B>().ok()),
                parameters,
            }
        }));
        let first = origin::<B>(&input, y, &shared);
        let chain = parameters.tracked.into_iter().enumerate();
        let last = chain.fold(first, |before, (place, parameter)| {
            link::<B>(before, &parameter, place, &shared)
        });
        Tensor::from_primitive::<Autodiff<B>>(last)
    }
}

/// The parameters that take gradients, in the module's order.
struct Parameters<B: Backend> {
    tracked: Vec<FloatTensor<Autodiff<B>>>,
    ids: HashSet<ParamId>,
    /// One of them is on another graph.
    refused: bool,
}

impl<B: Backend> Default for Parameters<B> {
    fn default() -> Self {
        Self {
            tracked: Vec::new(),
            ids: HashSet::new(),
            refused: false,
        }
    }
}

impl<B: Backend> ModuleVisitor for Parameters<B>
where
    DispatchTensor: DispatchKindConversion<Autodiff<B>>,
{
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        let value = param.base();
        if value.is_tracked() {
            match value.try_into_primitive::<Autodiff<B>>() {
                Ok(tracked) => {
                    self.tracked.push(tracked);
                    self.ids.insert(param.id);
                }
                Err(_) => self.refused = true,
            }
        }
    }
}

/// Takes parameters off the graph: what is computed with them then is not recorded. Buffers stay
/// what they are, since a clone of a module shares them.
struct OffGraph;

impl ModuleMapper for OffGraph {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match param.base().is_tracked() {
            true => param.map(Tensor::inner),
            false => param,
        }
    }
}

/// Puts the parameters of these ids on a graph of their own.
struct Leaves<'a>(&'a HashSet<ParamId>);

impl ModuleMapper for Leaves<'_> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<D>>) -> Param<Tensor<D>> {
        match self.0.contains(&param.id) {
            true => param.map(|value| Tensor::from_inner(value).require_grad()),
            false => param,
        }
    }
}

/// The gradients of the parameters of these ids, in the module's order.
struct Found<'a, B: Backend> {
    ids: &'a HashSet<ParamId>,
    gradients: &'a Gradients,
    parameters: Vec<Option<FloatTensor<B>>>,
}

impl<B: Backend> ModuleVisitor for Found<'_, B>
where
    DispatchTensor: DispatchKindConversion<B>,
{
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<D>>) {
        if self.ids.contains(&param.id) {
            let gradient = param.base().grad(self.gradients);
            let gradient = gradient.and_then(|g| g.try_into_primitive::<B>().ok());
            self.parameters.push(gradient);
        }
    }
}

/// Whether a forward pass moves running statistics.
fn has_batch_statistics<M: Module>(block: &M) -> bool {
    struct Look(bool);
    impl ModuleVisitor for Look {
        fn visit_float<const D: usize>(&mut self, _: &Param<Tensor<D>>) {}

        fn enter_module(&mut self, _: &str, container: &str) {
            self.0 |= container == "Struct:BatchNorm";
        }
    }
    let mut look = Look(false);
    block.visit(&mut look);
    look.0
}
