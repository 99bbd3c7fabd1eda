//! Tuples of tensors.

use std::vec::IntoIter;

use burn::tensor::{Bool, Int, Tensor};
use forge_nn::ForgeError;

use crate::AnyTensor;

/// What enters or leaves a recorded function: a tensor of floats, integers or booleans, a tuple of
/// such, or a `Vec` of them as the last.
pub trait Tensors: Sized {
    /// Adds its tensors to `list`, in order.
    fn list(self, list: &mut Vec<AnyTensor>);

    /// Takes as many tensors as it has from `list`.
    ///
    /// # Errors
    /// A shape error if the next tensor is of another rank or kind, or missing.
    fn restore(list: &mut IntoIter<AnyTensor>) -> Result<Self, ForgeError>;
}

fn wrong(found: Option<&AnyTensor>, rank: usize, kind: &str) -> ForgeError {
    let expected = format!("{kind} of rank {rank}");
    match found {
        Some(tensor) => ForgeError::shape(
            "a tensor of the function",
            format!("{:?} of {}", tensor.shape(), tensor.kind()),
            expected,
        ),
        None => ForgeError::shape("a tensor of the function", "missing", expected),
    }
}

macro_rules! tensor {
    ($kind:ident, $tensor:ty, $make:ident, $name:literal) => {
        impl<const D: usize> Tensors for $tensor {
            fn list(self, list: &mut Vec<AnyTensor>) {
                list.push(AnyTensor::$make(self));
            }

            fn restore(list: &mut IntoIter<AnyTensor>) -> Result<Self, ForgeError> {
                match list.next() {
                    Some(AnyTensor::$kind(tensor)) => {
                        let any = AnyTensor::$kind(tensor.clone());
                        match any.shape().len() == D {
                            true => Ok(Self::from_dispatch(tensor)),
                            false => Err(wrong(Some(&any), D, $name)),
                        }
                    }
                    other => Err(wrong(other.as_ref(), D, $name)),
                }
            }
        }
    };
}

tensor!(Float, Tensor<D>, float, "floats");
tensor!(Int, Tensor<D, Int>, int, "integers");
tensor!(Bool, Tensor<D, Bool>, bool, "booleans");

impl Tensors for AnyTensor {
    fn list(self, list: &mut Vec<AnyTensor>) {
        list.push(self);
    }

    fn restore(list: &mut IntoIter<AnyTensor>) -> Result<Self, ForgeError> {
        list.next()
            .ok_or_else(|| ForgeError::shape("a tensor of the function", "missing", "one more"))
    }
}

impl<T: Tensors> Tensors for Vec<T> {
    fn list(self, list: &mut Vec<AnyTensor>) {
        self.into_iter().for_each(|each| each.list(list));
    }

    fn restore(list: &mut IntoIter<AnyTensor>) -> Result<Self, ForgeError> {
        let mut all = vec![];
        while !list.as_slice().is_empty() {
            all.push(T::restore(list)?);
        }
        Ok(all)
    }
}

macro_rules! tuple {
    ($($name:ident),*) => {
        impl<$($name: Tensors),*> Tensors for ($($name,)*) {
            #[allow(non_snake_case, unused_variables)]
            fn list(self, list: &mut Vec<AnyTensor>) {
                let ($($name,)*) = self;
                $($name.list(list);)*
            }

            #[allow(unused_variables)]
            fn restore(list: &mut IntoIter<AnyTensor>) -> Result<Self, ForgeError> {
                Ok(($($name::restore(list)?,)*))
            }
        }
    };
}

tuple!();
tuple!(A);
tuple!(A, B);
tuple!(A, B, C);
tuple!(A, B, C, D);
tuple!(A, B, C, D, E);
tuple!(A, B, C, D, E, F);
