//! What stands around the manifest of a file of this library.

use std::fmt;
use std::marker::PhantomData;

use serde::de::{DeserializeOwned, Deserializer, Visitor};
use serde::{Deserialize, Serialize};

/// What stands before a file's own manifest. `blake3` covers every byte of the file, read with
/// its own digits as zeros.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Envelope<'a, T> {
    pub(super) format: &'a str,
    pub(super) version: u32,
    pub(super) library: &'a str,
    pub(super) blake3: &'a str,
    pub(super) manifest: T,
}

/// Longest name of a format or library that is quoted.
const LONGEST_NAME: usize = 100;

/// The metadata of a file of this library.
#[derive(Deserialize)]
#[serde(bound = "T: DeserializeOwned")]
pub(super) struct Ours<T> {
    #[serde(rename = "volatilityforge")]
    pub(super) opened: Option<Opened<T>>,
}

/// An envelope that was opened where it lay, as a text in the header: it may be long, and is not
/// copied out.
pub(super) struct Opened<T> {
    pub(super) format: String,
    pub(super) version: u32,
    pub(super) library: String,
    pub(super) blake3: String,
    pub(super) manifest: T,
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Opened<T> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct Text<T>(PhantomData<T>);
        impl<T: DeserializeOwned> Visitor<'_> for Text<T> {
            type Value = Opened<T>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a text")
            }

            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Opened<T>, E> {
                let envelope: Envelope<'_, T> = serde_json::from_str(text).map_err(E::custom)?;
                let short = |text: &str| text.chars().take(LONGEST_NAME).collect();
                Ok(Opened {
                    format: short(envelope.format),
                    version: envelope.version,
                    library: short(envelope.library),
                    blake3: short(envelope.blake3),
                    manifest: envelope.manifest,
                })
            }
        }
        from.deserialize_str(Text(PhantomData))
    }
}
