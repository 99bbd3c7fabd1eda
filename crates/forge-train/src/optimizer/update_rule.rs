//! What an optimiser does to one parameter, and what it remembers of it.

use std::fmt;
use std::marker::PhantomData;

use burn::optim::{RecordState, StateSink, StateSource};
use burn::tensor::{Device, Tensor};

/// The update of one parameter. The coefficients of a rule are f64: those of Burn's optimisers are
/// f32, which costs seven digits on f64 modules.
pub trait UpdateRule: Clone + Send + Sync + 'static {
    /// What the tensors of its memory are called, in their order.
    const TENSORS: &'static [&'static str];
    /// What the numbers of its memory are called, in their order.
    const NUMBERS: &'static [&'static str] = &[];

    /// The tensors before the first step. Default: zeros.
    fn start<const D: usize>(&self, parameter: &Tensor<D>) -> Vec<Tensor<D>> {
        let zeros = Self::TENSORS.iter().map(|_| parameter.zeros_like());
        zeros.collect()
    }

    /// The parameter after step `memory.step` (from 1).
    fn update<const D: usize>(
        &self,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: &mut Memory<Self, D>,
    ) -> Tensor<D>;
}

/// What an [`UpdateRule`] remembers of one parameter.
#[derive(Clone)]
pub struct Memory<R, const D: usize> {
    /// One per name of [`UpdateRule::TENSORS`], each of the parameter's shape.
    pub tensors: Vec<Tensor<D>>,
    /// One per name of [`UpdateRule::NUMBERS`].
    pub numbers: Vec<f64>,
    /// Steps taken.
    pub step: u64,
    of: PhantomData<fn() -> R>,
}

impl<R, const D: usize> fmt::Debug for Memory<R, D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Memory")
            .field("numbers", &self.numbers)
            .field("step", &self.step)
            .finish_non_exhaustive()
    }
}

impl<R: UpdateRule, const D: usize> Memory<R, D> {
    fn new(rule: &R, parameter: &Tensor<D>) -> Self {
        Self {
            tensors: rule.start(parameter),
            numbers: R::NUMBERS.iter().map(|_| 0.0).collect(),
            step: 0,
            of: PhantomData,
        }
    }

    /// One step of `rule`: what [`burn::optim::Optimizer::step`] has to give.
    pub fn step(
        rule: &R,
        lr: f64,
        parameter: Tensor<D>,
        gradient: Tensor<D>,
        memory: Option<Self>,
    ) -> (Tensor<D>, Option<Self>) {
        let mut memory = memory.unwrap_or_else(|| Self::new(rule, &parameter));
        // Saturating: the count may come from a file.
        memory.step = memory.step.saturating_add(1);
        let parameter = rule.update(lr, parameter, gradient, &mut memory);
        (parameter, Some(memory))
    }

    /// The tensors, to be put back when they are changed: one that is held once is written in place.
    pub(super) fn take<const N: usize>(&mut self) -> [Tensor<D>; N] {
        match std::mem::take(&mut self.tensors).try_into() {
            Ok(tensors) => tensors,
            Err(_) => unreachable!("a memory with another number of tensors than its rule"),
        }
    }

    /// `1 - beta^step`.
    pub(super) fn correction(&self, beta: f64) -> f64 {
        1.0 - beta.powf(self.step as f64)
    }

    /// The same on another device.
    #[must_use]
    pub fn to_device(mut self, device: &Device) -> Self {
        let tensors = std::mem::take(&mut self.tensors).into_iter();
        self.tensors = tensors.map(|t| t.to_device(device)).collect();
        self
    }
}

impl<R: UpdateRule, const D: usize> RecordState for Memory<R, D> {
    fn state_flatten(&self, prefix: &str, out: &mut StateSink) {
        for (name, tensor) in R::TENSORS.iter().zip(&self.tensors) {
            out.push_tensor(prefix, name, tensor.to_data());
        }
        for (name, number) in R::NUMBERS.iter().zip(&self.numbers) {
            out.push_scalar(prefix, name, (*number).into());
        }
        out.push_scalar(prefix, "step", self.step.into());
    }

    fn state_unflatten(prefix: &str, src: &mut StateSource, device: &Device) -> Option<Self> {
        let mut tensor = |leaf: &&str| {
            let data = src.take_tensor(prefix, leaf)?;
            let dtype = data.dtype();
            (data.rank() == D).then(|| Tensor::from_data(data, (device, dtype)))
        };
        let tensors = R::TENSORS.iter().map(&mut tensor).collect::<Option<_>>()?;
        let number = |leaf: &&str| f64::try_from(src.take_scalar(prefix, leaf)?).ok();
        let numbers = R::NUMBERS.iter().map(number).collect::<Option<_>>()?;
        Some(Self {
            tensors,
            numbers,
            step: src.take_scalar(prefix, "step")?.try_into().ok()?,
            of: PhantomData,
        })
    }
}

/// Makes an [`UpdateRule`] one of Burn's optimisers: the orphan rule allows it type by type only.
macro_rules! burn_optimizer {
    ($rule:ty) => {
        impl burn::optim::Optimizer for $rule {
            type State<const D: usize> = $crate::optimizer::Memory<Self, D>;

            fn step<const D: usize>(
                &self,
                lr: f64,
                tensor: burn::tensor::Tensor<D>,
                grad: burn::tensor::Tensor<D>,
                state: Option<Self::State<D>>,
            ) -> (burn::tensor::Tensor<D>, Option<Self::State<D>>) {
                $crate::optimizer::Memory::step(self, lr, tensor, grad, state)
            }

            fn to_device<const D: usize>(
                state: Self::State<D>,
                device: &burn::tensor::Device,
            ) -> Self::State<D> {
                state.to_device(device)
            }
        }
    };
}

pub(super) use burn_optimizer;
