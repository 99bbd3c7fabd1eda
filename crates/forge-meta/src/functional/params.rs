//! Parameters by name.

use std::sync::Arc;

use burn::backend::ops::FloatTensorOps;
use burn::backend::{Dispatch, DispatchTensor, TensorMetadata};
use burn::module::{Module, Param};
use burn::optim::GradientsParams;
use burn::tensor::{DType, Device, Gradients, Slice, Tensor, TensorData};
use forge_graph::AnyTensor;
use forge_nn::ForgeError;
use forge_nn::parameters::{
    Floats, ParameterMapper, ParameterPath, ParameterVisitor, map_parameters, replace_value,
    visit_parameters,
};
use rand_chacha::ChaCha8Rng;

use super::normals::normals;

/// The trainable float parameters of a module, or something of the same shape (a gradient, a
/// direction), by name and in the order of the module's fields.
///
/// Names are those of [`StateDict`](forge_nn::StateDict). Cloning is cheap. Arithmetic is element
/// by element and stays on the graph of derivatives that the tensors are on.
#[derive(Debug, Clone, Default)]
pub struct Params {
    entries: Vec<(Arc<str>, ParamTensor)>,
}

/// One tensor of [`Params`], of any rank.
#[derive(Debug, Clone)]
pub struct ParamTensor(DispatchTensor);

impl ParamTensor {
    /// Of a tensor.
    #[must_use]
    pub fn new<const D: usize>(tensor: Tensor<D>) -> Self {
        Self(tensor.into_dispatch())
    }

    /// Of values on the host, which are cast.
    #[must_use]
    pub fn from_data(data: TensorData, device: &Device, dtype: DType) -> Self {
        let device = device.as_dispatch().clone().inner();
        Self(Dispatch::float_from_data(
            data.convert_dtype(dtype),
            &device,
        ))
    }

    /// As a tensor of rank `D`.
    ///
    /// # Errors
    /// A shape error if it has another rank.
    pub fn tensor<const D: usize>(self) -> Result<Tensor<D>, ForgeError> {
        let shape = self.shape();
        match shape.len() == D {
            true => Ok(Tensor::from_dispatch(self.0)),
            false => {
                let expected = format!("of rank {D}");
                Err(ForgeError::shape(
                    "a parameter",
                    format!("{shape:?}"),
                    expected,
                ))
            }
        }
    }

    /// The length of each axis.
    #[must_use]
    pub fn shape(&self) -> Vec<usize> {
        self.0.shape().to_vec()
    }

    /// The element type.
    #[must_use]
    pub fn dtype(&self) -> DType {
        self.0.dtype()
    }

    /// Where it is.
    #[must_use]
    pub fn device(&self) -> Device {
        AnyTensor::Float(self.0.clone()).device()
    }

    /// The values on the host.
    #[must_use]
    pub fn into_data(self) -> TensorData {
        AnyTensor::Float(self.0).into_data()
    }

    /// Ones of the same shape.
    #[must_use]
    pub fn ones_like(self) -> Self {
        Self(Dispatch::float_add_scalar(self.zeros_like().0, 1.0.into()))
    }

    /// Zeros of the same shape, outside of any graph.
    #[must_use]
    pub fn zeros_like(self) -> Self {
        let (shape, dtype) = (self.0.shape(), self.0.dtype());
        let device = self.device().as_dispatch().clone().inner();
        Self(Dispatch::float_zeros(shape, &device, dtype.into()))
    }

    /// `self + other`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn add(self, other: Self) -> Self {
        Self(Dispatch::float_add(self.0, other.0))
    }

    /// `self - other`.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn sub(self, other: Self) -> Self {
        Self(Dispatch::float_sub(self.0, other.0))
    }

    /// `self · other`, element by element.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn mul(self, other: Self) -> Self {
        Self(Dispatch::float_mul(self.0, other.0))
    }

    /// `self / other`, element by element.
    #[must_use]
    #[allow(clippy::should_implement_trait)]
    pub fn div(self, other: Self) -> Self {
        Self(Dispatch::float_div(self.0, other.0))
    }

    /// `self + number`.
    #[must_use]
    pub fn add_scalar(self, number: f64) -> Self {
        Self(Dispatch::float_add_scalar(self.0, number.into()))
    }

    /// `max(self, number)`.
    #[must_use]
    pub fn clamp_min(self, number: f64) -> Self {
        Self(Dispatch::float_clamp_min(self.0, number.into()))
    }

    /// `√self`.
    #[must_use]
    pub fn sqrt(self) -> Self {
        Self(Dispatch::float_sqrt(self.0))
    }

    /// `change` of each element, whatever the rank.
    #[must_use]
    pub(crate) fn elementwise(self, change: impl FnOnce(Tensor<1>) -> Tensor<1>) -> Self {
        let shape = self.0.shape();
        let changed = change(Tensor::from_dispatch(self.flat())).into_dispatch();
        Self(Dispatch::float_reshape(changed, shape))
    }

    /// `self · number`.
    #[must_use]
    pub fn scale(self, number: f64) -> Self {
        Self(Dispatch::float_mul_scalar(self.0, number.into()))
    }

    /// `self` where `keep` says so, else 0.
    #[must_use]
    pub(crate) fn times(self, keep: impl Iterator<Item = bool>) -> Self {
        let keep: Vec<f64> = keep.map(|keep| f64::from(u8::from(keep))).collect();
        let data = TensorData::new(keep, self.shape());
        let keep = Self::from_data(data, &self.device(), self.dtype());
        self.mul(keep)
    }

    /// The sum of all elements.
    #[must_use]
    pub fn sum(self) -> Tensor<1> {
        Tensor::from_dispatch(Dispatch::float_sum(self.0))
    }

    /// As a leaf of a new graph.
    #[must_use]
    fn leaf(self) -> Self {
        let tensor = Tensor::<1>::from_dispatch(self.detached().0);
        Self(tensor.autodiff().require_grad().into_dispatch())
    }

    fn detached(self) -> Self {
        Self(
            Tensor::<1>::from_dispatch(self.0)
                .without_autodiff()
                .into_dispatch(),
        )
    }

    fn gradient(&self, gradients: &Gradients) -> Self {
        let tensor = Tensor::<1>::from_dispatch(self.0.clone());
        match tensor.grad(gradients) {
            Some(gradient) => Self(gradient.into_dispatch()),
            None => self.clone().zeros_like(),
        }
    }

    pub(crate) fn has_shape(&self, shape: &[usize]) -> bool {
        self.0.shape().as_slice() == shape
    }

    pub(crate) fn from_dispatch(tensor: DispatchTensor) -> Self {
        Self(tensor)
    }

    /// As a vector.
    pub(crate) fn flat(self) -> DispatchTensor {
        let len: usize = self.shape().iter().product();
        Dispatch::float_reshape(self.0, [len].into())
    }

    /// With an axis of length 1 before the others.
    pub(crate) fn with_leading_axis(self) -> Self {
        let shape = [vec![1], self.shape()].concat();
        Self(Dispatch::float_reshape(self.0, shape.into()))
    }

    /// Several along the first axis.
    pub(crate) fn stacked(parts: Vec<Self>) -> Self {
        let parts = parts.into_iter().map(|part| part.0).collect();
        Self(Dispatch::float_cat(parts, 0))
    }

    /// What lies at `row` of the first axis.
    pub(crate) fn row(self, row: usize) -> Self {
        let shape = self.shape();
        let row = Dispatch::float_slice(self.0, &[Slice::from(row..row + 1)]);
        Self(Dispatch::float_reshape(row, shape[1..].to_vec().into()))
    }

    pub(crate) fn into_any(self) -> AnyTensor {
        AnyTensor::Float(self.0)
    }
}

impl Params {
    /// The values in `module`, outside of any graph: what derivatives are taken at.
    #[must_use]
    pub fn of<M: Module>(module: &M) -> Self {
        Self::on_graph(module).detach()
    }

    /// The tensors of `module` themselves, with the graph that they are on: `backward` of what is
    /// computed from them gives the module's gradients, as its optimiser takes them.
    #[must_use]
    pub fn on_graph<M: Module>(module: &M) -> Self {
        struct Read(Vec<(Arc<str>, ParamTensor)>);
        impl ParameterVisitor for Read {
            fn visit<const D: usize>(&mut self, path: &ParameterPath, param: &Param<Tensor<D>>) {
                if Floats::Trainable.take(param) {
                    let name = path.join().into();
                    self.0.push((name, ParamTensor::new(param.base())));
                }
            }
        }
        let mut read = Read(vec![]);
        visit_parameters(module, &mut read);
        Self { entries: read.0 }
    }

    /// Several of the same names and shapes along a new leading axis: members of an ensemble, as
    /// [`Functional::call_each`](super::Functional::call_each) takes them.
    ///
    /// # Errors
    /// A config error for none; a weights error that names a tensor that not all have, or of another
    /// shape.
    pub fn stack(all: &[Self]) -> Result<Self, ForgeError> {
        let Some((first, others)) = all.split_first() else {
            return Err(ForgeError::config("members", 0, "at least 1"));
        };
        for other in others {
            first.same_as(other, "another member")?;
        }
        let mut at = 0..;
        Ok(first.map(|_, tensor| {
            let at = at.next().unwrap_or_default();
            let parts = all.iter().filter_map(|params| params.entries.get(at));
            let parts = parts.map(|(_, tensor)| tensor.clone().with_leading_axis());
            let parts: Vec<_> = parts.collect();
            match parts.is_empty() {
                true => tensor,
                false => ParamTensor::stacked(parts),
            }
        }))
    }

    /// What lies at `row` of the first axis of each tensor: the inverse of [`stack`](Self::stack).
    ///
    /// # Errors
    /// A config error if a tensor has no such row.
    pub fn row(&self, row: usize) -> Result<Self, ForgeError> {
        let rows = |tensor: &ParamTensor| tensor.shape().first().copied().unwrap_or_default();
        let least = self.entries.iter().map(|(_, tensor)| rows(tensor)).min();
        match least {
            Some(least) if row >= least => {
                Err(ForgeError::config("row", row, format!("below {least}")))
            }
            _ => Ok(self.map(|_, tensor| tensor.row(row))),
        }
    }

    /// Of named tensors, in order.
    #[must_use]
    pub fn from_entries(entries: impl IntoIterator<Item = (String, ParamTensor)>) -> Self {
        let entries = entries.into_iter();
        Self {
            entries: entries
                .map(|(name, tensor)| (name.into(), tensor))
                .collect(),
        }
    }

    /// `module` with these values in its parameters; everything else of it stays.
    ///
    /// # Errors
    /// A weights error that names a parameter that only one of the two has, or of another shape.
    pub fn load_into<M: Module>(&self, module: M) -> Result<M, ForgeError> {
        self.same_as(&Self::on_graph(&module), "the module")?;
        struct Write<'a> {
            params: &'a Params,
            next: usize,
        }
        impl ParameterMapper for Write<'_> {
            fn map<const D: usize>(
                &mut self,
                _: &ParameterPath,
                param: Param<Tensor<D>>,
            ) -> Param<Tensor<D>> {
                if !Floats::Trainable.take(&param) {
                    return param;
                }
                let Some((_, value)) = self.params.entries.get(self.next) else {
                    return param;
                };
                self.next += 1;
                let value = Tensor::<D>::from_dispatch(value.clone().detached().0);
                replace_value(param, |old| {
                    value.to_device(&old.device()).cast(old.dtype())
                })
            }
        }
        let mut write = Write {
            params: self,
            next: 0,
        };
        Ok(map_parameters(module, &mut write))
    }

    /// These tensors as the gradients of `module`, for a step of its optimiser.
    ///
    /// # Errors
    /// As [`load_into`](Self::load_into).
    pub fn as_gradients<M: Module>(&self, module: &M) -> Result<GradientsParams, ForgeError> {
        self.same_as(&Self::on_graph(module), "the module")?;
        struct Register<'a> {
            params: std::slice::Iter<'a, (Arc<str>, ParamTensor)>,
            gradients: GradientsParams,
        }
        impl ParameterVisitor for Register<'_> {
            fn visit<const D: usize>(&mut self, _: &ParameterPath, param: &Param<Tensor<D>>) {
                if !Floats::Trainable.take(param) {
                    return;
                }
                if let Some((_, gradient)) = self.params.next() {
                    let gradient = gradient.clone().detached();
                    let gradient = Tensor::<D>::from_dispatch(gradient.0);
                    self.gradients.register(param.id, gradient);
                }
            }
        }
        let mut register = Register {
            params: self.entries.iter(),
            gradients: GradientsParams::new(),
        };
        visit_parameters(module, &mut register);
        Ok(register.gradients)
    }

    /// How many tensors there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// The names, in order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|(name, _)| &**name)
    }

    /// Names and tensors, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &ParamTensor)> {
        self.entries.iter().map(|(name, tensor)| (&**name, tensor))
    }

    /// The tensor `name`.
    ///
    /// # Errors
    /// A weights error if there is none of that name, a shape error if its rank is another.
    pub fn get<const D: usize>(&self, name: &str) -> Result<Tensor<D>, ForgeError> {
        let found = self.entries.iter().find(|(own, _)| &**own == name);
        let Some((_, tensor)) = found else {
            let names: Vec<_> = self.names().collect();
            return Err(ForgeError::weights(format!(
                "there is no parameter {name}; there are {}",
                names.join(", ")
            )));
        };
        tensor.clone().tensor()
    }

    /// Each tensor changed by `change`, which gets its name.
    #[must_use]
    pub fn map(&self, mut change: impl FnMut(&str, ParamTensor) -> ParamTensor) -> Self {
        let entries = self.entries.iter();
        Self {
            entries: entries
                .map(|(name, tensor)| (name.clone(), change(name, tensor.clone())))
                .collect(),
        }
    }

    /// Each pair of tensors combined by `combine`, which gets their name.
    ///
    /// # Errors
    /// A weights error that names a tensor that only one of the two has, or of another shape.
    pub fn zip(
        &self,
        other: &Self,
        mut combine: impl FnMut(&str, ParamTensor, ParamTensor) -> ParamTensor,
    ) -> Result<Self, ForgeError> {
        self.same_as(other, "the other")?;
        let pairs = self.entries.iter().zip(&other.entries);
        Ok(Self {
            entries: pairs
                .map(|((name, a), (_, b))| (name.clone(), combine(name, a.clone(), b.clone())))
                .collect(),
        })
    }

    /// `self + factor · other`.
    ///
    /// # Errors
    /// As [`zip`](Self::zip).
    pub fn add_scaled(&self, other: &Self, factor: f64) -> Result<Self, ForgeError> {
        self.zip(other, |_, a, b| a.add(b.scale(factor)))
    }

    /// `factor · self`.
    #[must_use]
    pub fn scale(&self, factor: f64) -> Self {
        self.map(|_, tensor| tensor.scale(factor))
    }

    /// `Σ aᵢ bᵢ` over all elements, `[1]`.
    ///
    /// # Errors
    /// As [`zip`](Self::zip); a weights error if there is no tensor.
    pub fn dot(&self, other: &Self) -> Result<Tensor<1>, ForgeError> {
        let products = self.zip(other, |_, a, b| a.mul(b))?;
        let sums = products
            .entries
            .into_iter()
            .map(|(_, product)| product.sum());
        sums.reduce(Tensor::add)
            .ok_or_else(|| ForgeError::weights("there is no trainable parameter"))
    }

    /// `√(Σ aᵢ²)` over all elements, `[1]`.
    ///
    /// # Errors
    /// A weights error if there is no tensor.
    pub fn norm(&self) -> Result<Tensor<1>, ForgeError> {
        Ok(self.dot(self)?.sqrt())
    }

    /// Zeros of the same shapes.
    #[must_use]
    pub fn zeros_like(&self) -> Self {
        self.map(|_, tensor| tensor.zeros_like())
    }

    /// Standard normal numbers of the same shapes.
    #[must_use]
    pub(crate) fn normal_like(&self, random: &mut ChaCha8Rng) -> Self {
        self.map(|_, tensor| {
            let shape = tensor.shape();
            let numbers = normals(shape.iter().product(), random);
            let data = TensorData::new(numbers, shape);
            ParamTensor::from_data(data, &tensor.device(), tensor.dtype())
        })
    }

    /// The same values outside of any graph.
    #[must_use]
    pub fn detach(&self) -> Self {
        self.map(|_, tensor| tensor.detached())
    }

    /// The same values as leaves of a new graph, whose [gradients](Self::gradients) can be asked
    /// for after a backward pass.
    #[must_use]
    pub fn require_grad(&self) -> Self {
        self.map(|_, tensor| tensor.leaf())
    }

    /// The gradients of these leaves after a backward pass; zeros where none arrived.
    #[must_use]
    pub fn gradients(&self, gradients: &Gradients) -> Self {
        self.map(|_, tensor| tensor.gradient(gradients))
    }

    /// That `other` has tensors of the same names and shapes.
    pub(crate) fn same_as(&self, other: &Self, whose: &str) -> Result<(), ForgeError> {
        let missing = |from: &Self, of: &Self| {
            let lost = of
                .names()
                .find(|name| !from.names().any(|own| own == *name));
            lost.map(str::to_string)
        };
        if let Some(name) = missing(other, self) {
            return Err(ForgeError::weights(format!("{name} is not in {whose}")));
        }
        if let Some(name) = missing(self, other) {
            return Err(ForgeError::weights(format!("{name} is only in {whose}")));
        }
        for ((name, a), (other_name, b)) in self.entries.iter().zip(&other.entries) {
            if name != other_name {
                return Err(ForgeError::weights(format!(
                    "{name} stands where {whose} has {other_name}; keep the module's order"
                )));
            }
            if a.shape() != b.shape() {
                let (a, b) = (a.shape(), b.shape());
                return Err(ForgeError::weights(format!(
                    "{name} is {a:?}, in {whose} {b:?}"
                )));
            }
        }
        Ok(())
    }
}
