//! What is remembered: as constants, and as tensors by name.

use std::collections::BTreeMap;

use burn::tensor::{Bool, Device, Tensor, TensorData};

use crate::{ForgeError, StateDict};

/// What a layer remembers of earlier tokens: it can be cut off from how it came about, and written to a
/// file and read again.
///
/// [`carried!`](crate::carried) makes one of a struct whose fields are.
///
/// Cut off, gradients of later losses stop there, and what they would need of the earlier tokens is free.
/// Between pieces of a long sequence this is truncated backpropagation through time.
///
/// ```
/// use forge_nn::burn::tensor::{Device, Tensor};
/// use forge_nn::recurrent::Carried;
///
/// let device = Device::flex().autodiff();
/// let early = Tensor::<1>::from_data([3.0], &device).require_grad();
/// let late = Tensor::<1>::from_data([2.0], &device).require_grad();
/// let state = early.clone() * 5.0;
/// let gradients = (state.detached() * late.clone()).backward();
/// assert!(early.grad(&gradients).is_none());
/// assert_eq!(late.grad(&gradients).unwrap().into_scalar::<f32>(), 15.0);
/// ```
pub trait Carried: Sized {
    /// The same numbers, as constants.
    #[must_use]
    fn detached(self) -> Self;

    /// Its tensors under their names.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back from its device.
    fn put(&self, to: Named<'_>) -> Result<(), ForgeError>;

    /// From what [`put`](Self::put) put.
    ///
    /// # Errors
    /// A weights error naming a tensor that is missing or of another rank or kind.
    fn take(from: Found<'_>) -> Result<Self, ForgeError>;
}

/// Where something is put: a place in a set of tensors by name.
#[derive(Debug)]
pub struct Named<'a> {
    tensors: &'a mut BTreeMap<String, TensorData>,
    name: String,
}

/// Where something is found: a place in a set of tensors by name, which are taken out.
#[derive(Debug)]
pub struct Found<'a> {
    tensors: &'a mut BTreeMap<String, TensorData>,
    name: String,
    device: &'a Device,
}

fn below(name: &str, field: &str) -> String {
    match name {
        "" => field.into(),
        name => format!("{name}.{field}"),
    }
}

impl Named<'_> {
    /// Puts `value` under a further part of the name.
    ///
    /// # Errors
    /// As [`Carried::put`].
    pub fn field<T: Carried>(&mut self, field: &str, value: &T) -> Result<(), ForgeError> {
        value.put(Named {
            tensors: self.tensors,
            name: below(&self.name, field),
        })
    }

    fn insert(self, data: TensorData) {
        self.tensors.insert(self.name, data);
    }
}

impl Found<'_> {
    /// Takes what is under a further part of the name.
    ///
    /// # Errors
    /// As [`Carried::take`].
    pub fn field<T: Carried>(&mut self, field: &str) -> Result<T, ForgeError> {
        T::take(self.at(field))
    }

    /// Whether anything is under a further part of the name.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        Self::any(self.tensors, &below(&self.name, field))
    }

    /// What something under a further part of the name is called.
    #[must_use]
    pub fn path_of(&self, field: &str) -> String {
        below(&self.name, field)
    }

    fn at(&mut self, field: &str) -> Found<'_> {
        Found {
            name: below(&self.name, field),
            tensors: self.tensors,
            device: self.device,
        }
    }

    fn any(tensors: &BTreeMap<String, TensorData>, name: &str) -> bool {
        let parts = format!("{name}.");
        tensors.contains_key(name) || tensors.keys().any(|known| known.starts_with(&parts))
    }

    /// The tensor of this name, of so many axes.
    fn tensor(self, axes: usize) -> Result<TensorData, ForgeError> {
        let name = &self.name;
        let Some(data) = self.tensors.remove(name) else {
            return Err(ForgeError::weights(format!("{name} is missing")));
        };
        let shape = data.shape();
        if shape.rank() != axes {
            let message = format!("{name} has shape {shape:?}: expected {axes} axes");
            return Err(ForgeError::weights(message));
        }
        Ok(data)
    }

    /// An error about this name.
    fn unlike(name: &str, data: &TensorData, what: &str) -> ForgeError {
        ForgeError::weights(format!("{name} holds {:?}: expected {what}", data.dtype()))
    }
}

impl StateDict {
    /// The tensors of what is remembered, under the names of its fields.
    ///
    /// # Errors
    /// A weights error if a tensor cannot be read back from its device.
    pub fn from_carried<T: Carried>(carried: &T) -> Result<Self, ForgeError> {
        let mut state = Self::default();
        carried.put(Named {
            tensors: &mut state.tensors,
            name: String::new(),
        })?;
        Ok(state)
    }

    /// What is remembered, from what [`from_carried`](Self::from_carried) gave, in the element types that
    /// it had.
    ///
    /// # Errors
    /// A weights error naming the first tensor that is missing, of another rank or kind, or left over.
    pub fn into_carried<T: Carried>(mut self, device: &Device) -> Result<T, ForgeError> {
        let carried = T::take(Found {
            tensors: &mut self.tensors,
            name: String::new(),
            device,
        })?;
        match self.tensors.keys().next() {
            Some(name) => Err(ForgeError::weights(format!("{name} is not part of it"))),
            None => Ok(carried),
        }
    }
}

fn read_back(data: Result<TensorData, impl std::fmt::Display>) -> Result<TensorData, ForgeError> {
    data.map_err(|e| ForgeError::weights(format!("cannot be read back: {e}")))
}

impl<const D: usize> Carried for Tensor<D> {
    fn detached(self) -> Self {
        self.detach()
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        to.insert(read_back(self.clone().try_into_data())?);
        Ok(())
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        let (device, name) = (from.device, from.name.clone());
        let data = from.tensor(D)?;
        let dtype = data.dtype();
        if !dtype.is_float() {
            return Err(Found::unlike(&name, &data, "numbers"));
        }
        Ok(Self::from_data(data, (device, dtype)))
    }
}

impl<const D: usize> Carried for Tensor<D, Bool> {
    fn detached(self) -> Self {
        self
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        to.insert(read_back(self.clone().try_into_data())?.convert::<bool>());
        Ok(())
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        let (device, name) = (from.device, from.name.clone());
        let data = from.tensor(D)?;
        if !data.dtype().is_bool() {
            return Err(Found::unlike(&name, &data, "true and false"));
        }
        Ok(Self::from_data(data, device))
    }
}

impl Carried for usize {
    fn detached(self) -> Self {
        self
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        to.insert(TensorData::new(vec![*self as i64], [1]));
        Ok(())
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        let name = from.name.clone();
        let data = from.tensor(1)?;
        let count = data.as_slice::<i64>().ok().and_then(|values| match values {
            [count] => usize::try_from(*count).ok(),
            _ => None,
        });
        count.ok_or_else(|| Found::unlike(&name, &data, "one count"))
    }
}

impl<T: Carried> Carried for Option<T> {
    fn detached(self) -> Self {
        self.map(T::detached)
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        self.as_ref().map_or(Ok(()), |value| value.put(to))
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        match Found::any(from.tensors, &from.name) {
            true => T::take(from).map(Some),
            false => Ok(None),
        }
    }
}

fn put_all<T: Carried>(parts: &[T], mut to: Named<'_>) -> Result<(), ForgeError> {
    let mut all = parts.iter().enumerate();
    all.try_for_each(|(i, value)| to.field(&i.to_string(), value))
}

impl<T: Carried> Carried for Vec<T> {
    fn detached(self) -> Self {
        self.into_iter().map(T::detached).collect()
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        put_all(self, to)
    }

    fn take(mut from: Found<'_>) -> Result<Self, ForgeError> {
        let mut all = vec![];
        while from.has(&all.len().to_string()) {
            all.push(from.field(&all.len().to_string())?);
        }
        Ok(all)
    }
}

impl<T: Carried, const N: usize> Carried for [T; N] {
    fn detached(self) -> Self {
        self.map(T::detached)
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        put_all(self, to)
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        let name = from.name.clone();
        let all = Vec::<T>::take(from)?;
        let found = all.len();
        all.try_into()
            .map_err(|_| ForgeError::weights(format!("{name} has {found} parts: expected {N}")))
    }
}

/// Makes a struct [`Carried`](crate::recurrent::Carried), all of whose fields are and are listed, or an
/// enum, each of whose variants holds one such thing, with the name that it has among the tensors.
///
/// ```
/// use forge_nn::StateDict;
/// use forge_nn::burn::tensor::{Device, Tensor};
///
/// struct Memory { sums: Tensor<2>, seen: usize }
/// forge_nn::carried!(Memory { sums, seen });
///
/// let device = Device::flex();
/// let memory = Memory { sums: Tensor::ones([2, 3], &device), seen: 7 };
/// let tensors = StateDict::from_carried(&memory)?;
/// assert_eq!(tensors.tensors.keys().collect::<Vec<_>>(), ["seen", "sums"]);
/// let again: Memory = tensors.into_carried(&device)?;
/// assert_eq!((again.seen, again.sums.dims()), (7, [2, 3]));
/// # Ok::<(), forge_nn::ForgeError>(())
/// ```
#[macro_export]
macro_rules! carried {
    ($name:ident { $($field:ident),* $(,)? }) => {
        impl $crate::recurrent::Carried for $name {
            fn detached(self) -> Self {
                Self { $($field: $crate::recurrent::Carried::detached(self.$field)),* }
            }

            fn put(&self, mut to: $crate::recurrent::Named<'_>) -> Result<(), $crate::ForgeError> {
                $(to.field(stringify!($field), &self.$field)?;)*
                Ok(())
            }

            fn take(mut from: $crate::recurrent::Found<'_>) -> Result<Self, $crate::ForgeError> {
                Ok(Self { $($field: from.field(stringify!($field))?),* })
            }
        }
    };
    (enum $name:ident { $($variant:ident = $label:literal),* $(,)? }) => {
        impl $crate::recurrent::Carried for $name {
            fn detached(self) -> Self {
                match self {
                    $(Self::$variant(it) => Self::$variant($crate::recurrent::Carried::detached(it))),*
                }
            }

            fn put(&self, mut to: $crate::recurrent::Named<'_>) -> Result<(), $crate::ForgeError> {
                match self {
                    $(Self::$variant(it) => to.field($label, it)),*
                }
            }

            fn take(mut from: $crate::recurrent::Found<'_>) -> Result<Self, $crate::ForgeError> {
                $(if from.has($label) {
                    return from.field($label).map(Self::$variant);
                })*
                let allowed = [$($label),*].join(" or ");
                Err($crate::ForgeError::weights(format!("{} is missing", from.path_of(&allowed))))
            }
        }
    };
}
