//! What things that are remembered are made of.

use std::fmt::Display;

use burn::tensor::kind::Basic;
use burn::tensor::{Bool, Tensor, TensorData};

use super::{Carried, Found, Named};
use crate::ForgeError;

fn read_back(data: Result<TensorData, impl std::fmt::Display>) -> Result<TensorData, ForgeError> {
    data.map_err(|e| ForgeError::weights(format!("cannot be read back: {e}")))
}

impl<const D: usize> Carried for Tensor<D> {
    fn detached(self) -> Self {
        self.detach()
    }

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        chosen(self, sequences)
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        beside(parts)
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

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        chosen(self, sequences)
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        beside(parts)
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

/// A count of tokens: that of all sequences.
impl Carried for usize {
    fn detached(self) -> Self {
        self
    }

    fn select(self, _sequences: &[usize]) -> Result<Self, ForgeError> {
        Ok(self)
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        let first = *parts.first().ok_or_else(nothing)?;
        match parts.into_iter().find(|count| *count != first) {
            None => Ok(first),
            Some(other) => Err(unlike_the_first("count of tokens", other, first)),
        }
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

/// How many sequences there are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequences(pub usize);

impl Carried for Sequences {
    fn detached(self) -> Self {
        self
    }

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        check_there(sequences, self.0)?;
        Ok(Self(sequences.len()))
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        match parts.is_empty() {
            true => Err(nothing()),
            false => Ok(Self(parts.into_iter().map(|part| part.0).sum())),
        }
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        self.0.put(to)
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        usize::take(from).map(Self)
    }
}

impl<T: Carried> Carried for Option<T> {
    fn detached(self) -> Self {
        self.map(T::detached)
    }

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        self.map(|value| value.select(sequences)).transpose()
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        let count = parts.len();
        let values: Vec<T> = parts.into_iter().flatten().collect();
        match values.len() {
            0 if count > 0 => Ok(None),
            present if present == count => T::cat(values).map(Some),
            _ => Err(ForgeError::shape(
                "a sequence put beside others",
                "before its first token, where others are behind theirs",
                "as they are: it takes its first token alone",
            )),
        }
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

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        let each = self.into_iter().map(|value| value.select(sequences));
        each.collect()
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        let layers = parts.first().ok_or_else(nothing)?.len();
        if let Some(other) = parts.iter().find(|part| part.len() != layers) {
            return Err(unlike_the_first("number of layers", other.len(), layers));
        }
        let mut parts: Vec<_> = parts.into_iter().map(Vec::into_iter).collect();
        let mut layer = || parts.iter_mut().filter_map(Iterator::next).collect();
        (0..layers).map(|_| T::cat(layer())).collect()
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

    fn select(self, sequences: &[usize]) -> Result<Self, ForgeError> {
        exactly(Vec::from(self).select(sequences)?, "what is remembered")
    }

    fn cat(parts: Vec<Self>) -> Result<Self, ForgeError> {
        let parts = parts.into_iter().map(Vec::from).collect();
        exactly(Carried::cat(parts)?, "what is remembered")
    }

    fn put(&self, to: Named<'_>) -> Result<(), ForgeError> {
        put_all(self, to)
    }

    fn take(from: Found<'_>) -> Result<Self, ForgeError> {
        let name = from.name.clone();
        exactly(Vec::<T>::take(from)?, &name)
    }
}

fn exactly<T, const N: usize>(all: Vec<T>, name: &str) -> Result<[T; N], ForgeError> {
    let found = all.len();
    all.try_into()
        .map_err(|_| ForgeError::weights(format!("{name} has {found} parts: expected {N}")))
}

/// Sequences are along the first axis.
fn chosen<const D: usize, K: Basic>(
    x: Tensor<D, K>,
    sequences: &[usize],
) -> Result<Tensor<D, K>, ForgeError> {
    check_there(sequences, x.dims()[0])?;
    let places: Vec<i64> = sequences.iter().map(|place| *place as i64).collect();
    let count = [places.len()];
    let device = x.device();
    Ok(x.select(
        0,
        Tensor::from_data(TensorData::new(places, count), &device),
    ))
}

fn beside<const D: usize, K: Basic>(parts: Vec<Tensor<D, K>>) -> Result<Tensor<D, K>, ForgeError> {
    let first = parts.first().ok_or_else(nothing)?;
    let (shape, dtype, device) = (first.dims(), first.dtype(), first.device());
    for part in &parts[1..] {
        let found = part.dims();
        if found[1..] != shape[1..] {
            let [found, shape] = [found, shape].map(|shape| format!("{:?}", &shape[1..]));
            return Err(unlike_the_first("shape per sequence", found, shape));
        }
        if part.dtype() != dtype {
            let [found, dtype] = [part.dtype(), dtype].map(|dtype| format!("{dtype:?}"));
            return Err(unlike_the_first("element type", found, dtype));
        }
        if part.device() != device {
            let [found, device] = [part.device(), device].map(|device| format!("{device:?}"));
            return Err(unlike_the_first("device", found, device));
        }
    }
    Ok(Tensor::cat(parts, 0))
}

fn check_there(sequences: &[usize], count: usize) -> Result<(), ForgeError> {
    let what = "the sequence to take out of a state";
    match sequences.iter().find(|place| **place >= count) {
        Some(place) => Err(ForgeError::shape(
            what,
            format!("number {place}"),
            format!("below {count}, counted from 0"),
        )),
        None if sequences.is_empty() => Err(ForgeError::shape(what, "none", "at least one")),
        None => Ok(()),
    }
}

fn nothing() -> ForgeError {
    ForgeError::shape("what is put beside each other", "no state", "at least one")
}

fn unlike_the_first(what: &str, found: impl Display, first: impl Display) -> ForgeError {
    let what = format!("the {what} of sequences put beside others");
    ForgeError::shape(what, found, format!("{first}, that of the first"))
}
