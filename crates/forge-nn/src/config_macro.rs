//! How a config is written down.

use serde::{Deserialize, Deserializer};

/// A value that is there, for fields whose absence means their default: null is a value.
pub(crate) fn given<'de, T, D>(deserializer: D) -> Result<Option<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    T::deserialize(deserializer).map(Some)
}

/// A config: a struct whose fields either have to be given or have a default
/// (`#[config(default = …)]`).
///
/// Makes `new` (which takes the fields to be given, in order), `with_…` for each field with a
/// default, and serde's traits: a file may leave out what has a default, and an unknown key is an
/// error that names it and those there are. Burn's `Config` does the same but for the last two.
macro_rules! config {
    ($(#[$meta:meta])* pub struct $name:ident { $($fields:tt)* }) => {
        $crate::config_macro::config!(
            @sort [$(#[$meta])* $name] [] [] [] $($fields)*
        );
    };
    (
        @sort $head:tt [$($all:tt)*] [$($given:tt)*] [$($set:tt)*]
        $(#[doc = $doc:literal])*
        #[config(default = $default:expr)]
        pub $field:ident: $type:ty,
        $($rest:tt)*
    ) => {
        $crate::config_macro::config!(
            @sort $head
            [$($all)* ($field: $type, $($doc)*)]
            [$($given)*]
            [$($set)* ($field: $type, $default, stringify!($default))]
            $($rest)*
        );
    };
    (
        @sort $head:tt [$($all:tt)*] [$($given:tt)*] [$($set:tt)*]
        $(#[doc = $doc:literal])*
        pub $field:ident: $type:ty,
        $($rest:tt)*
    ) => {
        $crate::config_macro::config!(
            @sort $head
            [$($all)* ($field: $type, $($doc)*)]
            [$($given)* ($field: $type)]
            [$($set)*]
            $($rest)*
        );
    };
    (
        @sort [$(#[$meta:meta])* $name:ident]
        [$(($field:ident: $type:ty, $($doc:literal)*))*]
        [$(($given:ident: $given_type:ty))*]
        [$(($set:ident: $set_type:ty, $default:expr, $text:expr))*]
    ) => {
        $(#[$meta])*
        #[derive(Debug, Clone, PartialEq, serde::Serialize)]
        pub struct $name {
            $($(#[doc = $doc])* pub $field: $type,)*
        }

        impl $name {
            /// The config with every other field at its default.
            #[must_use]
            #[allow(clippy::too_many_arguments, clippy::new_without_default)]
            pub fn new($($given: $given_type),*) -> Self {
                Self {
                    $($given,)*
                    $($set: $default,)*
                }
            }

            pastey::paste! {
                $(
                    #[doc = concat!(
                        "Sets [`", stringify!($set), "`](Self::", stringify!($set),
                        ") instead of its default, `", $text, "`."
                    )]
                    #[must_use]
                    pub fn [<with_ $set>](mut self, $set: $set_type) -> Self {
                        self.$set = $set;
                        self
                    }
                )*
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                /// By the same name, which errors say.
                #[derive(serde::Deserialize)]
                #[serde(deny_unknown_fields)]
                struct $name {
                    $($given: $given_type,)*
                    $(
                        #[serde(default, deserialize_with = "crate::config_macro::given")]
                        $set: Option<$set_type>,
                    )*
                }
                let fields = $name::deserialize(deserializer)?;
                Ok(Self {
                    $($given: fields.$given,)*
                    $($set: fields.$set.unwrap_or_else(|| $default),)*
                })
            }
        }
    };
}

pub(crate) use config;
