//! States made of states.

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

            fn select(self, sequences: &[usize]) -> Result<Self, $crate::ForgeError> {
                Ok(Self { $($field: $crate::recurrent::Carried::select(self.$field, sequences)?),* })
            }

            fn cat(parts: Vec<Self>) -> Result<Self, $crate::ForgeError> {
                $(let mut $field = Vec::with_capacity(parts.len());)*
                for part in parts {
                    $($field.push(part.$field);)*
                }
                Ok(Self { $($field: $crate::recurrent::Carried::cat($field)?),* })
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

            fn select(self, sequences: &[usize]) -> Result<Self, $crate::ForgeError> {
                match self {
                    $(Self::$variant(it) => {
                        $crate::recurrent::Carried::select(it, sequences).map(Self::$variant)
                    })*
                }
            }

            fn cat(parts: Vec<Self>) -> Result<Self, $crate::ForgeError> {
                $(if parts.iter().all(|part| matches!(part, Self::$variant(_))) {
                    let parts = parts.into_iter().filter_map(|part| match part {
                        Self::$variant(it) => Some(it),
                        #[allow(unreachable_patterns)]
                        _ => None,
                    });
                    return $crate::recurrent::Carried::cat(parts.collect()).map(Self::$variant);
                })*
                Err($crate::ForgeError::shape(
                    "what sequences put beside each other remember",
                    "of several kinds",
                    "of one",
                ))
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
