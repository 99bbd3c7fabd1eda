//! Reading and writing settings through one serialiser.

#[doc(hidden)]
pub use ::{erased_serde as erased, serde};

/// Gives a type `Serialize` and `Deserialize` that are compiled once, in the crate of the type.
///
/// What serde derives is compiled anew for each format, each error type and each crate that reads or
/// writes the type; for settings with dozens of types inside, nobody waits for their reading, but
/// everybody for their compiling. The type derives both with `#[serde(remote = "Self")]`, and this
/// macro hands them a serialiser behind a pointer.
///
/// What a person sees of errors stays: the message, and where in the file it is.
///
/// ```
/// use forge_files::erased_serde;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize, Debug, PartialEq)]
/// #[serde(remote = "Self", tag = "kind", rename_all = "snake_case", deny_unknown_fields)]
/// enum Shape {
///     Circle { radius: f32 },
///     Square { side: u64 },
/// }
/// erased_serde!(Shape);
///
/// let text = r#"{"kind":"circle","radius":0.1}"#;
/// let circle: Shape = serde_json::from_str(text).unwrap();
/// assert_eq!(circle, Shape::Circle { radius: 0.1 });
/// assert_eq!(serde_json::to_string(&circle).unwrap(), text);
/// let error = serde_json::from_str::<Shape>(r#"{"kind":"square","sides":4}"#).unwrap_err();
/// assert!(error.to_string().contains("unknown field `sides`, expected `side`"), "{error}");
/// ```
#[macro_export]
macro_rules! erased_serde {
    ($type:ty) => {
        impl $crate::erase::serde::Serialize for $type {
            fn serialize<S: $crate::erase::serde::Serializer>(
                &self,
                serializer: S,
            ) -> ::core::result::Result<S::Ok, S::Error> {
                struct Derived<'a>(&'a $type);
                impl $crate::erase::serde::Serialize for Derived<'_> {
                    fn serialize<S: $crate::erase::serde::Serializer>(
                        &self,
                        serializer: S,
                    ) -> ::core::result::Result<S::Ok, S::Error> {
                        <$type>::serialize(self.0, serializer)
                    }
                }
                // Not inlined: elsewhere it would be compiled there.
                #[inline(never)]
                fn erased<'a>(value: &'a Derived<'a>) -> &'a dyn $crate::erase::erased::Serialize {
                    value
                }
                $crate::erase::erased::serialize(erased(&Derived(self)), serializer)
            }
        }

        impl<'de> $crate::erase::serde::Deserialize<'de> for $type {
            fn deserialize<D: $crate::erase::serde::Deserializer<'de>>(
                deserializer: D,
            ) -> ::core::result::Result<Self, D::Error> {
                #[inline(never)]
                fn derived<'de>(
                    deserializer: &mut dyn $crate::erase::erased::Deserializer<'de>,
                ) -> ::core::result::Result<$type, $crate::erase::erased::Error> {
                    <$type>::deserialize(deserializer)
                }
                derived(&mut <dyn $crate::erase::erased::Deserializer<'_>>::erase(
                    deserializer,
                ))
                .map_err($crate::erase::serde::de::Error::custom)
            }
        }
    };
}
