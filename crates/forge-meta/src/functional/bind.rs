//! A recorded function with the values that it is called with.

use burn::backend::Dispatch;
use burn::backend::autodiff::Autodiff;
use burn::backend::ops::FloatTensorOps;
use burn::backend::tensor::FloatTensor;
use burn::tensor::Device;
use forge_graph::{AnyTensor, Base, Draw, Graph, Level, Slot, Value, WithBase, with_base};
use forge_nn::ForgeError;

/// The level that a call runs on: that of the tensors it was given.
pub(super) trait Port {
    /// The level.
    type L: Level;

    fn take(tensor: AnyTensor) -> Result<Value<Self::L>, ForgeError>;

    fn give(value: Value<Self::L>) -> AnyTensor;

    fn take_float(tensor: AnyTensor) -> Result<FloatTensor<Self::L>, ForgeError> {
        match Self::take(tensor)? {
            Value::Float(tensor) => Ok(tensor),
            _ => Err(ForgeError::weights("derivatives are of floats alone")),
        }
    }

    fn give_float(tensor: FloatTensor<Self::L>) -> AnyTensor {
        Self::give(Value::Float(tensor))
    }
}

/// Tensors on no graph.
pub(super) struct Plain<B>(std::marker::PhantomData<B>);

impl<B: Base> Port for Plain<B> {
    type L = B;

    fn take(tensor: AnyTensor) -> Result<Value<B>, ForgeError> {
        B::take(tensor)
    }

    fn give(value: Value<B>) -> AnyTensor {
        B::give(value)
    }
}

/// Tensors of which some are on a graph.
pub(super) struct Tracked<B>(std::marker::PhantomData<B>);

impl<B: Base> Port for Tracked<B> {
    type L = Autodiff<B>;

    fn take(tensor: AnyTensor) -> Result<Value<Autodiff<B>>, ForgeError> {
        B::take_tracked(tensor)
    }

    fn give(value: Value<Autodiff<B>>) -> AnyTensor {
        B::give_tracked(value)
    }
}

/// A graph and values for all that it reads: what derivatives are taken of, and the rest.
pub(super) struct Bound<'a> {
    pub(super) graph: &'a Graph,
    pub(super) leaves: Vec<(Slot, AnyTensor)>,
    pub(super) rest: Vec<(Slot, AnyTensor)>,
    pub(super) device: Device,
}

/// [`Bound`] on a level.
pub(super) struct Values<'a, L: Level> {
    pub(super) graph: &'a Graph,
    pub(super) leaves: Vec<(Slot, FloatTensor<L>)>,
    pub(super) rest: Vec<(Slot, Value<L>)>,
    pub(super) device: L::Device,
}

/// A computation on a level.
pub(super) trait Work {
    /// What comes of it.
    type Output;

    fn run<P: Port>(self, values: Values<'_, P::L>) -> Result<Self::Output, ForgeError>;
}

impl<'a> Bound<'a> {
    /// Does `work` on the level of the values; `others` are more tensors that decide it.
    ///
    /// Called from functions that are not generic alone, so that what it instantiates is compiled
    /// once, in this crate.
    pub(super) fn run<W: Work>(
        self,
        others: &[AnyTensor],
        work: W,
    ) -> Result<W::Output, ForgeError> {
        let own = self
            .leaves
            .iter()
            .chain(&self.rest)
            .map(|(_, tensor)| tensor);
        let tracked = own.chain(others).any(AnyTensor::is_autodiff);
        let device = self.device.clone();
        let on = On {
            bound: self,
            work,
            tracked,
        };
        with_base(&device, on)
    }

    fn values<P: Port>(
        self,
        device: &<P::L as burn::backend::BackendTypes>::Device,
    ) -> Result<Values<'a, P::L>, ForgeError> {
        let leaves = self.leaves.into_iter();
        let rest = self.rest.into_iter();
        Ok(Values {
            graph: self.graph,
            leaves: leaves
                .map(|(slot, tensor)| Ok((slot, P::take_float(tensor)?)))
                .collect::<Result<_, ForgeError>>()?,
            rest: rest
                .map(|(slot, tensor)| Ok((slot, P::take(tensor)?)))
                .collect::<Result<_, ForgeError>>()?,
            device: device.clone(),
        })
    }
}

struct On<'a, W> {
    bound: Bound<'a>,
    work: W,
    tracked: bool,
}

impl<W: Work> WithBase for On<'_, W> {
    type Output = W::Output;

    fn run<B: Base>(self, device: &B::Device) -> Result<W::Output, ForgeError> {
        match self.tracked {
            true => {
                let values = self.bound.values::<Tracked<B>>(device)?;
                self.work.run::<Tracked<B>>(values)
            }
            false => {
                let values = self.bound.values::<Plain<B>>(device)?;
                self.work.run::<Plain<B>>(values)
            }
        }
    }
}

/// Random values for a graph, of `samples` samples each if that is given.
pub(super) fn draw(
    draws: &[Draw],
    samples: Option<usize>,
    device: &Device,
) -> Vec<(Slot, AnyTensor)> {
    let device = device.as_dispatch().clone().inner();
    let one = |draw: &Draw| {
        let shape: Vec<usize> = samples.into_iter().chain(draw.shape.clone()).collect();
        let (shape, dtype) = (shape.into(), draw.dtype.into());
        let values = Dispatch::float_random(shape, draw.distribution, &device, dtype);
        (draw.slot, AnyTensor::Float(values))
    };
    draws.iter().map(one).collect()
}
